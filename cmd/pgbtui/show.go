package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
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
		out[i] = jsonTable{Schema: t.Schema, Name: t.Name, RawBytes: t.RawBytes}
		if t.Rows >= 0 {
			out[i].Rows = &tables[i].Rows
		}
	}
	return out
}

func (p *program) showCommand() *cobra.Command {
	var of selection
	var tables bool
	cmd := &cobra.Command{
		Use: "show ID|latest", Short: "Show one set: facts, contents, evidence, and how to restore it without pgbtui",
		Args: of.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.show(cmd.Context(), of, tables) },
	}
	of.flags(cmd)
	cmd.Flags().BoolVar(&tables, "tables", false, "list every table with its rows and bytes")
	p.identityFlag(cmd)
	return cmd
}

func (p *program) identityFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.identity, "identity", "", "age identity `file` for encrypted sets")
}

func acceptFlag(cmd *cobra.Command, accept *bool) {
	cmd.Flags().BoolVar(accept, "accept-unsigned", false, "use a set that nobody signed, although signing keys are configured; never a forged one")
}

func (p *program) show(ctx context.Context, of selection, withTables bool) error {
	p.watched = true
	at, err := p.locate(ctx, of)
	if err != nil {
		return err
	}
	recipe := backup.Recipe(at.set, at.bucket.Location(), at.bucket.Endpoint())
	tables, unknown, err := p.tables(ctx, at)
	if err != nil {
		return err
	}
	among, err := p.client().catalogue(at.bucket, at.job).Sets(ctx, backup.Scope{Instance: at.set.Instance, Database: at.set.Database})
	if err != nil {
		return err
	}
	set := p.setJSON(at.set, among)
	if p.json {
		proofs := at.set.Proofs
		if proofs == nil {
			proofs = []backup.Proof{}
		}
		return p.printJSON(jsonShow{Schema: jsonSchema, Set: set, Manifest: at.set.Manifest, SHA256: at.set.ManifestSHA256(), Proofs: proofs, Tables: tablesJSON(tables), Recipe: recipe})
	}
	p.showFacts(at.set)
	p.printf("%-14s %s\n", "recovery", set.RestoreTime.text(p.now()))
	if withTables {
		p.showTables(tables, unknown)
	}
	p.showProofs(at.set)
	word := at.set.ID
	if at.set.Instance != at.job.Instance {
		word = at.set.Address().String()
	}
	p.printf("\nrestore it with pgbtui:\n  %s restore %s --to NEWDB\n\nrestore it without pgbtui:\n", backup.RestoreCommand(at.job.Postgres.Host), word)
	for _, line := range recipe {
		// Quoted for a shell, then made safe for the terminal: a name with control characters
		// has to be typed by hand.
		p.printf("  %s\n", printable.Text(line))
	}
	return nil
}

// tables is what the dump holds, or why that is not known.
func (p *program) tables(ctx context.Context, at *located) (tables []archive.Table, unknown string, err error) {
	identities, err := p.identities(at.job, p.identity)
	if err != nil {
		return nil, "", err
	}
	contents, err := backup.ReadContents(ctx, at.bucket, at.set, identities)
	switch {
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

func (p *program) showFacts(s *backup.Set) {
	line := func(name, value string) {
		if value != "" {
			p.printf("%-14s %s\n", name, printable.Text(value))
		}
	}
	line("set", s.ID)
	line("state", state(s))
	line("signature", string(s.Signature))
	if s.Hold != nil {
		line("hold", s.Hold.String())
	}
	line("lost", strings.Join(s.Lost, ", "))
	line("locked", lockText(s, p.now()))
	line("database", s.Database)
	line("job", s.Job)
	line("instance", s.Instance)
	line("finished", s.FinishedAt.Local().Format("2006-01-02 15:04:05 MST")+"  ("+s.FinishedAt.UTC().Format(time.RFC3339)+")")
	line("age", ageText(p.now().Sub(s.FinishedAt)))
	line("stored", size(s.StoredSize))
	line("class", s.Class)
	m := s.Manifest
	if m == nil {
		return
	}
	line("data", size(m.Dump.RawBytes))
	if m.Summary.Scanned {
		p.printf("%-14s %d tables, %d rows, %d large objects, %d objects in all\n", "contents", m.Summary.Tables, m.Summary.Rows, m.Summary.LargeObjects, m.Summary.Objects)
	}
	line("extensions", strings.Join(m.Summary.Extensions, ", "))
	line("server", "PostgreSQL "+m.Server.Version+", "+m.Server.Encoding+", "+m.Server.Collate)
	line("dumped by", m.DumpClient)
	line("written by", m.Tool+" on "+m.Host)
	line("trigger", m.Trigger)
	line("sse", m.Dump.SSE)
	line("sha-256", m.Dump.SHA256)
	line("manifest", "sha-256 "+s.ManifestSHA256())
	line("signer", m.Signer)
	if len(m.Encryption.Recipients) > 0 {
		line("encrypted for", strings.Join(m.Encryption.Recipients, ", "))
	}
	if m.InvocationID != "" {
		line("journal", "journalctl _SYSTEMD_INVOCATION_ID="+m.InvocationID)
	}
	for _, st := range m.Stages {
		p.printf("%-14s %s took %.1fs\n", "stage", st.Stage, st.Seconds)
	}
	for _, w := range m.Warnings {
		line("WARNING", w)
	}
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
	return "until " + until + ", for another " + ageText(s.LockedUntil.Sub(now))
}

func (p *program) showTables(tables []archive.Table, unknown string) {
	p.printf("\ntables:\n")
	if unknown != "" {
		p.printf("  %s\n", unknown)
	}
	for _, t := range tables {
		p.printf("  %-40s %12d rows %10s\n", printable.Text(t.Schema+"."+t.Name), t.Rows, size(t.RawBytes))
	}
}
