package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// noteOptions are those of the verbs that put a note of a person beside a set: hold, unhold, acknowledge.
type noteOptions struct {
	*streams
	env    *environment
	logs   *logs
	find   *finder
	of     selection
	reason string
	yes    bool
}

// newNoteCommand makes the command of such a verb; run carries it out.
func newNoteCommand(p *program, cmd *cobra.Command, run func(context.Context, *noteOptions) error) *cobra.Command {
	o := &noteOptions{
		streams: p.streams, env: p.environment, logs: p.logs,
		find: p.finder(access{duty: dutyOf(cmd.Name()), waitedFor: true}),
	}
	cmd.Args = o.of.args
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) }
	o.of.flags(cmd)
	fromFlag(cmd, p.settings)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, in a few `words`: kept beside the set and in the journal")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

// jsonHold is a hold in force: who keeps a set from retention.
type jsonHold struct {
	By     string    `json:"by"`
	Host   string    `json:"host"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

func holdJSON(h *backup.Hold) *jsonHold {
	if h == nil {
		return nil
	}
	return &jsonHold{By: h.By, Host: h.Host, At: h.At.UTC(), Reason: h.Reason}
}

type jsonHeld struct {
	Schema int     `json:"schema"`
	Set    jsonSet `json:"set"`
}

func newHoldCommand(p *program) *cobra.Command {
	return newNoteCommand(p, &cobra.Command{
		Use: "hold ID|latest", Short: "Keep one set from retention until it is released",
		Long: `Keep a set from retention, whatever the rules say, until ` + "`sudo pgbtui unhold ID`" + `. Who holds it, since
when and why is stored beside the set, and one line of it goes to the journal. It binds pgbtui: whoever may delete
objects still can.`,
	}, runHold)
}

func newUnholdCommand(p *program) *cobra.Command {
	return newNoteCommand(p, &cobra.Command{
		Use: "unhold ID|latest", Short: "Let retention decide about a held set again",
		Long: "Release a set that was held, however often. The next retention may delete it.",
	}, runUnhold)
}

func runHold(ctx context.Context, o *noteOptions) error {
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	return o.putHold(ctx, at, heldBy{
		verb: "hold", put: backup.HoldSet, consequence: "Retention will not delete " + at.set.ID + " until it is released.",
	})
}

func runUnhold(ctx context.Context, o *noteOptions) error {
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	if at.set.Hold == nil && at.set.Kind == backup.KindNative {
		return printHeld(o.streams, at.set, "is not held: nothing to do")
	}
	return o.putHold(ctx, at, heldBy{
		verb: "unhold", put: backup.ReleaseSet, consequence: "Retention may delete " + at.set.ID + " from now on.",
	})
}

// heldBy is how a verb changes the hold of a set.
type heldBy struct {
	verb        string
	put         func(context.Context, *s3.Bucket, *backup.Set, backup.Hold) error
	consequence string // a sentence that is agreed to
}

// putHold asks, holds or releases, and prints how the set stands.
func (o *noteOptions) putHold(ctx context.Context, at *located, by heldBy) error {
	if at.set.Kind == backup.KindNative { // others are refused, without a question
		if err := o.ask(ctx, at.set, by.consequence); err != nil {
			return err
		}
	}
	who := journal.Session{Getenv: o.env.getenv}.CurrentOperator()
	mine := backup.Hold{By: who.Name(), Host: hostname(), At: o.env.now(), Reason: o.reason}
	if err := by.put(ctx, at.bucket, at.set, mine); err != nil {
		return err
	}
	o.logs.audit(ctx, who, journal.Action{What: by.verb, Target: at.set.ID, Reason: o.reason})
	now, err := o.find.again(ctx, at)
	if err != nil {
		return err
	}
	if now.Hold == nil {
		return printHeld(o.streams, now, "is released")
	}
	return printHeld(o.streams, now, "is held")
}

// ask has a person agree to what the verb does to a set, of which it says what they should know.
func (o *noteOptions) ask(ctx context.Context, s *backup.Set, consequence string) error {
	about := fmt.Sprintf("%s of database %s, %s old. ", s.ID, s.Database, readable.Age(o.env.now().Sub(s.FinishedAt)))
	if s.Hold != nil {
		about += "It is " + s.Hold.String() + ". "
	}
	return o.agreed(ctx, printable.Text(about+consequence), o.yes)
}

func printHeld(to *streams, s *backup.Set, what string) error {
	if to.json {
		return to.printJSON(jsonHeld{Schema: jsonSchema, Set: setJSON(s, nil)})
	}
	to.printf("%s %s\n", s.ID, what)
	return nil
}
