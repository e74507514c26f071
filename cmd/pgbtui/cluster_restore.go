package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonClusterRestore struct {
	Schema int              `json:"schema"`
	Plan   jsonClusterPlan  `json:"plan"`
	Copy   *jsonClusterCopy `json:"copy,omitempty"`
	Around []jsonWALEnd     `json:"around,omitempty"`
}

type jsonClusterPlan struct {
	Target     string    `json:"target"`
	Set        string    `json:"set"`
	BackupAt   time.Time `json:"backupAt"`
	Timeline   int64     `json:"timeline"`
	LastCommit time.Time `json:"lastCommitAt"`
	SizeBytes  int64     `json:"sizeBytes"`
	FreeBytes  int64     `json:"freeBytes"`
	Libraries  []string  `json:"libraries,omitempty"`
	LeftOut    []string  `json:"leftOut,omitempty"`
	Notes      []string  `json:"notes,omitempty"`
}

// jsonWALEnd is what ended near the target.
type jsonWALEnd struct {
	Kind string     `json:"kind"`
	LSN  string     `json:"lsn"`
	XID  int64      `json:"xid,omitempty"`
	At   *time.Time `json:"at,omitempty"`
	Name string     `json:"name,omitempty"`
}

type clusterRestoreOptions struct {
	*clusterCopyOptions
	to, lsn, name string
	xid           uint32
	end, check    bool
	request       string // the ID of a request; then all else comes from its file
	order         beside.Order
}

func newClusterRestoreCommand(copies *clusterCopyOptions) *cobra.Command {
	o := &clusterRestoreOptions{clusterCopyOptions: copies}
	cmd := &cobra.Command{
		Use:   "restore [CLUSTER] --to TIME",
		Short: "Restore a cluster to a moment, beside the live one",
		Long: `Restore a cluster to a moment, beside the live one, into a folder of its own: files from the newest base
backup before, then WAL up to the moment, where recovery pauses. The live cluster, its archive and its stanza are not
touched. The copy listens on a socket in its own folder only, archives nothing, has no subscriptions, and loads no
library that runs jobs. It is removed after its time (--ttl); a warning comes a day before.

What PostgreSQL would start for and then end at is refused first: a moment after the last archived commit, one before
the oldest base backup, one to which a segment of WAL is missing, a transaction or a restore point that the archive
does not have, a disk without room.
With --check nothing is restored.

A copy that stops inside of a transaction which has locked a table, such as the DROP TABLE before whose commit it
stands, is promoted at once: until then nobody could read that table.

Run it as root or as the owner of the server's files; or with --by-unit as an operator.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.request != "" {
				if err := noArgs(cmd, args); err != nil {
					return err
				}
				return asRun(clusterRun, o.runRequest(cmd.Context()))
			}
			cluster := ""
			if len(args) > 0 {
				cluster = args[0]
			}
			return o.run(cmd.Context(), cluster)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "`time` with a zone, such as \"2026-11-28 14:31:59+01:00\"")
	flags.StringVar(&o.lsn, "to-lsn", "", "`position` in the WAL, such as 16/B374D848")
	flags.StringVar(&o.name, "to-name", "", "`name` of a restore point, as pg_create_restore_point made it")
	flags.Uint32Var(&o.xid, "before-xid", 0, "the moment before this `transaction` was committed")
	flags.BoolVar(&o.end, "to-end", false, "up to the last commit in the archive")
	flags.Uint32Var(&o.order.Timeline, "timeline", 0, "along this `timeline`; without it, the newest in the archive")
	flags.StringVar(&o.order.At, "at", "", "`folder` for the files, on a disk with room; without it, that of the copies")
	flags.DurationVar(&o.order.TTL, "ttl", beside.DefaultTTL, "`time` after which the copy is removed")
	flags.BoolVar(&o.check, "check", false, "only show how the moment is reached, and whether it can be")
	flags.StringVar(&o.request, "request", "", "carry out a request file: for postgres-pitr@.service")
	return cmd
}

func (o *clusterRestoreOptions) target() (target beside.Target, err error) {
	target = beside.Target{Name: o.name, XID: o.xid, End: o.end}
	if o.to != "" {
		if target.Time, err = beside.ParseTime(o.to); err != nil {
			return target, err
		}
	}
	if o.lsn != "" {
		if target.LSN, err = wal.ParseLSN(o.lsn); err != nil {
			return target, fault.New(fault.Usage, "--to-lsn", "Give it as pg_current_wal_lsn() prints it.", err)
		}
	}
	return target, target.Check()
}

func (o *clusterRestoreOptions) run(ctx context.Context, cluster string) (err error) {
	if o.order.Target, err = o.target(); err != nil {
		return err
	}
	if o.order.TTL < time.Hour || o.order.TTL > 365*24*time.Hour {
		return usageText("--ttl is from 1h to a year")
	}
	if o.byUnit {
		return o.restoreByUnit(ctx, cluster)
	}
	e, err := o.engine(ctx, cluster)
	if err != nil {
		return err
	}
	o.order.Dir = o.copies
	o.order.Tell = func(line string) { o.notef("%s", printable.Text(line)) }
	if o.check {
		plan, err := beside.Prepare(ctx, e, o.order, nil)
		if err != nil {
			return err
		}
		return o.print(plan, nil)
	}
	made, plan, err := beside.Restore(ctx, e, o.order, nil)
	if err != nil {
		return err
	}
	document := clusterCopyJSON(made)
	return o.print(plan, &document)
}

func (o *clusterRestoreOptions) print(plan beside.Plan, made *jsonClusterCopy) error {
	document := jsonClusterRestore{Schema: jsonSchema, Plan: jsonClusterPlan{
		Target: plan.Target.String(), Set: plan.Set, BackupAt: plan.Backup, Timeline: int64(plan.Timeline),
		LastCommit: plan.LastKnown, SizeBytes: plan.SizeBytes, FreeBytes: plan.FreeBytes, Libraries: plan.Libraries,
		LeftOut: plan.LeftOut, Notes: plan.Notes,
	}}
	for _, record := range plan.Around {
		one := jsonWALEnd{
			Kind: string(record.Kind), LSN: record.LSN.String(), XID: int64(record.XID), Name: printable.Text(record.Name),
		}
		if !record.Time.IsZero() {
			one.At = &record.Time
		}
		document.Around = append(document.Around, one)
	}
	document.Copy = made
	if o.json {
		return o.printJSON(document)
	}
	o.sayPlan(document)
	return nil
}

func (o *clusterRestoreOptions) sayPlan(d jsonClusterRestore) {
	p := d.Plan
	o.sayf("target %s, from base backup %s of %s along timeline %d\n", printable.Text(p.Target), p.Set,
		p.BackupAt.Format(time.RFC3339), p.Timeline)
	o.sayf("last commit in the archive: %s\n", p.LastCommit.Format(time.RFC3339Nano))
	o.sayf("needs %s, %s are free\n", readable.Size(p.SizeBytes), readable.Size(p.FreeBytes))
	for _, library := range p.LeftOut {
		o.sayf("not loaded, since it runs jobs: %s\n", printable.Text(library))
	}
	for _, note := range p.Notes {
		o.sayf("note: %s\n", printable.Text(note))
	}
	for _, one := range d.Around {
		switch {
		case one.At != nil:
			o.sayf("  %s %s of transaction %s at %s\n", one.LSN, one.Kind, strconv.FormatInt(one.XID, 10),
				one.At.Format(time.RFC3339Nano))
		default:
			o.sayf("  %s %s %s\n", one.LSN, one.Kind, one.Name)
		}
	}
	if d.Copy == nil {
		return
	}
	c := d.Copy
	o.sayf("copy %s is %s in %s\n", c.ID, c.Phase, c.Folder)
	if c.Commit != nil {
		o.sayf("last transaction in it: %s (%s)\n", c.Commit.Format(time.RFC3339Nano), c.Stopped)
	}
	o.sayf("look:    %s\n", c.Psql)
	as, way := "sudo ", ""
	if o.byUnit {
		as, way = "", " --by-unit"
	}
	o.sayf("extract: %spgbtui cluster extract %s%s --database DB --table SCHEMA.TABLE --into DB --confirm DB\n",
		as, c.ID, way)
	o.sayf("discard: %spgbtui cluster discard %s%s; it is removed at %s\n",
		as, c.ID, way, c.ExpiresAt.Format(time.RFC3339))
}
