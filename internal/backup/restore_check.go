package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Check is one line of a preflight: what was looked at, whether it is fine, what to do if not.
type Check struct {
	Name   string `json:"name"` // "target", "tools", "roles", …
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// Preflight looks at everything that can be known before a restore starts, and changes nothing.
// The console shows it; the unit runs the same again and decides by it.
func Preflight(ctx context.Context, job config.Job, env Env, set *Set, req RestoreRequest, identities []age.Identity) ([]Check, error) {
	r := newRestoring(job, env, set, req, identities)
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	defer r.close(ctx)
	return r.checks(ctx)
}

func (r *restoring) checks(ctx context.Context) ([]Check, error) {
	checks := []Check{r.checkSource()}
	facts, err := r.server.Facts(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, r.checkTools(ctx, facts))
	target, err := r.checkTarget(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, target)
	contents, err := ReadContents(ctx, r.env.Bucket, r.set, r.identities)
	if err != nil {
		return append(checks, Check{"contents", false, err.Error(), fault.Remedy(err)}), nil
	}
	if r.contents = contents; contents == nil || contents.Archive == nil {
		return append(checks, Check{"contents", true, "not known for this set: roles and extensions are not checked", ""}), nil
	}
	needs, err := r.checkNeeds(ctx)
	return append(checks, needs...), err
}

func (r *restoring) checkSource() Check {
	if !r.set.Good() {
		return Check{"source", false, r.set.Problem, "choose another set: `pgbtui list`"}
	}
	level, at := r.set.Proven()
	detail := "proven " + level.String()
	if !at.IsZero() {
		detail += " at " + at.UTC().Format(time.RFC3339)
	}
	if failure := r.set.LastFailure(); failure != nil {
		return Check{"source", false, "its last verification failed: " + failure.Error, "choose another set, or verify this one again"}
	}
	if r.set.Encrypted() && len(r.identities) == 0 {
		return Check{"source", false, "encrypted, and there is no age identity here", "set encryption.identity_file or give --identity"}
	}
	return Check{"source", true, detail, ""}
}

func (r *restoring) checkTools(ctx context.Context, facts postgres.Facts) Check {
	tools, err := readingTools(ctx, r.job.Postgres.BinDir, r.set)
	if err != nil {
		return Check{"tools", false, err.Error(), fault.Remedy(err)}
	}
	r.tools = tools
	detail := fmt.Sprintf("%s into server %s", strings.Replace(tools.Version, "pg_dump", "pg_restore", 1), facts.Version)
	if r.set.Manifest != nil && facts.VersionNum/10000 < r.set.Manifest.Server.VersionNum/10000 {
		return Check{"tools", false, fmt.Sprintf("the set is from server %s, the target is %s: an older major version", r.set.Manifest.Server.Version, facts.Version),
			"restore into a server of the same or a newer major version"}
	}
	return Check{"tools", true, detail, ""}
}

func (r *restoring) checkTarget(ctx context.Context) (Check, error) {
	if r.req.To == "" {
		return Check{"target", false, "no name", "name the new database with --to"}, nil
	}
	exists, err := r.server.Exists(ctx, r.req.To)
	if err != nil {
		return Check{}, err
	}
	if exists {
		return Check{"target", false, fmt.Sprintf("database %q exists", r.req.To), "choose a name that is free"}, nil
	}
	return Check{"target", true, fmt.Sprintf("database %q does not exist yet", r.req.To), ""}, nil
}

// checkNeeds: roles that own or are granted things, tablespaces, and extensions.
func (r *restoring) checkNeeds(ctx context.Context) ([]Check, error) {
	roles, spaces := map[string]bool{}, map[string]bool{}
	for _, e := range r.contents.Archive.Entries {
		if e.Owner != "" && !r.req.NoOwner {
			roles[e.Owner] = true
		}
		if e.Tablespace != "" && !r.req.NoTablespaces {
			spaces[e.Tablespace] = true
		}
	}
	missing, err := r.server.Missing(ctx, postgres.Needs{Roles: sorted(roles), Tablespaces: sorted(spaces), Extensions: r.contents.Archive.Extensions()})
	if err != nil {
		return nil, err
	}
	remedyGlobals := "restore with --globals, which creates what is missing"
	return []Check{
		needCheck("roles", missing.Roles, remedyGlobals+", or with --no-owner", r.req.Globals),
		needCheck("tablespaces", missing.Tablespaces, remedyGlobals+", or with --no-tablespaces", r.req.Globals),
		needCheck("extensions", missing.Extensions, "install the packages that bring them (e.g. postgresql-contrib)", false),
	}, nil
}

func needCheck(name string, missing []string, remedy string, comes bool) Check {
	switch {
	case len(missing) == 0:
		return Check{name, true, "all there", ""}
	case comes:
		return Check{name, true, strings.Join(missing, ", ") + " will be created from the set's globals", ""}
	}
	return Check{name, false, "missing: " + strings.Join(missing, ", "), remedy}
}

// preflight refuses a restore that can't work, with everything that is wrong at once.
func (r *restoring) preflight(ctx context.Context) error {
	checks, err := r.checks(ctx)
	if err != nil {
		return err
	}
	var wrong, remedies []string
	for _, c := range checks {
		if !c.OK {
			wrong = append(wrong, c.Name+": "+c.Detail)
			remedies = append(remedies, c.Remedy)
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Refused, "restore: "+strings.Join(wrong, "; "), strings.Join(remedies, "; "), nil)
	}
	return nil
}

// compare counts the rows of every table and holds them against those counted in the dump.
func (r *restoring) compare(ctx context.Context) error {
	if r.contents == nil || r.contents.Archive == nil {
		r.note("rows were not compared: the set has no counts")
		return nil
	}
	r.meter.enter(StageCompare, 0)
	stop := r.meter.keepAlive()
	defer stop()
	tables := r.contents.Archive.Tables()
	counts, skip, err := r.count(ctx, tables)
	if err != nil {
		return err
	}
	for _, t := range tables {
		name := postgres.Table{Schema: t.Schema, Name: t.Name}
		if t.Rows < 0 || skip[name] {
			r.note(fmt.Sprintf("rows of %s.%s were not compared: the dump's count is not known, or the table is an extension's", t.Schema, t.Name))
			continue
		}
		r.result.Tables++
		r.result.Rows += counts[name]
		if counts[name] != t.Rows {
			r.result.Differences = append(r.result.Differences, RowMismatch{t.Schema, t.Name, t.Rows, counts[name]})
		}
	}
	if len(r.result.Differences) > 0 {
		d := r.result.Differences[0]
		return fault.New(fault.Integrity, fmt.Sprintf("restore: %d of %d tables differ from the dump, first %s.%s: %d rows restored, %d dumped",
			len(r.result.Differences), len(tables), d.Schema, d.Table, d.Got, d.Want), "do not use this copy; look for triggers or rules that change rows while loading", nil)
	}
	r.result.Compared = true
	return nil
}

// count is the rows of each table, and which tables' counts mean nothing.
func (r *restoring) count(ctx context.Context, tables []archive.Table) (counts map[postgres.Table]int64, skip map[postgres.Table]bool, err error) {
	names := make([]postgres.Table, len(tables))
	for i, t := range tables {
		names[i] = postgres.Table{Schema: t.Schema, Name: t.Name}
	}
	err = r.inTarget(ctx, func(s *postgres.Server) error {
		if skip, err = s.ExtensionTables(ctx); err != nil {
			return err
		}
		counts, err = s.RowCounts(ctx, names)
		return err
	})
	return counts, skip, err
}

func sorted(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// diskError gives a full disk its exit code.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.New(fault.NoSpace, "restore: the spool is full", "free space, or set spool_dir to a larger disk, or restore without --jobs, which needs none", err)
	}
	return err
}

// readerWith ends reading when the context does.
func readerWith(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
