package restore

import (
	"context"
	"slices"
	"strings"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Check is one line of a preflight: what was looked at, whether it is fine, what to do if not.
type Check struct {
	Name   string `json:"name"` // "target", "tools", "roles", …
	OK     bool   `json:"ok"`
	Warn   bool   `json:"warn,omitempty"` // nothing that stops, but a person should know it
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`

	code fault.Code // what it means when nothing else is wrong; 0 is Refused
}

func passes(name, detail string) Check { return Check{Name: name, OK: true, Detail: detail} }
func warns(name, detail, remedy string) Check {
	return Check{Name: name, OK: true, Warn: true, Detail: detail, Remedy: remedy, code: fault.OK}
}

func fails(name, detail, remedy string) Check {
	return Check{Name: name, OK: false, Warn: false, Detail: detail, Remedy: remedy, code: fault.OK}
}

// failsWith keeps the code of an error that may go away by itself.
func failsWith(name string, err error) Check {
	return Check{Name: name, Detail: err.Error(), Remedy: fault.Remedy(err), code: fault.CodeOf(err)}
}

// refusal is everything that is wrong at once, or nil. A single fault keeps its own code: room
// and locks can come by themselves.
func refusal(action string, checks []Check) error {
	var wrong, remedies []string
	code := fault.Refused
	for _, c := range checks {
		if !c.OK {
			wrong = append(wrong, c.Name+": "+c.Detail)
			remedies = append(remedies, c.Remedy)
			code = c.code
		}
	}
	switch {
	case len(wrong) == 0:
		return nil
	case len(wrong) > 1, code == fault.OK:
		code = fault.Refused
	}
	return fault.New(code, action+": "+strings.Join(wrong, "; "), strings.Join(present(remedies...), " "), nil)
}

// Preflight looks at everything that can be known before a restore starts, and changes nothing.
// The console shows it; the unit runs the same again and decides by it. The portion is what a restore
// of a part would bring; nil for a whole set, and where the checks did not come so far.
func Preflight(
	ctx context.Context, job config.Job, env backup.Env, set *backup.Set, req Request, identities []age.Identity,
) ([]Check, *Portion, error) {
	r := newRestoring(job, env, set, req, identities)
	r.looking = true
	if err := r.req.check(); err != nil {
		return nil, nil, err
	}
	if err := r.target.connect(ctx); err != nil {
		return nil, nil, err
	}
	defer r.target.close(ctx)
	checks, err := r.checks(ctx)
	if err != nil || r.part == nil {
		return checks, nil, err
	}
	return checks, &r.part.portion, nil
}

// preflight refuses a restore that can't work. What it only warns of is logged, and noted with the
// result where there is something to be done about it.
func (r *restoring) preflight(ctx context.Context) error {
	checks, err := r.checks(ctx)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if !c.Warn {
			continue
		}
		r.log.InfoContext(ctx, "preflight: "+c.Name+": "+c.Detail)
		if c.Remedy != "" {
			r.result.note(c.Name + ": " + c.Detail + "; " + c.Remedy)
		}
	}
	return refusal("restore", checks)
}

func (r *restoring) checks(ctx context.Context) ([]Check, error) {
	if r.tenancy != nil {
		return r.tenantChecks(ctx)
	}
	checks, err := asked(ctx, r.checkSource, r.checkServer, r.checkRights, r.checkTools, r.checkCode, r.checkTarget)
	if err != nil {
		return nil, err
	}
	r.failing = slices.ContainsFunc(checks, func(c Check) bool { return !c.OK })
	more, err := asked(ctx,
		r.checkContents, r.checkSessions, r.checkSpool, r.checkOutside,
		r.checkReplacing, r.checkSpace, r.checkTime, r.tellStatistics)
	if err != nil {
		return nil, err
	}
	return append(checks, more...), nil
}

// asked looks in this order; later ones use what earlier ones found. An error says nothing of the
// set or the target: somebody could not be asked.
func asked(ctx context.Context, looks ...func(context.Context) ([]Check, error)) (checks []Check, err error) {
	for _, look := range looks {
		found, err := look(ctx)
		if err != nil {
			return nil, err
		}
		checks = append(checks, found...)
	}
	return checks, nil
}
