package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// `cluster restore --request ID`, the unit's way: what is wanted of a cluster or of a copy comes from a file of the
// operators' group, and what came of it goes into a file beside it. The journal has it all the same. Only --at is taken
// from the unit: a request names no folder.

func (o *clusterRestoreOptions) runRequest(ctx context.Context) error {
	asked, err := request.TakeCluster(request.DefaultDir, o.request)
	if err != nil {
		return err
	}
	answer := request.ClusterAnswer{Request: asked}
	_ = request.WriteClusterAnswer(request.DefaultDir, o.request, answer) // the one that counts is the last
	err = o.carryOut(ctx, asked, &answer)
	answer.End(err)
	told := request.WriteClusterAnswer(request.DefaultDir, o.request, answer)
	if asked.Verb.Reads() {
		return told // what was found is the answer, not a failure of the unit: nobody is to be alerted
	}
	if told != nil {
		o.logs.logger(slog.LevelInfo).WarnContext(ctx, "the result for the operator could not be written: "+told.Error())
	}
	return err
}

// carryOut does what is asked for.
func (o *clusterRestoreOptions) carryOut(
	ctx context.Context, asked request.Cluster, answer *request.ClusterAnswer,
) error {
	if !asked.Verb.Reads() {
		target := asked.Copy
		if asked.Verb == request.RestoreBeside {
			target = asked.Cluster
		}
		if asked.Into != "" {
			target += " into " + asked.Into
		}
		o.logs.audit(ctx, requester(asked.Owner, asked.By), journal.Action{
			What: "cluster " + string(asked.Verb), Target: target, Run: o.env.getenv("INVOCATION_ID"),
		})
	}
	switch asked.Verb {
	case request.RestoreBeside, request.CheckBeside:
		return o.restoreRequested(ctx, asked, answer)
	case request.Look:
		return o.lookRequested(ctx, asked, answer)
	case request.Extract:
		return o.extractRequested(ctx, asked, answer)
	case request.Start, request.Stop, request.Promote, request.Keep, request.Discard:
	}
	if err := o.changeCopy(ctx, asked); err != nil {
		return err
	}
	o.changed(ctx, asked, string(asked.Verb)+": done with copy "+asked.Copy)
	if asked.Verb == request.Discard {
		return nil
	}
	return o.describe(asked.Copy, answer)
}

// changed notes in the journal what became of a copy.
func (o *clusterCopyOptions) changed(ctx context.Context, asked request.Cluster, text string) {
	o.logs.logger(slog.LevelInfo).LogAttrs(ctx, slog.LevelInfo, text, event.Attr(event.ClusterCopyChanged),
		slog.String("copy", asked.Copy), slog.String("verb", string(asked.Verb)))
}

// describe puts a copy as it is now into the answer.
func (o *clusterCopyOptions) describe(id string, answer *request.ClusterAnswer) error {
	c, err := beside.Find(o.copies, id)
	if err != nil {
		return err
	}
	answer.Copy = c
	answer.Psql = c.PsqlLine("postgres")
	answer.Running = c.Running()
	return nil
}

func (o *clusterRestoreOptions) restoreRequested(
	ctx context.Context, asked request.Cluster, answer *request.ClusterAnswer,
) error {
	e, err := o.engine(ctx, asked.Cluster)
	if err != nil {
		return err
	}
	order := beside.Order{
		Target: asked.Target, Timeline: asked.Timeline, Dir: o.copies, At: o.order.At,
		TTL: time.Duration(asked.KeepSeconds) * time.Second,
	}
	plan, err := beside.Prepare(ctx, e, order, nil)
	if err != nil {
		return err
	}
	answer.Plan = &plan
	if asked.Verb == request.CheckBeside {
		return nil
	}
	log := o.logs.logger(slog.LevelInfo)
	log.LogAttrs(ctx, slog.LevelInfo,
		fmt.Sprintf("restoring cluster %s to %s beside the live one, from base backup %s", asked.Cluster, asked.Target,
			plan.Set),
		event.Attr(event.ClusterRestoreStarted), slog.String("cluster", asked.Cluster), slog.String("set", plan.Set),
		slog.String("target", asked.Target.String()))
	follower := &clusterFollower{
		notify: systemd.NotifierFrom(o.env.getenv, os.Getpid()), from: plan.Backup, to: plan.LastKnown,
	}
	if !asked.Target.Time.IsZero() {
		follower.to = asked.Target.Time
	}
	follower.notify.Status("restore: files of base backup " + plan.Set)
	order.Tell = func(line string) { log.InfoContext(ctx, printable.Text(line)) }
	order.Watch = follower.see
	began := time.Now()
	made, plan, err := beside.Restore(ctx, e, order, nil)
	if err != nil {
		return err
	}
	answer.Plan = &plan
	log.LogAttrs(ctx, slog.LevelInfo,
		fmt.Sprintf("cluster %s is restored to %s as copy %s, in %s", asked.Cluster, asked.Target, made.ID,
			readable.Took(time.Since(began))),
		event.Attr(event.ClusterRestoreOK), slog.String("cluster", asked.Cluster), slog.String("copy", made.ID),
		slog.String("set", plan.Set), slog.String("target", asked.Target.String()),
		slog.Time("last_commit", made.Reached.Commit))
	return o.describe(made.ID, answer)
}

// clusterFollower tells systemd how far a copy has replayed, which the console reads there.
type clusterFollower struct {
	notify   *systemd.Notifier
	from, to time.Time // what is replayed
	told     time.Time
}

func (f *clusterFollower) see(seen beside.Seen) {
	if time.Since(f.told) < time.Second {
		return
	}
	f.told = time.Now()
	f.notify.Status(f.status(seen))
}

// status is such as backup.ParseStatus reads.
func (f *clusterFollower) status(seen beside.Seen) string {
	text := "restore: replay"
	if whole := f.to.Sub(f.from); whole > 0 && !seen.Commit.IsZero() {
		done := min(max(0, seen.Commit.Sub(f.from)), whole)
		text += fmt.Sprintf(" %d%%", min(99, int64(done*100/whole)))
	}
	text += ", position " + seen.LSN.String()
	if !seen.Commit.IsZero() {
		text += ", " + seen.Commit.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return text
}

func (o *clusterRestoreOptions) lookRequested(
	ctx context.Context, asked request.Cluster, answer *request.ClusterAnswer,
) error {
	c, err := o.find(asked.Copy)
	if err != nil {
		return err
	}
	look, err := c.Look(ctx, beside.LookOptions{Database: asked.Database, Amcheck: asked.Amcheck})
	if err != nil {
		return err
	}
	answer.Look = &look
	return o.describe(asked.Copy, answer)
}

func (o *clusterRestoreOptions) extractRequested(
	ctx context.Context, asked request.Cluster, answer *request.ClusterAnswer,
) error {
	log := o.logs.logger(slog.LevelInfo)
	done, err := o.extractHere(ctx, asked.Copy, beside.Extract{
		Database: asked.Database, Into: asked.Into, Table: postgres.Table{Schema: asked.Schema, Name: asked.Table},
		Tell: func(line string) { log.InfoContext(ctx, printable.Text(line)) },
	})
	if err != nil {
		return err
	}
	answer.Extracted = &done
	o.changed(ctx, asked, fmt.Sprintf("%d tables with %d rows of copy %s are in database %s now", done.Tables, done.Rows,
		asked.Copy, printable.Text(done.Into)))
	return o.describe(asked.Copy, answer)
}
