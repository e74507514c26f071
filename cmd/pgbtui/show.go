package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

type jsonShow struct {
	Schema   int              `json:"schema"`
	Set      jsonSet          `json:"set"`
	Manifest *backup.Manifest `json:"manifest"`
	SHA256   string           `json:"manifestSha256,omitempty"`
	Proofs   []backup.Proof   `json:"proofs"`
	Tables   []jsonTable      `json:"tables"` // null: not known, or encrypted without a key here
	Recipe   []string         `json:"recipe"`
}

type jsonTable struct {
	Schema   string `json:"schema"`
	Name     string `json:"name"`
	Rows     *int64 `json:"rows"` // null: unknown
	RawBytes int64  `json:"rawBytes"`
}

// tablesJSON is nil, null in JSON, for tables that are not known.
func tablesJSON(tables []archive.Table) []jsonTable {
	if tables == nil {
		return nil
	}
	out := make([]jsonTable, len(tables))
	for i, t := range tables {
		out[i] = jsonTable{Schema: restore.WrittenName(t.Schema), Name: restore.WrittenName(t.Name), RawBytes: t.RawBytes}
		if t.Rows >= 0 {
			out[i].Rows = &tables[i].Rows
		}
	}
	return out
}

type showOptions struct {
	*streams
	env      *environment
	find     *finder
	of       selection
	identity string
	tables   bool
}

func newShowCommand(p *program) *cobra.Command {
	o := &showOptions{
		streams: p.streams, env: p.environment, find: p.finder(access{duty: dutyOf("show"), waitedFor: true}),
	}
	cmd := &cobra.Command{
		Use: "show ID|latest", Short: "Show one set: facts, contents, evidence, and how to restore it without pgbtui",
		Args: o.of.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return runShow(cmd.Context(), o) },
	}
	o.of.flags(cmd)
	fromFlag(cmd, p.settings)
	cmd.Flags().BoolVar(&o.tables, "tables", false, "list every table with its rows and bytes")
	identityFlag(cmd, &o.identity)
	return cmd
}

func identityFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "identity", "", "age identity `file` for encrypted sets")
}

func acceptFlag(cmd *cobra.Command, accept *bool) {
	cmd.Flags().BoolVar(accept, "accept-unsigned", false,
		"use a set that nobody signed, although signing keys are configured; never a forged one")
}

func runShow(ctx context.Context, o *showOptions) error {
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	st, err := archiveStanding(ctx, at)
	if err != nil {
		return err
	}
	recipe := backup.ThawRecipe(st.Waiting(), at.bucket.Bucket(), at.bucket.Endpoint())
	recipe = append(recipe, backup.Recipe(at.set, at.bucket.Location(), at.bucket.Endpoint())...)
	tables, unknown, err := o.contents(ctx, at)
	if err != nil {
		return err
	}
	copies := o.find.copiesOf(ctx, []config.Job{at.job}, func(config.Job) backup.Scope { return at.set.Scope() })
	one := []backup.Set{*at.set}
	backup.MarkCopies(one, copies)
	at.set.Copies = one[0].Copies
	set := setJSON(at.set, at.among)
	if o.json {
		proofs := at.set.Proofs
		if proofs == nil {
			proofs = []backup.Proof{}
		}
		return o.printJSON(jsonShow{
			Schema: jsonSchema, Set: set, Manifest: at.set.Manifest, SHA256: at.set.ManifestSHA256(), Proofs: proofs,
			Tables: tablesJSON(tables), Recipe: recipe,
		})
	}
	showFacts(o.streams, at.set, o.env.now())
	o.sayf("%-14s %s\n", "recovery", set.RestoreTime.text(o.env.now()))
	if o.tables {
		showTables(o.streams, tables, unknown)
	}
	showProofs(o.streams, at.set)
	word := at.set.ID
	if at.set.Instance != at.job.Instance {
		word = at.set.Address().String()
	}
	o.printf("\nrestore it with pgbtui:\n  %s restore %s --to NEWDB\n", backup.RestoreCommand(at.job.Postgres.Host), word)
	o.printf("\nrestore it without pgbtui:\n")
	for _, line := range recipe {
		// Quoted for a shell, then made safe for the terminal: a name with control characters
		// has to be typed by hand.
		o.printf("  %s\n", printable.Text(line))
	}
	return nil
}

// archiveStanding asks how a set stands that may be archived, and of no other.
func archiveStanding(ctx context.Context, at *located) (st thaw.Standing, err error) {
	if !thaw.May(at.set) {
		return st, nil
	}
	st, err = thaw.Of(ctx, at.bucket, at.set)
	at.set.Archive = st.Archive
	return st, err
}

// contents are the tables that the dump holds, or why that is not known.
func (o *showOptions) contents(ctx context.Context, at *located) (tables []archive.Table, unknown string, err error) {
	identities, err := o.env.identities(at.job, o.identity)
	if err != nil {
		return nil, "", err
	}
	contents, err := stored.ReadContents(ctx, at.bucket, at.set, identities)
	switch {
	case errors.Is(err, s3.ErrArchived):
		return nil, "archived with the set", nil
	case fault.CodeOf(err) == fault.NotPermitted:
		return nil, "encrypted, and there is no age identity here (--identity)", nil
	case err != nil:
		return nil, "", err
	case contents == nil || contents.Archive == nil:
		return nil, "not recorded for this set", nil
	}
	if tables = contents.Archive.Tables(); tables == nil {
		tables = []archive.Table{} // known to be none
	}
	return tables, "", nil
}

func showFacts(to *streams, s *backup.Set, now time.Time) {
	line := func(name, value string) {
		if value != "" {
			to.sayf("%-14s %s\n", name, printable.Text(value))
		}
	}
	line("set", s.ID)
	line("state", state(s))
	line("signature", string(s.Signature))
	if s.Hold != nil {
		line("hold", s.Hold.String())
	}
	line("lost", strings.Join(s.Lost, ", "))
	line("locked", lockText(s, now))
	line("database", s.Database)
	line("schema", s.Schema)
	line("job", s.Job)
	line("instance", s.Instance)
	local := s.FinishedAt.Local().Format("2006-01-02 15:04:05 MST")
	line("finished", local+"  ("+s.FinishedAt.UTC().Format(time.RFC3339)+")")
	line("age", readable.Age(now.Sub(s.FinishedAt)))
	line("stored", readable.Size(s.StoredSize))
	line("class", s.Class)
	line("archive", s.Archive.Text())
	for _, c := range s.Copies {
		line("copy", c.String())
	}
	m := s.Manifest
	if m == nil {
		return
	}
	line("data", readable.Size(m.RawBytes()))
	if m.Summary.Scanned {
		to.sayf("%-14s %d tables, %d rows, %d large objects, %d objects in all\n", "contents",
			m.Summary.Tables, m.Summary.Rows, m.Summary.LargeObjects, m.Summary.Objects)
	}
	if p := m.Partial; p != nil {
		line("PARTIAL", p.String())
		line("needs", partialNames(p.Outside, p.Needs))
		line("no table", partialNames(p.WithoutTables, p.Tables))
		line("no rows of", partialNames(p.WithoutRows, p.Rows))
	}
	line("extensions", strings.Join(m.Summary.Extensions, ", "))
	line("server", "PostgreSQL "+m.Server.Version+", "+m.Server.Encoding+", "+m.Server.Collate)
	line("dumped by", m.DumpClient)
	line("written by", m.Tool+" on "+m.Host)
	line("trigger", m.Trigger)
	line("compression", compressionText(m.Compression))
	line("sse", m.Dump.SSE)
	line("sha-256", m.Dump.SHA256)
	for _, o := range m.Streams {
		line("stream", o.Key+", "+readable.Size(o.SizeBytes)+", sha-256 "+o.SHA256)
	}
	line("manifest", "sha-256 "+s.ManifestSHA256())
	line("signer", m.Signer)
	if len(m.Encryption.Recipients) > 0 {
		line("encrypted for", strings.Join(m.Encryption.Recipients, ", "))
	}
	if m.InvocationID != "" {
		to.printf("%-14s journalctl _SYSTEMD_INVOCATION_ID=%s\n", "journal", printable.Text(m.InvocationID))
	}
	for _, st := range m.Stages {
		to.printf("%-14s %s took %.1fs\n", "stage", st.Stage, st.Seconds)
	}
	for _, w := range m.Warnings {
		line("WARNING", w)
	}
}

// compressionText is the levels of a dump, or "" of a set from before they were noted.
func compressionText(c *backup.Compression) string {
	if c == nil {
		return ""
	}
	var levels []string
	for _, l := range c.Levels {
		levels = append(levels, fmt.Sprintf("%d (%d MiB)", l.Level, l.Frames))
	}
	return "zstd " + c.Setting + ", at level " + strings.Join(levels, ", ")
}

// partialNames are the tables that a manifest names, of so many that there are; it names none of an encrypted set.
func partialNames(names []printable.Name, of int) string {
	if len(names) == 0 {
		return ""
	}
	var told []string
	for _, name := range names {
		told = append(told, name.String())
	}
	text := strings.Join(told, ", ")
	if more := of - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// lockText is the store's object lock on a set, or "".
func lockText(s *backup.Set, now time.Time) string {
	if s.LockedUntil.IsZero() {
		return ""
	}
	until := s.LockedUntil.Local().Format("2006-01-02 15:04:05 MST")
	if mode := s.Manifest.Dump.LockMode; mode != "" {
		until += ", " + mode
	}
	if !now.Before(s.LockedUntil) {
		return "until " + until + ", which is over"
	}
	return "until " + until + ", for another " + readable.Age(s.LockedUntil.Sub(now))
}

func showTables(to *streams, tables []archive.Table, unknown string) {
	to.printf("\ntables:\n")
	if unknown != "" {
		to.printf("  %s\n", unknown)
	}
	for _, t := range tables {
		to.printf("  %-40s %12d rows %10s\n", printable.Text(t.Schema+"."+t.Name), t.Rows, readable.Size(t.RawBytes))
	}
}
