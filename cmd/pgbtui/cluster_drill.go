package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/drill"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// `cluster drill`, and what drills have proven.

type jsonClusterDrill struct {
	Schema   int              `json:"schema"`
	Proof    jsonClusterProof `json:"proof"`
	Warnings []string         `json:"warnings,omitempty"`
}

func clusterProofJSON(p drill.Proof) jsonClusterProof {
	out := jsonClusterProof{
		Cluster: p.Cluster, OK: p.OK, Failure: printable.Text(p.Failure), FinishedAt: p.FinishedAt, Target: p.Target,
		Set: p.Set, Timeline: int64(p.Timeline), RTOSeconds: p.RTOSeconds, FilesSeconds: p.FilesSeconds,
		ClusterBytes: p.ClusterBytes, WALBytes: p.WALBytes,
	}
	if !p.Reached.Commit.IsZero() {
		out.Commit = &p.Reached.Commit
	}
	if !p.Reached.Next.IsZero() {
		out.Next = &p.Reached.Next
	}
	for _, one := range p.Databases {
		out.Databases = append(out.Databases, jsonDrilledDatabase{
			Name: one.Name.String(), Relations: int64(one.Relations), Tables: int64(one.Tables), Rows: one.Rows,
			Bytes: one.Bytes, Amcheck: one.Amcheck,
		})
	}
	for _, not := range p.NotProven {
		out.NotProven = append(out.NotProven, printable.Text(not))
	}
	return out
}

type clusterDrillOptions struct {
	*clusterCopyOptions
	program     *program
	to          string
	drill       drill.Options
	withAmcheck bool
}

func newClusterDrillCommand(p *program, copies *clusterCopyOptions) *cobra.Command {
	o := &clusterDrillOptions{clusterCopyOptions: copies, program: p}
	cmd := &cobra.Command{
		Use: "drill [CLUSTER]", Short: "Rehearse the recovery of a cluster to a moment, and throw the copy away",
		Long: `Restore a cluster to a random moment of its newest window, beside the live one as cluster restore does it;
prove that the moment was reached to the transaction, by the archived WAL itself; connect to every database, count
its relations and rows, and run pg_amcheck if drill.amcheck or --amcheck says so; and remove the copy again. How long it
took until the server answered at the moment is the measured recovery time. The proof is kept with the copies, and
noted beside the base backup where the engine keeps notes, as pgBackRest does.

Exit 65: the cluster does not recover as it should. Exit 3: drilled, with warnings. Exit 4, 66 or 73: it could not be
drilled, since nothing can be recovered, or the disk has no room; that says nothing of the backups. A copy that a killed
drill leaves is removed by cluster sweep.

Run it as root or as the owner of the server's files.`,
		Args: oneAtMost,
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster := ""
			if len(args) > 0 {
				cluster = args[0]
			}
			return asRun(clusterDrillRun, o.run(cmd.Context(), cluster))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "to this `time` with a zone, instead of a random one")
	flags.Uint64Var(&o.drill.Seed, "seed", 0, "`number` that the random moment is made from, to drill the same again")
	flags.StringVar(&o.drill.At, "at", "", "`folder` for the files; without it, drill.at of the configuration")
	flags.BoolVar(&o.withAmcheck, "amcheck", false, "run pg_amcheck over every database of the copy")
	return cmd
}

func (o *clusterDrillOptions) run(ctx context.Context, cluster string) (err error) {
	if o.to != "" && o.drill.Seed != 0 {
		return usageText("--to and --seed: give one of the two")
	}
	if o.to != "" {
		if o.drill.To, err = beside.ParseTime(o.to); err != nil {
			return err
		}
	}
	e, err := o.engine(ctx, cluster)
	if err != nil {
		return err
	}
	o.drill.Dir, o.drill.Now = o.copies, o.now
	o.drill.At = cmp.Or(o.drill.At, e.Cluster.Drill.At)
	o.drill.Amcheck = o.withAmcheck || e.Cluster.Drill.Amcheck
	o.drill.Tell = func(line string) { o.notef("%s", printable.Text(line)) }
	drilled, err := drill.Run(ctx, e, o.drill)
	if err != nil {
		if o.json && drilled.Proof.Failure != "" {
			if err := o.print(drilled); err != nil {
				return err
			}
			return exitWith(fault.CodeOf(err))
		}
		return err
	}
	o.log(ctx, drilled)
	if err := o.print(drilled); err != nil {
		return err
	}
	if len(drilled.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

// log writes what was proven into the journal, of a run that systemd started.
func (o *clusterDrillOptions) log(ctx context.Context, d drill.Drilled) {
	if !o.program.inJournal() {
		return
	}
	to := o.program.logs.logger(slog.LevelInfo)
	known := drill.Known{Proven: &d.Proof}
	to.InfoContext(ctx, "cluster "+d.Proof.Cluster+" "+known.Text(), event.Attr(event.ClusterDrilled),
		slog.String("cluster", d.Proof.Cluster), slog.String("set", d.Proof.Set),
		slog.Time("target", d.Proof.Target), slog.Float64("rto_seconds", d.Proof.RTOSeconds))
	for _, warning := range d.Warnings {
		to.WarnContext(ctx, warning, event.Attr(event.Warning), slog.String("cluster", d.Proof.Cluster))
	}
}

func (o *clusterDrillOptions) print(d drill.Drilled) error {
	document := jsonClusterDrill{Schema: jsonSchema, Proof: clusterProofJSON(d.Proof)}
	for _, warning := range d.Warnings {
		document.Warnings = append(document.Warnings, printable.Text(warning))
	}
	if o.json {
		return o.printJSON(document)
	}
	p := document.Proof
	o.sayf("cluster %s recovers to %s, from base backup %s along timeline %d\n", p.Cluster,
		p.Target.Format(time.RFC3339Nano), p.Set, p.Timeline)
	if p.Commit != nil && p.Next != nil {
		o.sayf("  the last transaction in the copy ended at %s, the next one at %s\n", p.Commit.Format(time.RFC3339Nano),
			p.Next.Format(time.RFC3339Nano))
	}
	o.sayf("  in %s: %s of files in %s, %s of WAL\n", readable.Took(d.Proof.RTO()), readable.Size(p.ClusterBytes),
		readable.Took(time.Duration(p.FilesSeconds*float64(time.Second))), readable.Size(p.WALBytes))
	for _, one := range p.Databases {
		o.sayf("  database %s: %d relations, %d tables with %d rows", one.Name, one.Relations, one.Tables, one.Rows)
		if one.Amcheck != "" {
			o.sayf(", pg_amcheck: %s", one.Amcheck)
		}
		o.sayf("\n")
	}
	for _, not := range p.NotProven {
		o.sayf("  does not prove %s\n", not)
	}
	for _, warning := range document.Warnings {
		o.sayf("  warning: %s\n", warning)
	}
	return nil
}

// fillProof adds what drills have proven, and what is wrong with that.
func fillProof(out *jsonCluster, c config.Cluster, s pitr.State) {
	known, err := drill.Read("", c.Name)
	problems := known.Judge(c, s.At)
	if err != nil {
		problems = []pitr.Problem{drill.Unreadable(err)}
	}
	if known.Proven == nil {
		if noted, ok := drill.Noted(s.Held.Backups); ok {
			noted.Cluster, noted.Engine = c.Name, string(c.Engine)
			known.Proven = &noted
		}
	}
	if known.Proven != nil {
		proof := clusterProofJSON(*known.Proven)
		out.Proof = &proof
		out.Summary += "; " + known.Text()
	}
	for _, p := range problems {
		out.OK = false
		out.Problems = append(out.Problems, jsonClusterProblem{Kind: string(p.Kind), What: p.What, Remedy: p.Remedy})
	}
}
