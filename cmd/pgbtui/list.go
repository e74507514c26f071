package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonList struct {
	Schema  int       `json:"schema"`
	Sets    []jsonSet `json:"sets"`
	LeftOut []string  `json:"leftOut,omitempty"` // what is not listed because there is too much of it
}

type listOptions struct {
	*streams
	now  func() time.Time
	find *finder
	job  string
	wide bool
}

func newListCommand(p *program) *cobra.Command {
	o := &listOptions{
		streams: p.streams, now: p.now, find: p.finder(access{duty: dutyOf("list"), waitedFor: true}),
	}
	cmd := &cobra.Command{
		Use: "list", Short: "List the sets in the bucket, newest first", Args: noArgs,
		Long: `List every set below the configured prefixes, of every host: complete ones, those of the old
shell script (legacy), and what unfinished runs left (incomplete). A job whose name is not its database's is shown
behind it. On a terminal each set has one line, which leaves out what there is no room for.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runList(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "only the sets of this `job`")
	wideFlag(cmd, &o.wide)
	fromFlag(cmd, p.settings)
	return cmd
}

func wideFlag(cmd *cobra.Command, wide *bool) {
	cmd.Flags().BoolVar(wide, "wide", false, "every column whole, also on a narrow terminal")
}

func runList(ctx context.Context, o *listOptions) error {
	sets, err := o.find.all(ctx, o.job)
	if err != nil {
		return err
	}
	if o.json {
		out := jsonList{Schema: jsonSchema, Sets: []jsonSet{}, LeftOut: backup.LeftOut(sets)}
		for i := range sets {
			out.Sets = append(out.Sets, setJSON(&sets[i], sets))
		}
		return o.printJSON(out)
	}
	if len(sets) == 0 {
		o.printf("no backups yet\n")
		return nil
	}
	all := table{rows: [][]string{{"ID", "INSTANCE", "DATABASE", "FINISHED", "AGE", "DATA", "STORED", "STATE"}}}
	for i := range sets {
		all.rows = append(all.rows, listRow(&sets[i], o.now()))
	}
	if haveCopies(sets) {
		all = withCopies(all, sets)
	}
	all.spare = []string{"FINISHED", "DATA", "INSTANCE", "STORED"}
	if ofSeveralInstances(sets) {
		all.spare = []string{"FINISHED", "DATA", "STORED", "INSTANCE"}
	}
	if err := all.write(o.text(), o.columns(o.wide)); err != nil {
		return err
	}
	for _, left := range backup.LeftOut(sets) {
		o.printf("note: %s\n", printable.Text(left))
	}
	return nil
}

func haveCopies(sets []backup.Set) bool {
	return slices.ContainsFunc(sets, func(s backup.Set) bool { return len(s.Copies) > 0 })
}

// withCopies puts how many copies there are of each set in front of its state.
func withCopies(of table, sets []backup.Set) table {
	for i, row := range of.rows {
		text := "COPIES"
		if i > 0 {
			text = backup.CopiesText(sets[i-1].Copies)
		}
		of.rows[i] = slices.Insert(row, len(row)-1, text)
	}
	return of
}

// whose is a set's database, and the job where its name says more.
func whose(s *backup.Set) string {
	of := placeText(s.Database, s.Schema)
	if s.Job == "" || s.Job == s.Database {
		return of
	}
	return of + " (" + s.Job + ")"
}

// placeText is a database, or a tenant's schema of it.
func placeText(database, schema string) string {
	if schema == "" {
		return database
	}
	return database + "/" + schema
}

// ofSeveralInstances is whether the instance says anything.
func ofSeveralInstances(sets []backup.Set) bool {
	for i := range sets {
		if sets[i].Instance != sets[0].Instance {
			return true
		}
	}
	return false
}

func listRow(s *backup.Set, now time.Time) []string {
	raw := "?"
	if s.Manifest != nil {
		raw = readable.Size(s.Manifest.RawBytes())
	}
	instance := s.Instance
	if instance == "" {
		instance = "-"
	}
	return []string{
		s.ID, printable.Text(instance), printable.Text(whose(s)), s.FinishedAt.Local().Format("2006-01-02 15:04 MST"),
		readable.Age(now.Sub(s.FinishedAt)), raw, readable.Size(s.StoredSize), kept(s, now) + state(s),
	}
}

// state is a set's standing in one word or sentence.
func state(s *backup.Set) string {
	if s.Acknowledged != nil {
		return standing(s) + "; " + printable.Text(s.Acknowledged.String())
	}
	return standing(s)
}

func standing(s *backup.Set) string {
	switch {
	case s.Kind == backup.KindIncomplete && len(s.Lost) > 0:
		return "LOST: " + printable.Text(s.Problem)
	case s.Kind == backup.KindIncomplete:
		return "INCOMPLETE"
	case !s.Good() && s.Signature == backup.SignatureForged:
		return "FORGED: " + printable.Text(s.Problem)
	case !s.Good() && s.Signature == backup.SignatureMissing:
		return "UNSIGNED: " + printable.Text(s.Problem)
	case !s.Good():
		return "UNUSABLE: " + printable.Text(s.Problem)
	case s.Kind == backup.KindLegacy:
		return "legacy, not proven"
	case s.BadBytes() != nil:
		return "FAILED verification: " + printable.Text(s.BadBytes().Why())
	case s.NotWhole() != nil:
		return "NOT WHOLE when restored: " + printable.Text(s.NotWhole().Why())
	}
	level, _ := s.Proven()
	if p := s.Partial(); p != nil {
		return "PARTIAL, " + level.String() + ": " + p.String()
	}
	return "ok, " + level.String()
}

// kept is what keeps a set from retention by somebody's will, in front of its state.
func kept(s *backup.Set, now time.Time) (text string) {
	if s.Archive.State != "" {
		text = s.Archive.Text() + "; "
	}
	if s.Hold != nil {
		text += "held; "
	}
	if now.Before(s.LockedUntil) {
		text += "locked until " + s.LockedUntil.Local().Format("2006-01-02") + "; "
	}
	return text
}
