package integration

import (
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// streamed are large tables of odd names beside all that the sample has.
const streamed = sampleSchema + `
CREATE SCHEMA "Sales. 2026";
CREATE TABLE "Sales. 2026"."a.b ""c""" (id int PRIMARY KEY, t text);
INSERT INTO "Sales. 2026"."a.b ""c""" SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 9000) AS i;
CREATE TABLE "UPPER
lower" (id serial PRIMARY KEY, other int REFERENCES "Sales. 2026"."a.b ""c""", t text);
INSERT INTO "UPPER
lower" (other, t) SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 8000) AS i;
CREATE TABLE toasted (id int, t text); ALTER TABLE toasted ALTER t SET STORAGE EXTERNAL;
INSERT INTO toasted SELECT i, (SELECT string_agg(md5(i::text || k::text), '') FROM generate_series(1, 300) AS k) FROM generate_series(1, 60) AS i;
CREATE TABLE "$*?[a]|^" AS SELECT i, md5(i::text) AS t FROM generate_series(1, 7000) AS i;
ALTER TABLE toasted ADD PRIMARY KEY (id), ADD parent int REFERENCES toasted; UPDATE toasted SET parent = 61 - id;
CREATE VIEW looks AS SELECT count(*) FROM toasted;
`

// textOf is a database as SQL, without what differs between any two dumps.
func textOf(t testing.TB, pg *pgtest.Server, database string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(pg.BinDir, "pg_dump"), args...)
	cmd.Env = pg.Env(database)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestASetOfSeveralStreamsIsReadAsOne(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamed)
	want := textOf(t, w.pg, w.job.Database)
	id := newIdentity(t)
	w.job.Streams = 4
	for _, recipients := range [][]string{nil, {id.Recipient().String()}} {
		w.job.Encryption.Recipients = recipients
		result := w.run(t)
		m := result.Manifest
		if len(m.Streams) != 3 || m.Schema != backup.StreamsSchema || len(m.Warnings) != 0 || m.Summary.Tables != 8 ||
			m.Summary.Rows != 5000+1000+3+9000+8000+60+7000 || m.Summary.LargeObjects != 3 {
			t.Fatalf("%d streams, schema %d, %+v, %q", len(m.Streams), m.Schema, m.Summary, m.Warnings)
		}
		identities := []age.Identity{id}
		set := w.find(t, m.ID)
		v, err := verify.Whole(t.Context(), w.job, w.env, set, identities)
		if err != nil || v.Proof.Rows != m.Summary.Rows {
			t.Fatalf("verify: %+v, %v", v, err)
		}
		if sample, err := verify.Sample(t.Context(), w.job, w.env, set, identities, 1); err != nil || sample.Proof.Sample.Frames < 4 {
			t.Errorf("sample: %+v, %v", sample, err)
		}
		for _, jobs := range []int{1, 2} {
			to := w.job.Database + "_copy"
			restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: jobs}, identities)
			if err != nil {
				t.Fatal(err)
			}
			if !restored.Compared || restored.Rows != m.Summary.Rows {
				t.Errorf("restored %+v", restored)
			}
			if diff := cmp.Diff(want, textOf(t, w.pg, to)); diff != "" {
				t.Errorf("with %d jobs (-source +copy):\n%s", jobs, diff)
			}
			w.pg.DropDatabase(t, to)
		}
	}
}

func TestATableOfASetOfSeveralStreamsCostsItsBytesWhicheverStreamHasIt(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamed+bulk)
	id := w.encrypt(t)
	w.job.Streams = 4
	set := w.find(t, w.run(t).Manifest.ID)
	for _, name := range []string{"public.toasted", "public.empty_one", "public.items", `"Sales. 2026"."a.b ""c"""`} {
		w.store.ForgetRequests()
		r := w.restorePart(t, set, restore.Request{Tables: []string{name}}, id)
		if !r.Compared || r.Tables != 1 || r.Portion.Whole != "" {
			t.Errorf("%s: %+v", name, r)
		}
		served := w.served(t, backup.DumpName) + w.served(t, "rows-")
		asked := map[string]bool{}
		for _, q := range w.store.Requests(s3server.OpGetObject) {
			if backup.IsDump(path.Base(q.Key)) {
				asked[path.Base(q.Key)] = true
			}
		}
		if len(asked) > 2 { // the one with the definitions, and the one that has the table
			t.Errorf("%s: of the streams were read %v", name, asked)
		}
		if r.Fetched != served || r.Fetched != r.Portion.FetchBytes || r.Fetched > set.Manifest.DumpBytes()/2 {
			t.Errorf("%s: fetched %d, served %d, foretold %d", name, r.Fetched, served, r.Portion.FetchBytes)
		}
	}
}
