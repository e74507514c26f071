package main

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// `cluster … --by-unit`: an operator without root writes down what is wanted, starts postgres-pitr@ID.service, and
// waits for its answer. Whoever stops waiting stops nothing: the unit goes on.

// ask lets the unit carry a request out.
func (o *clusterCopyOptions) ask(ctx context.Context, wish request.Cluster) (answer request.ClusterAnswer, err error) {
	id := backup.NewID(o.now())
	if wish.Verb.Reads() {
		id = request.NewCheckID(id)
	}
	unit, err := systemd.PITRService(id)
	if err != nil {
		return answer, err
	}
	who := journal.Session{}.CurrentOperator()
	wish.By, wish.At = who.Login, o.now().UTC()
	if err := request.WriteCluster(request.DefaultDir, id, wish); err != nil {
		return answer, err
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		request.Remove(request.DefaultDir, id)
		return answer, err
	}
	defer func() { _ = bus.Close() }()
	run, err := bus.Start(ctx, unit)
	if err != nil {
		request.Remove(request.DefaultDir, id)
		return answer, err
	}
	if !wish.Verb.Reads() {
		o.logs.audit(ctx, who, journal.Action{
			What: "cluster " + string(wish.Verb), Target: wish.Cluster + wish.Copy, Run: run.InvocationID,
		})
	}
	_, end, err := bus.Wait(ctx, run, o.following())
	if ctx.Err() != nil {
		o.notef("%s goes on; `journalctl -f -u %s` follows it, `systemctl stop %s` ends it", unit, unit, unit)
		return answer, err
	}
	if err != nil {
		return answer, err
	}
	return clusterAnswer(id, unit, end)
}

// clusterAnswer is what the unit said, which is then removed: its journal has it.
func clusterAnswer(id, unit string, end systemd.Outcome) (request.ClusterAnswer, error) {
	answer, err := request.ReadClusterAnswer(request.DefaultDir, id)
	request.Remove(request.DefaultDir, id)
	if err != nil || !answer.Over {
		return answer, fault.New(fault.Failed, unit+" ended without an answer ("+end.Reason+")",
			"`journalctl -u "+unit+"` says why.", err)
	}
	return answer, answer.Err()
}

// lacksAnswer is for a unit whose program answers otherwise than this one expects.
func lacksAnswer() error {
	return fault.New(fault.Failed, "the unit's answer lacks what was asked for",
		"Run `sudo pgbtui units install`: the unit may run another version of pgbtui. Its journal says what it did.", nil)
}

// following tells what the unit says of itself, as it changes.
func (o *clusterCopyOptions) following() func(systemd.UnitState) {
	told := ""
	var at time.Time
	return func(u systemd.UnitState) {
		if text := u.Service.StatusText; text != told && text != "" && time.Since(at) >= 2*time.Second {
			told, at = text, time.Now()
			o.notef("%s", text)
		}
	}
}

// restoreByUnit asks for a copy, or whether one can be made.
func (o *clusterRestoreOptions) restoreByUnit(ctx context.Context, cluster string) error {
	if o.order.At != "" {
		return usageText("--at cannot be used with --by-unit: the unit's drop-in says where the files go")
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	of, err := c.Cluster(cluster)
	if err != nil {
		return err
	}
	wish := request.Cluster{
		Verb: request.RestoreBeside, Cluster: of.Name, Target: o.order.Target, Timeline: o.order.Timeline,
		KeepSeconds: int64(o.order.TTL.Seconds()),
	}
	if o.check {
		wish.Verb, wish.KeepSeconds = request.CheckBeside, 0
	}
	answer, err := o.ask(ctx, wish)
	if err != nil {
		return err
	}
	if answer.Plan == nil || !o.check && answer.Copy == nil {
		return lacksAnswer()
	}
	if o.check {
		return o.print(*answer.Plan, nil)
	}
	made := answeredCopy(answer)
	return o.print(*answer.Plan, &made)
}

// answeredCopy is the copy that the unit has described.
func answeredCopy(a request.ClusterAnswer) jsonClusterCopy {
	one := clusterCopyJSON(a.Copy)
	one.Psql, one.Running = a.Psql, &a.Running
	return one
}

func (o *clusterCopyOptions) lookByUnit(ctx context.Context, id string, how beside.LookOptions) error {
	answer, err := o.ask(ctx, request.Cluster{
		Verb: request.Look, Copy: id, Database: how.Database, Amcheck: how.Amcheck,
	})
	if err != nil {
		return err
	}
	if answer.Look == nil || answer.Copy == nil {
		return lacksAnswer()
	}
	return o.printLook(*answer.Look, answeredCopy(answer))
}

func (o *clusterCopyOptions) extractByUnit(
	ctx context.Context, id string, x beside.Extract,
) (done beside.Extracted, err error) {
	wish := request.Cluster{
		Verb: request.Extract, Copy: id, Database: x.Database, Schema: x.Table.Schema, Table: x.Table.Name, Into: x.Into,
	}
	if wish.Table != "" {
		wish.Confirm = x.Into // given, or extract would not have come here
	}
	answer, err := o.ask(ctx, wish)
	if err != nil {
		return done, err
	}
	if answer.Extracted == nil {
		return done, lacksAnswer()
	}
	return *answer.Extracted, nil
}
