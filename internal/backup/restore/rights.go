package restore

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Whose rights a restore gives away. It runs as a superuser as a rule, and what it creates may be code that
// runs with its owner's rights (SECURITY DEFINER).
//
// Rules: a superuser's restore without owners belongs to a role that may do nothing, and nobody may execute
// its routines or connect to it before somebody grants that. Nobody but superusers gets into a new database
// before everything in it has its owner. What is restored for an operator gives no role rights over the
// server, and takes another host's word only when it is signed.

// checkRights is the preflight's part about that.
func (r *restoring) checkRights(ctx context.Context) (checks []Check, err error) {
	r.rights.closed = r.target.place.Superuser && !r.req.DataOnly
	if r.req.NoOwner && r.rights.closed {
		owner, err := r.checkNobody(ctx)
		if err != nil {
			return nil, err
		}
		checks = append(checks, owner)
	}
	if !r.req.ForOperator {
		return checks, nil
	}
	mapped, err := r.checkMapped(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range []*Check{r.checkStranger(), r.checkOwnNames(), mapped} {
		if c != nil {
			checks = append(checks, *c)
		}
	}
	return checks, nil
}

// checkNobody settles who is to own what comes without its owners.
func (r *restoring) checkNobody(ctx context.Context) (Check, error) {
	there, err := r.target.server.Nobody(ctx)
	switch {
	case fault.CodeOf(err) == fault.Refused:
		return failsWith("owner", err), nil
	case err != nil:
		return Check{}, err
	}
	r.rights.owner, r.rights.ownerThere = postgres.NobodyRole, there
	return passes("owner",
		"everything will belong to role "+r.rights.owner+", which may do nothing; nobody else may "+
			"connect or execute anything "+
			"before you grant it"), nil
}

// byHand is the remedy for what only a superuser may want, as the end of a sentence, and remedyByHand as one.
const (
	byHand       = "have it" + bySuperuser
	remedyByHand = "Have it" + bySuperuser
	bySuperuser  = " restored on the command line by somebody who may: `sudo -u postgres -g pgbtui pgbtui restore …`."
)

// checkStranger: whoever holds the key of another host's folder writes the code that a restore runs.
func (r *restoring) checkStranger() *Check {
	if r.source.set.Kind != backup.KindNative || r.source.set.Instance == r.job.Instance ||
		r.source.set.Signature == backup.SignatureGood {
		return nil
	}
	c := fails("source",
		fmt.Sprintf("a set of another instance, %q, that no trusted key signed: a request brings back this host's own "+
			"sets (%q), or signed ones",
			r.source.set.Instance, r.job.Instance),
		remedyByHand)
	return &c
}

// besideTail ends the names that replacements give.
var besideTail = regexp.MustCompile(`_(` + kept.Before + `|` + kept.Undone + `)_\d{8}T\d{6}Z$|_(` + kept.Restoring +
	`|` + kept.Restored + `)_[0-9a-f]{6}$`)

// checkOwnNames: an undo would take such a database for what was live before.
func (r *restoring) checkOwnNames() *Check {
	switch {
	case r.req.Replace != "":
		return nil
	case reserved[r.req.To]:
		c := fails("target", fmt.Sprintf("database %q is the server's own", r.req.To), "Name another database.")
		return &c
	case !r.req.DataOnly && besideTail.MatchString(r.req.To):
		c := fails("target", fmt.Sprintf("%q is a name that replacing gives to a database that it keeps", r.req.To),
			"Choose another name.")
		return &c
	}
	return nil
}

// checkMapped: functions of a role that is mapped run with the rights of the other.
func (r *restoring) checkMapped(ctx context.Context) (*Check, error) {
	if len(r.req.Roles) == 0 || r.req.DataOnly {
		return nil, nil
	}
	powers, err := r.target.server.Powers(ctx, slices.Sorted(maps.Values(r.req.Roles)))
	if err != nil {
		return nil, err
	}
	if len(powers) > 0 {
		c := fails("roles", backup.InLine(powers, "; ",
			func(p postgres.Power) string { return fmt.Sprintf("%q %s", p.Role, p.Why) })+
			": a request maps no role to one with rights over the server, with which its functions would then run",
			"Map to an ordinary role, or "+byHand)
		return &c, nil
	}
	return nil, nil
}

// checkServerGrants: with rights on PostgreSQL's own functions, such as pg_read_file, a mapping would give
// rights over the server away.
func (r *restoring) checkServerGrants() []Check {
	if !r.req.ForOperator || len(r.req.Roles) == 0 || r.req.DataOnly {
		return nil
	}
	if !r.source.listed() {
		return []Check{
			fails("mapping", "what the set grants is not known before it is restored", "Restore without --role, or "+byHand),
		}
	}
	if r.source.grantsOnServer() {
		return []Check{
			fails("mapping", "the set grants rights on PostgreSQL's own functions, and a request gives them to no other role",
				"Restore without --role, or "+byHand),
		}
	}
	return nil
}

// withhold leaves nothing of a restore without owners for everybody to execute.
func (r *restoring) withhold(ctx context.Context) error {
	if !r.req.NoOwner {
		return nil
	}
	owner := r.rights.owner
	if owner == "" {
		owner = r.target.place.Role
	}
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error { return s.Withhold(ctx, owner) })
}

// letIn opens the new database to others than superusers.
func (r *restoring) letIn(ctx context.Context) error {
	if r.result.leftOut() > 0 && r.rights.closed {
		r.result.note(fmt.Sprintf(
			"only superusers may connect to %q: what could not be restored may "+
				"have kept others out; when you have looked, "+
				"ALTER DATABASE %s CONNECTION LIMIT -1", r.req.To, postgres.QuoteIdent(r.req.To)))
		return nil
	}
	if !r.rights.closed {
		return nil
	}
	limit := -1
	if s := r.settings(); s != nil {
		limit = s.ConnLimit
	}
	return r.target.server.LetIn(ctx, r.req.To, limit)
}
