package main

import (
	"context"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
)

func (p *program) acknowledgeCommand() *cobra.Command {
	var f holdFlags
	cmd := &cobra.Command{
		Use: "acknowledge ID --reason TEXT", Short: "Say that somebody knows of a set that is lost, so that it is no longer told",
		Args: f.args,
		Long: `A set that was committed and of which something is gone from the bucket is critical in status, watch and console, until
it is whole again or somebody acknowledges it. Who does, when and why is stored beside the set, and one line of it
goes to the journal. When more of the set goes later, it is told again. The set itself stays what it is: unusable.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.acknowledge(cmd.Context(), f) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.reason, "reason", "", "what happened, in a few `words`: kept beside the set and in the journal")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return cmd
}

func (p *program) acknowledge(ctx context.Context, f holdFlags) error {
	p.watched = true
	if f.reason == "" {
		return usageText("acknowledge wants --reason: what happened to the set")
	}
	at, err := p.locate(ctx, f.selection)
	if err != nil {
		return err
	}
	if at.set.Acknowledged != nil {
		return p.printHeld(at.set, "is acknowledged already: nothing to do")
	}
	if at.set.Loss() != "" { // else it is refused, without a question
		consequence := "What is gone of it, " + at.set.Problem + ", will not be told any more."
		if err := p.agreed(ctx, p.asked(at.set, consequence), f.yes); err != nil {
			return err
		}
	}
	who := journal.Session{Getenv: p.getenv}.CurrentOperator()
	mine := backup.Acknowledgement{By: who.Name(), Host: hostname(), At: p.now(), Reason: f.reason}
	if err := backup.Acknowledge(ctx, at.bucket, at.set, mine); err != nil {
		return err
	}
	p.audit(ctx, who, journal.Action{What: "acknowledge", Target: at.set.ID, Reason: f.reason})
	now, err := p.finder(p.access()).again(ctx, at)
	if err != nil {
		return err
	}
	return p.printHeld(now, "is acknowledged")
}
