package archive

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// joinedBytes is the archive that a lead and rows are read as.
func joinedBytes(t *testing.T, whole *Archive, inserted Inserted, lead []byte, rows [][]byte, heads []int64) []byte {
	t.Helper()
	raw, err := io.ReadAll(EditHead(bytes.NewReader(lead), Edit{Insert: inserted}))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		raw = append(raw, r[heads[i]:]...)
	}
	for at := 0; at < len(raw); at += 777 { // in pieces, of which some cut a number
		end := min(len(raw), at+777)
		whole.Number(raw[at:end], int64(at))
	}
	return raw
}

// checkJoin dumps the database as three archives, and compares what they are read as with one dump of it all.
func checkJoin(t *testing.T, live liveDatabase, one *Archive) {
	var patterns [2][]string
	without := []string{}
	for i, table := range one.Tables() {
		if i%3 == 2 {
			continue // stays with the lead
		}
		pattern := pgx.Identifier{table.Schema, table.Name}.Sanitize()
		without = append(without, "--exclude-table-data="+pattern)
		patterns[i%3] = append(patterns[i%3], "--table="+pattern)
	}
	leadRaw := live.dump(t, without...)
	lead, err := scan(leadRaw)
	if err != nil {
		t.Fatal(err)
	}
	var rows []RowsArchive
	var raws [][]byte
	var heads []int64
	for _, of := range patterns {
		raw := live.dump(t, append([]string{"--data-only", "--strict-names"}, of...)...)
		found, err := scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(found.Tables()); got != len(of) {
			t.Fatalf("%d tables of %d", got, len(of))
		}
		rows = append(rows, RowsArchive{Found: found, Head: raw[:found.HeadBytes]})
		raws = append(raws, raw)
		heads = append(heads, found.HeadBytes)
	}
	whole, inserted, err := Join(lead, rows)
	if err != nil {
		t.Fatal(err)
	}
	joined := joinedBytes(t, whole, inserted, leadRaw, raws, heads)
	got, err := scan(joined)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, got); diff != "" {
		t.Errorf("what was joined is not what is read (-joined +read):\n%s", diff)
	}
	if diff := cmp.Diff(tableRows(one), tableRows(got)); diff != "" {
		t.Errorf("rows (-one dump +joined):\n%s", diff)
	}
	checkList(t, live, joined, got)
	db := live.server.CreateDatabase(t)
	live.restore(t, db, bytes.NewReader(joined))
	for _, table := range one.Tables() {
		if n := live.count(t, db, table); n != table.Rows {
			t.Errorf("%s.%s has %d rows, want %d", table.Schema, table.Name, n, table.Rows)
		}
	}
	checkSameText(t, live, db)
	t.Run("with SQL behind all", func(t *testing.T) {
		raw, err := io.ReadAll(EditHead(bytes.NewReader(joined), Edit{Last: "SELECT 1;"}))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := scan(raw); err != nil || len(again.Entries) != len(whole.Entries)+1 {
			t.Errorf("%v: %d entries", err, len(again.Entries))
		}
	})
	if _, _, err := Join(lead, append(rows, rows[0])); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "come twice") {
		t.Errorf("a table twice: %v", err)
	}
	if _, _, err := Join(rows[0].Found, rows[1:]); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "does not make") {
		t.Errorf("a table that the lead does not make: %v", err)
	}
	long := *lead
	long.Omitted = 1
	if _, _, err := Join(&long, rows); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a lead that is not known whole: %v", err)
	}
}

// checkSameText compares both databases as pg_dump writes them.
func checkSameText(t *testing.T, live liveDatabase, db string) {
	t.Helper()
	plain := func(of string) string {
		var lines []string
		for line := range strings.Lines(string(live.run(t, of, nil, "pg_dump", "--no-comments"))) {
			if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	if diff := cmp.Diff(plain(live.name), plain(db)); diff != "" {
		t.Errorf("(-source +copy):\n%s", diff)
	}
}
