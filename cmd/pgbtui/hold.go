package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type holdFlags struct {
	selection
	reason  string
	yes     bool
	release bool // unhold
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

func (p *program) holdCommand() *cobra.Command {
	return p.holdVerb(holdFlags{}, "hold ID|latest", "Keep one set from retention until it is released",
		"Keep a set from retention, whatever the rules say, until `sudo pgbtui unhold ID`. Who holds it, since when and why is stored\nbeside the set, and one line of it goes to the journal. It binds pgbtui: whoever may delete objects still can.")
}

func (p *program) unholdCommand() *cobra.Command {
	return p.holdVerb(holdFlags{release: true}, "unhold ID|latest", "Let retention decide about a held set again",
		"Release a set that was held, however often. The next retention may delete it.")
}

func (p *program) holdVerb(f holdFlags, use, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: f.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.hold(cmd.Context(), f) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, in a few `words`: kept beside the set and in the journal")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return cmd
}

// hold holds or releases one set.
func (p *program) hold(ctx context.Context, f holdFlags) error {
	p.watched = true
	at, err := p.locate(ctx, f.selection)
	if err != nil {
		return err
	}
	verb, do, consequence := "hold", backup.HoldSet, "Retention will not delete "+at.set.ID+" until it is released."
	if f.release {
		verb, do, consequence = "unhold", backup.ReleaseSet, "Retention may delete "+at.set.ID+" from now on."
		if at.set.Hold == nil && at.set.Kind == backup.KindNative {
			return p.printHeld(at.set, "is not held: nothing to do")
		}
	}
	if at.set.Kind == backup.KindNative { // others are refused, without a question
		if err := p.agreed(ctx, p.asked(at.set, consequence), f.yes); err != nil {
			return err
		}
	}
	who := journal.Session{Getenv: p.getenv}.CurrentOperator()
	mine := backup.Hold{By: who.Name(), Host: hostname(), At: p.now(), Reason: f.reason}
	if err := do(ctx, at.bucket, at.set, mine); err != nil {
		return err
	}
	p.audit(ctx, who, journal.Action{What: verb, Target: at.set.ID, Reason: f.reason})
	now, err := p.finder(p.access()).again(ctx, at)
	if err != nil {
		return err
	}
	return p.printHeld(now, map[bool]string{true: "is held", false: "is released"}[now.Hold != nil])
}

// asked is what a person should know of the set that is held or released.
func (p *program) asked(s *backup.Set, consequence string) string {
	about := fmt.Sprintf("%s of database %s, %s old. ", s.ID, s.Database, ageText(p.now().Sub(s.FinishedAt)))
	if s.Hold != nil {
		about += "It is " + s.Hold.String() + ". "
	}
	return printable.Text(about + consequence)
}

func (p *program) printHeld(s *backup.Set, what string) error {
	if p.json {
		return p.printJSON(jsonHeld{jsonSchema, setJSON(s, nil)})
	}
	p.printf("%s %s\n", s.ID, what)
	return nil
}
