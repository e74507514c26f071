package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// `restore --request ID`, the unit's way: what is wanted comes from a file of the operators' group, and
// what came of it goes into a file beside it, for the console. The journal has it all the same.

func runRestoreRequest(ctx context.Context, r restorer, id string) error {
	wait, err := takeRequest(id)
	if err != nil {
		return err
	}
	asked := wait.Request
	answer := request.Answer{Request: asked}
	_ = request.WriteAnswer(request.DefaultDir, id, answer) // the one that counts is the last
	err = r.carryOut(ctx, wait, &answer)
	if ctx.Err() == nil { // else ExecStopPost= knows whether the host goes down, and the wait goes on
		if over := wait.Over(); over != nil {
			err = errors.Join(err, over)
		}
	}
	answer.End(err)
	told := request.WriteAnswer(request.DefaultDir, id, answer)
	if asked.Check {
		return told // what was found is the answer, not a failure of the unit: nobody is to be alerted
	}
	if told != nil {
		r.logs.logger(slog.LevelInfo).WarnContext(ctx, "the result for the console could not be written: "+told.Error())
	}
	if err != nil {
		return err
	}
	return printAnswer(r.streams, &answer)
}

// takeRequest takes the request of that ID, or the wait for a thaw that a restart of the host interrupted.
func takeRequest(id string) (*request.Waiting, error) {
	asked, err := request.Take(request.DefaultDir, id)
	if fault.CodeOf(err) != fault.NotFound {
		return request.NewWaiting(request.DefaultDir, id, asked), err
	}
	wait, resumed := request.Resume(request.DefaultDir, id, time.Now())
	if fault.CodeOf(resumed) == fault.NotFound {
		return nil, err
	}
	return wait, resumed
}

// carryOut does what is asked for.
func (r *restorer) carryOut(ctx context.Context, wait *request.Waiting, answer *request.Answer) error {
	asked := wait.Request
	if asked.Swap != "" {
		return r.swapRequested(ctx, asked, answer)
	}
	wanted := asked.Backup()
	r.find.settings.from = asked.From
	at, err := r.find.locateAsked(ctx, asked)
	if err != nil {
		return err
	}
	identities, err := r.env.identities(at.job, r.identity)
	if err != nil {
		return err
	}
	env, stop, err := r.world(ctx, at)
	if err != nil {
		return err
	}
	defer stop()
	if asked.Check {
		env.Log = slog.New(slog.DiscardHandler)
		answer.Checks, answer.Portion, err = restore.Preflight(ctx, at.job, env, at.set, wanted, identities)
		return err
	}
	if !wait.Until.IsZero() {
		r.logs.logger(slog.LevelInfo).InfoContext(ctx, fmt.Sprintf(
			"the host restarted while the restore of %s waited for its thaw: it goes on waiting until %s", at.set.ID,
			wait.Until.Format(time.RFC3339)))
	}
	env.ThawWait = wait
	r.logs.audit(ctx, requester(asked.Owner, asked.By), restoreAction(wanted, at.set))
	answer.Restored, err = restore.Run(ctx, at.job, env, at.set, wanted, identities)
	return logged(err)
}

func (r *restorer) swapRequested(ctx context.Context, asked request.Restore, answer *request.Answer) error {
	job, err := r.serverOf(asked.Job, asked.Swap)
	if err != nil {
		return err
	}
	swap := asked.BackupSwap()
	if asked.Check {
		answer.Checks, err = restore.UndoPreflight(ctx, job, r.run.withoutStore(r.logs.logger(slog.LevelInfo)), swap)
		return err
	}
	r.logs.audit(ctx, requester(asked.Owner, asked.By), journal.Action{What: "swap", Target: asked.Swap})
	answer.Swapped, err = restore.Undo(ctx, job, r.run.withoutStore(r.logs.logger(slog.LevelInfo)), swap)
	return logged(err)
}

func printAnswer(to *streams, a *request.Answer) error {
	if a.Swapped != nil {
		return printSwapped(to, a.Swapped)
	}
	return printRestored(to, a.Request.Set, a.Restored)
}

// requester is who asked by a file. The unit's own sandbox hides the owner; then it is the request's
// word and called so, and the line that counts is the console's, which has the kernel's login uid.
func requester(owner uint32, by string) journal.Operator {
	if owner == request.OverflowUID {
		return journal.Operator{LoginUID: "unknown", Login: cmp.Or(by, "unknown"), From: "request"}
	}
	return journal.OwnerOperator(owner)
}
