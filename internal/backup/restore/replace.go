package restore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// A restore that replaces a live database: restored beside it, compared, and only then put in its
// place. Until the one commit that swaps the names everything is as it was; the database that
// was live is kept under another name, and nothing is dropped.

// replacement is what a restore needs that takes a live database's place. It is not used without Request.Replace.
type replacement struct {
	exchange exchange
	suffix   string   // of the names of databases beside a live one
	changes  []string // of settings, against the replaced database
	whole    bool     // the copy is complete and compared
}

// WayBack is the command that puts back what was replaced; "" when nothing was.
func (r *Restored) WayBack() string {
	if r.Kept == "" {
		return ""
	}
	if r.Schema != "" {
		return schemaLine(r.host, r.Database, r.Schema, "")
	}
	return swapLine(r.host, "undo", r.Database, "")
}

// confirmed refuses to change an existing database that nobody has typed the name of.
func (q Request) confirmed(set *backup.Set) error {
	live := q.live()
	var what string
	switch {
	case live == "" || q.Confirm == live:
		return nil
	case q.Replace != "" && reserved[live]: // no confirmation helps
		return fault.New(fault.Refused, fmt.Sprintf("restore: database %q is the server's own and is never replaced", live),
			"Restore into a new database with --to.", nil)
	case q.DataOnly:
		what = fmt.Sprintf("rows into %q were not confirmed: it is in use, and they stay in it", live)
	default:
		what = fmt.Sprintf(
			"replacing %q was not confirmed: what was written to it since the set of %s will be in the kept copy only",
			live, set.FinishedAt.UTC().Format(time.RFC3339))
	}
	return fault.New(fault.Refused, "restore: "+what,
		fmt.Sprintf("Give --confirm and the database's own name, exactly: %q.", live), nil)
}

// checkReplaced is the preflight's part about the live database.
func (r *restoring) checkReplaced(ctx context.Context) ([]Check, error) {
	r.replacing.exchange.server = r.target.server
	wrong, err := r.replacing.exchange.find(ctx, r.req.Replace)
	if err != nil {
		return nil, err
	}
	if wrong != nil {
		return []Check{*wrong}, nil
	}
	live := r.replacing.exchange.live
	size := "size not known"
	if live.SizeBytes >= 0 {
		size = humanize.IBytes(uint64(live.SizeBytes))
	}
	detail := fmt.Sprintf("database %q (%s) at %s port %d is replaced, and kept as %q", live.Name, size,
		r.target.place.Host, r.target.place.Port, kept.Stem(live.Name)+"_"+kept.Before+"_<time>")
	target := passes("target", detail)
	if r.source.set.Database != live.Name {
		target = warns("target", detail+fmt.Sprintf("; the set is of database %q", r.source.set.Database), "")
	}
	used, err := r.replacing.exchange.checks(ctx)
	return append([]Check{target}, used...), err
}

// checkReplacing is what needs the contents: counts to compare, and settings that will change.
func (r *restoring) checkReplacing(ctx context.Context) (checks []Check, err error) {
	if r.req.Replace == "" || r.replacing.exchange.live.OID == 0 {
		return nil, nil
	}
	if !r.source.listed() {
		return []Check{
			fails("counts", "the set has no row counts, so nothing can show that its copy is complete",
				"Restore it beside the live one with --to, and check it yourself."),
		}, nil
	}
	now, err := r.target.server.SettingsOf(ctx, r.req.Replace)
	if err != nil {
		return nil, err
	}
	if r.settings() == nil {
		return []Check{
			warns("settings",
				"not known for this set: owner, rights and settings of the database will be the server's defaults", ""),
		}, nil
	}
	r.replacing.changes = settingChanges(now, *r.settings())
	if !r.replacing.exchange.live.AllowConn {
		r.replacing.changes = append(r.replacing.changes, "connections were forbidden, and will be allowed")
	}
	if len(r.replacing.changes) > 0 {
		return []Check{
			warns("settings", "of the live database that differ in the set: "+strings.Join(r.replacing.changes, "; "), ""),
		}, nil
	}
	return []Check{passes("settings", "as the live database has them")}, nil
}

// settingChanges says what a set's settings make different. Values of parameters are not told:
// somebody may have put a secret there.
func settingChanges(now, then postgres.Settings) (changes []string) {
	differ := func(what, before, after string) {
		if before != after {
			changes = append(changes, fmt.Sprintf("%s %q becomes %q", what, before, after))
		}
	}
	differ("owner", now.Owner, then.Owner)
	differ("tablespace", now.Tablespace, then.Tablespace)
	differ("encoding", now.Locale.Encoding, then.Locale.Encoding)
	differ("collation", now.Locale.Collate, then.Locale.Collate)
	differ("locale provider", now.Locale.Provider, then.Locale.Provider)
	differ("connection limit", fmt.Sprint(now.ConnLimit), fmt.Sprint(then.ConnLimit))
	differ("template", fmt.Sprint(now.IsTemplate), fmt.Sprint(then.IsTemplate))
	differ("comment", now.Comment, then.Comment)
	differ("rights", rights(now), rights(then))
	return append(changes, parameterChanges(now.Parameters, then.Parameters)...)
}

func rights(s postgres.Settings) string {
	if !s.CustomACL {
		return "the default"
	}
	var told []string
	for _, g := range s.Grants {
		role := g.Role
		if role == "" {
			role = "PUBLIC"
		}
		told = append(told, g.Privilege+" to "+role)
	}
	if len(told) == 0 {
		return "none but its owner's"
	}
	return strings.Join(told, ", ")
}

func parameterChanges(now, then []postgres.Parameter) (changes []string) {
	type name struct{ role, parameter string }
	values := map[name]string{}
	for _, p := range now {
		values[name{p.Role, p.Name}] = p.Value
	}
	subject := func(p postgres.Parameter) string {
		if p.Role != "" {
			return fmt.Sprintf("%s of role %q", p.Name, p.Role)
		}
		return p.Name
	}
	for _, p := range then {
		key := name{p.Role, p.Name}
		if before, there := values[key]; !there || before != p.Value {
			changes = append(changes, "parameter "+subject(p)+" has another value")
		}
		delete(values, key)
	}
	for _, p := range now {
		if _, left := values[name{p.Role, p.Name}]; left {
			changes = append(changes, "parameter "+subject(p)+" is no longer set")
		}
	}
	return changes
}

// complete marks the copy as whole and compared, by its name: from here on it can take the live
// one's place, at once or later.
func (r *restoring) complete(ctx context.Context) error {
	if r.req.Replace == "" {
		return nil
	}
	switch {
	case !r.result.Compared:
		return fault.New(fault.Refused, "restore: no table could be compared", "Check the copy yourself.", nil)
	case len(r.result.refused) > 0:
		return fault.New(fault.Refused, "restore: settings of the database were refused: "+
			strings.Join(r.result.refused, "; "),
			"Restore with --globals, which creates missing roles, or with --no-owner.", nil)
	}
	name := kept.Beside(r.req.Replace, kept.Restored, r.replacing.suffix)
	if err := r.target.server.RenameDatabase(ctx, r.req.To, name); err != nil {
		return err
	}
	r.req.To = name
	r.replacing.whole = true
	return nil
}

// replace swaps the names.
func (r *restoring) replace(ctx context.Context) error {
	if r.req.Replace == "" {
		return nil
	}
	r.meter.Enter(backup.StageSwap, 0)
	stop := r.meter.KeepAlive()
	defer stop()
	with, ok, err := r.target.server.Database(ctx, r.req.To)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Refused, fmt.Sprintf("restore: the copy %q is gone", r.req.To), "Start again.", nil)
	}
	r.replacing.exchange.with = with
	done, err := r.replacing.exchange.swap(ctx)
	if err != nil {
		return err
	}
	r.result.Database = r.req.Replace
	r.result.Kept = done.kept
	r.result.Ended = len(done.ended)
	for _, c := range r.replacing.changes {
		r.result.note("changed: " + c)
	}
	r.log.InfoContext(ctx,
		fmt.Sprintf("set %s is now database %q; the previous one is kept as %q", r.source.set.ID, r.req.Replace, done.kept),
		event.Attr(event.Replaced))
	return nil
}

// explainReplace says which of the two states there is, and what is left.
func (r *restoring) explainReplace(err error) error {
	live := r.req.Replace
	if errors.Is(err, postgres.ErrSwapUnknown) {
		return fault.New(fault.CodeOf(err), fmt.Sprintf("restore: whether %q was replaced is not known", live),
			fault.Remedy(err), err)
	}
	what, next := fmt.Sprintf("database %q is as it was", live), ""
	switch {
	case r.replacing.whole:
		what += fmt.Sprintf("; its complete, compared copy is %q", r.req.To)
		next = fmt.Sprintf("Put the copy in its place with `%s`, or drop it (`dropdb`).",
			swapLine(r.target.at.Host, "swap", live, r.req.To))
	case r.result.created:
		what += fmt.Sprintf(", unfinished database %q is left", r.req.To)
		next = fmt.Sprintf("Drop %q (`dropdb`) before the next try; look into it first if you want.", r.req.To)
	}
	return left(err, what, strings.Join(present(fault.Remedy(err), next), " "))
}
