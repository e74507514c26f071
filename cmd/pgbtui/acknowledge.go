package main

import (
	"context"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
)

func newAcknowledgeCommand(p *program) *cobra.Command {
	cmd := newNoteCommand(p, &cobra.Command{
		Use:   "acknowledge ID --reason TEXT",
		Short: "Say that somebody knows of a set that is lost, so that it is no longer reported",
		Long: `A set that was committed and has lost something in the bucket is critical in status, watch and console, until
it is whole again or somebody acknowledges the loss. Who did, when and why is stored beside the set, and one line of
it goes to the journal. When more of the set is lost later, that is reported again. The set itself stays unusable.`,
	}, runAcknowledge)
	cmd.Flags().Lookup("reason").Usage = "what happened, in a few `words`: kept beside the set and in the journal"
	return cmd
}

func runAcknowledge(ctx context.Context, o *noteOptions) error {
	if o.reason == "" {
		return usageText("acknowledge wants --reason: what happened to the set")
	}
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	if at.set.Acknowledged != nil {
		return printHeld(o.streams, at.set, "is acknowledged already: nothing to do")
	}
	if at.set.Loss() != "" { // else it is refused, without a question
		consequence := "What is gone of it, " + at.set.Problem + ", will not be reported any more."
		if err := o.ask(ctx, at.set, consequence); err != nil {
			return err
		}
	}
	who := journal.Session{Getenv: o.env.getenv}.CurrentOperator()
	mine := backup.Acknowledgement{By: who.Name(), Host: hostname(), At: o.env.now(), Reason: o.reason}
	if err := backup.Acknowledge(ctx, at.bucket, at.set, mine); err != nil {
		return err
	}
	o.logs.audit(ctx, who, journal.Action{What: "acknowledge", Target: at.set.ID, Reason: o.reason})
	now, err := o.find.again(ctx, at)
	if err != nil {
		return err
	}
	return printHeld(o.streams, now, "is acknowledged")
}
