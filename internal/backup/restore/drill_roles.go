package restore

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What a drill does to its server before the restore.

// prepare looks at the server and decides what of the set is restored there.
func (d *drilling) prepare(ctx context.Context) error {
	facts, err := d.target.server.Facts(ctx)
	if err != nil {
		return err
	}
	d.facts.Server = facts.Version
	if err := d.source.readContents(ctx, d.env); err != nil {
		return err
	}
	d.learnMajors(ctx)
	if !d.facts.Private {
		if err := d.claim(ctx); err != nil {
			return err
		}
	}
	if err := d.choose(ctx); err != nil {
		return err
	}
	checks, err := asked(ctx, d.checkServer, d.checkTools, d.checkTarget, d.checkContents, d.checkSessions,
		d.checkSpace, d.checkAmcheck)
	if err != nil {
		return err
	}
	d.harmless()
	d.tellMemory(ctx)
	return refusal("drill", checks)
}

// choose how far owners and grants can be restored. A private server gets the set's roles; what
// is missing in a named one would have to be created there, and that is not a drill's to do.
func (d *drilling) choose(ctx context.Context) error {
	if !d.source.listed() {
		d.withoutOwners("the set does not say which roles it needs")
		return nil
	}
	if d.facts.Private {
		d.req.Globals = true
		return nil
	}
	missing, err := d.missingRoles(ctx)
	if err != nil {
		return err
	}
	strangers, err := d.strangers(ctx)
	switch {
	case len(missing) > 0:
		d.withoutOwners("the drill's server has no role " + strings.Join(missing, ", "))
	case len(strangers) > 0:
		d.withoutOwners("the drill's role may not give anything to " + strings.Join(strangers, ", "))
	}
	return err
}

func (d *drilling) withoutOwners(why string) {
	d.req.NoOwner = true
	d.doesNotProve("owners and grants: " + why)
}

func (d *drilling) missingRoles(ctx context.Context) ([]string, error) {
	roles, _, _ := d.needs()
	missing, err := d.target.server.Missing(ctx, postgres.Needs{Roles: sorted(roles)})
	return missing.Roles, err
}

// harmless leaves away settings of the database that would keep a drill from using or dropping it.
func (d *drilling) harmless() {
	if d.source.contents == nil || d.source.contents.Database == nil {
		return
	}
	settings := *d.source.contents.Database
	settings.ConnLimit, settings.IsTemplate = -1, false
	if !d.facts.Private {
		settings.Owner = "" // ours, so that it can be dropped
	}
	d.source.contents.Database = &settings
}

// roles creates the set's roles in a private server. Those that it refers to and does not have get
// stand-ins, since what is wrong with them shows nothing about the rest.
func (d *drilling) roles(ctx context.Context) error {
	if !d.req.Globals {
		return nil
	}
	d.meter.Enter(backup.StageGlobals, 0)
	if err := d.applyRoles(ctx); err != nil {
		return err
	}
	missing, err := d.missingRoles(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	d.doesNotProve("that these roles can be restored, the set's globals lack them: " + strings.Join(missing, ", "))
	return d.target.server.StandIn(ctx, missing)
}

func (d *drilling) applyRoles(ctx context.Context) error {
	if d.source.set.Manifest == nil || d.source.set.Manifest.Globals == nil {
		d.warn("the set has no globals: roles have to come from elsewhere when it is restored")
		return nil
	}
	script, err := stored.Small(ctx, d.env, d.source.set, d.source.set.Manifest.Globals, d.source.identities)
	if err != nil {
		return err
	}
	report, err := postgres.ApplyRoles(ctx, d.target.server, bytes.NewReader(script))
	if err != nil && len(report.Failed) == 0 {
		return err
	}
	for _, failed := range report.Failed {
		d.warn(fmt.Sprintf("of the globals, PostgreSQL %s refuses: %s", d.facts.Server, failed))
	}
	return nil
}
