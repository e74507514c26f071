package integration

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A set of which one object cannot be created, with a row that must not be told, and what becomes of it.
func TestASetThatDoesNotRestoreAsAWholeKeepsItsPartsAndIsRememberedUntilADrillPasses(t *testing.T) {
	w := newWorld(t)
	w.named(t)
	// A restore has no search path, and this function counts on one.
	w.pg.Exec(t, w.job.Database, `CREATE TABLE known (a text); INSERT INTO known VALUES ('CANARY');
		CREATE FUNCTION is_known(i text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT EXISTS (SELECT FROM known WHERE a = i)';
		CREATE TABLE t (i text CHECK (is_known(i))); INSERT INTO t VALUES ('CANARY')`)
	set := w.find(t, w.run(t).Manifest.ID)
	w.provenWrong(t, set, "the dump does not restore as a whole: TABLE DATA t")
	failed := w.find(t, set.ID)
	if f := failed.NotWhole(); f == nil || !slices.Equal(f.Objects, []string{"TABLE DATA t"}) || !strings.Contains(f.Error, `relation "known" does not exist`) {
		t.Errorf("recorded %+v", f)
	}
	if f := failed.LastFailure(); f != nil && strings.Contains(f.Error, "CANARY") || strings.Contains(w.log.text(), "CANARY") {
		t.Error("a row left the database with the error")
	}
	for _, told := range []string{failed.NotWhole().FailureText(), drillProblem(t, w)} {
		if strings.Count(told, "restore as a whole") != 1 || strings.Contains(told, "drill: ") || strings.Contains(told, "TOC entry") ||
			!strings.Contains(told, `as a whole: TABLE DATA t: COPY failed for table "t": ERROR:`) {
			t.Errorf("told as %q", told)
		}
	}
	if newest, _ := backup.NewestGood(w.sets(t)); newest == nil || newest.ID != set.ID {
		t.Errorf("latest is %+v", newest)
	}
	for name, c := range map[string]struct {
		req  restore.Request
		want fault.Code
	}{
		"all of it":       {restore.Request{}, fault.Refused},
		"another table":   {restore.Request{Tables: []string{"known"}}, fault.OK},
		"the definitions": {restore.Request{SchemaOnly: true}, fault.OK},
	} {
		c.req.To, c.req.Jobs = w.job.Database+"_"+strings.ReplaceAll(name, " ", "_"), 1
		_, err := restore.Run(t.Context(), w.job, w.env, failed, c.req, nil)
		if fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	goesOn(t, w, failed)

	w.pg.Exec(t, w.job.Database, "ALTER FUNCTION is_known SET search_path = public")
	good := w.find(t, w.run(t).Manifest.ID)
	if !remembered(t, w) {
		t.Error("the failed drill is forgotten after the next backup")
	}
	if _, err := w.drill(t, good); err != nil {
		t.Error(err)
	}
	if remembered(t, w) {
		t.Error("the failed drill is told although another passed")
	}
}

// goesOn expects that a restore with KeepGoing brings all but the rows that cannot be, and says so.
func goesOn(t *testing.T, w *world, set *backup.Set) {
	t.Helper()
	for _, jobs := range []int{1, 2} {
		to := w.job.Database + "_going_" + strconv.Itoa(jobs)
		got, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: jobs, KeepGoing: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []restore.RowMismatch{{Schema: "public", Table: "t", Want: 1, Got: 0}}
		if !got.Incomplete() || got.Compared || got.Recorded != "" || got.Unmade[0].Object != "TABLE DATA t" || !slices.Equal(got.Differences, want) {
			t.Errorf("%d jobs: %+v", jobs, got)
		}
		if strings.Contains(got.Unmade[0].String(), "CANARY") {
			t.Errorf("a row is told: %s", got.Unmade[0])
		}
		if n := w.pg.QueryInt(t, to, "SELECT count(*) FROM known"); n != 1 {
			t.Errorf("%d jobs: %d rows of a table that nothing is wrong with", jobs, n)
		}
	}
	for name, req := range map[string]restore.Request{
		"replacing": {Replace: w.job.Database, Confirm: w.job.Database}, "a part": {To: "x", Tables: []string{"t"}}, "a request": {To: "x", ForOperator: true},
	} {
		req.KeepGoing = true
		if _, err := restore.Run(t.Context(), w.job, w.env, set, req, nil); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// remembered reports whether the job is not well because of a drill.
func remembered(t *testing.T, w *world) bool {
	t.Helper()
	return drillProblem(t, w) != ""
}

// drillProblem is what status and alerts say of a drill, or "".
func drillProblem(t *testing.T, w *world) string {
	t.Helper()
	problems := backup.Assess(w.sets(t), backup.WhoseOf(w.job), backup.Objectives{RPO: time.Hour}, w.env.Now()).Problems
	i := slices.IndexFunc(problems, func(p backup.Problem) bool { return p.Kind == backup.ProblemDrill && p.Critical })
	if i < 0 {
		return ""
	}
	return problems[i].What
}

// Nobody drilled the set, so that the restore itself finds the object.
func TestARestoreThatFailsOnOneObjectSaysHowEverythingElseComesBack(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE TABLE known (a text); INSERT INTO known VALUES ('a'); CREATE TABLE fine AS SELECT 1 AS i;
		CREATE FUNCTION is_known(i text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT EXISTS (SELECT FROM known WHERE a = i)';
		CREATE TABLE t (i text CHECK (is_known(i))); INSERT INTO t VALUES ('a')`)
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.job.Database + "_copy"
	for name, c := range map[string]struct {
		req  restore.Request
		ways []string
	}{
		"into a new database": {restore.Request{To: to}, []string{"everything that can be created with --keep-going", "--table", "dropdb"}},
		"in parallel":         {restore.Request{To: to, Jobs: 2}, []string{"everything that can be created with --keep-going", "dropdb"}},
		"in a live one's place": {
			restore.Request{Replace: w.job.Database, Confirm: w.job.Database, Terminate: true},
			[]string{"into a new database with --keep-going", "dropdb"},
		},
		"only that table": {restore.Request{To: to, Tables: []string{"t"}}, []string{"dropdb"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := restore.Run(t.Context(), w.job, w.env, set, c.req, nil)
			wantCode(t, err, fault.Failed)
			for _, way := range c.ways {
				if !strings.Contains(fault.Remedy(err), way) {
					t.Errorf("%q says nothing of %q", fault.Remedy(err), way)
				}
			}
			if c.req.Partial() && strings.Contains(fault.Remedy(err), "--keep-going") {
				t.Errorf("of a part: %q", fault.Remedy(err))
			}
			for name := range strings.FieldsSeq(w.pg.QueryString(t, "postgres", "SELECT coalesce(string_agg(datname, ' '), '') FROM pg_database WHERE datname LIKE $1 AND datname <> $2", w.job.Database+"%", w.job.Database)) {
				w.pg.DropDatabase(t, name)
			}
		})
	}
}

func TestAnObjectThatTheSetHasTwiceIsTheSetsFault(t *testing.T) {
	w := newWorld(t)
	w.named(t)
	w.pg.Exec(t, w.job.Database, `CREATE EXTENSION hstore; ALTER EXTENSION hstore DROP FUNCTION skeys(hstore); CREATE TABLE t (h hstore)`)
	set := w.find(t, w.run(t).Manifest.ID)
	w.provenWrong(t, set, "FUNCTION skeys")
	if f := w.find(t, set.ID).NotWhole(); f == nil || len(f.Objects) != 1 || !strings.Contains(f.Error, "already exists") {
		t.Errorf("recorded %+v", f)
	}
}

// A unique index that missed a row, and rows that lost their parent: all rows are in the dump, and neither
// constraint can be made over them.
func TestDuplicatesAndOrphansLoseNoRowWhenARestoreGoesOn(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE TABLE users (id int PRIMARY KEY, name text);
		INSERT INTO users VALUES (1, 'CANARY');
		CREATE UNIQUE INDEX users_name ON users (name);
		UPDATE pg_index SET indisready = false, indislive = false WHERE indexrelid = 'users_name'::regclass;
		INSERT INTO users VALUES (2, 'CANARY');
		UPDATE pg_index SET indisready = true, indislive = true WHERE indexrelid = 'users_name'::regclass;
		CREATE TABLE notes (user_id int CONSTRAINT notes_user REFERENCES users);
		SET session_replication_role = replica; INSERT INTO notes VALUES (77777); RESET session_replication_role`)
	set := w.find(t, w.run(t).Manifest.ID)
	req := restore.Request{To: w.job.Database + "_going", Jobs: 1, KeepGoing: true}
	got, err := restore.Run(t.Context(), w.job, w.env, set, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	var objects []string
	for _, unmade := range got.Unmade {
		objects = append(objects, unmade.Object)
		if strings.Contains(unmade.Why, "CANARY") || strings.Contains(unmade.Why, "77777") {
			t.Errorf("a row is told: %s", unmade.Why)
		}
	}
	want := []string{"INDEX users_name", "FK CONSTRAINT notes notes_user"}
	if !slices.Equal(objects, want) || !got.Incomplete() || got.Recorded != "" {
		t.Errorf("not restored: %q, incomplete %v, recorded %q", objects, got.Incomplete(), got.Recorded)
	}
	if len(got.Differences) > 0 || got.Rows != 3 {
		t.Errorf("%d rows of 3, differences %+v", got.Rows, got.Differences)
	}
}

func failedProof(day int, kind string, fault backup.FaultKind) backup.Proof {
	level := backup.LevelRestored
	if kind == "verify" {
		level = backup.LevelReadable
	}
	return backup.Proof{Kind: kind, Level: level.String(), Fault: fault, Error: "why", FinishedAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}
}

func passedProof(day int, kind string) backup.Proof {
	p := failedProof(day, kind, "")
	p.OK, p.Error = true, ""
	return p
}

func TestTheTwoKindsOfFailureAreToldApart(t *testing.T) {
	old := func(text string) backup.Proof {
		p := failedProof(1, "drill", "")
		p.Error = text
		return p
	}
	for name, c := range map[string]struct {
		newestFirst     []backup.Proof
		bytes, notWhole bool
	}{
		"bytes":     {[]backup.Proof{failedProof(1, "drill", backup.FaultBytes)}, true, false},
		"an object": {[]backup.Proof{failedProof(1, "drill", backup.FaultRestore)}, false, true},
		"both":      {[]backup.Proof{failedProof(2, "verify", backup.FaultBytes), failedProof(1, "drill", backup.FaultRestore)}, true, true},
		"reading whole shows that bytes are right": {[]backup.Proof{passedProof(2, "verify"), failedProof(1, "drill", backup.FaultBytes)}, false, false},
		"reading creates no object":                {[]backup.Proof{passedProof(2, "verify"), failedProof(1, "drill", backup.FaultRestore)}, false, true},
		"a drill answers both":                     {[]backup.Proof{passedProof(3, "drill"), failedProof(2, "drill", backup.FaultRestore), failedProof(1, "verify", backup.FaultBytes)}, false, false},
		"an old one that did not restore":          {[]backup.Proof{old("drill: the dump does not restore: postgres: …")}, false, true},
		"an old one with a wrong owner":            {[]backup.Proof{old("drill: 2 owners or grants differ, first: …")}, false, true},
		"an old one of other bytes":                {[]backup.Proof{old("backup: dump: stored bytes differ")}, true, false},
		"an old one that is not told":              {[]backup.Proof{old("the set is encrypted, so this is only in the journal of the run")}, true, false},
		"a word of another program":                {[]backup.Proof{failedProof(1, "drill", "cosmic")}, true, false},
	} {
		s := backup.Set{Kind: backup.KindNative, Manifest: &backup.Manifest{}, Proofs: c.newestFirst}
		if (s.BadBytes() != nil) != c.bytes || (s.NotWhole() != nil) != c.notWhole || (s.LastFailure() != nil) != (c.bytes || c.notWhole) {
			t.Errorf("%s: bytes %v, not whole %v", name, s.BadBytes(), s.NotWhole())
		}
		if (s.Flaw() == "") == c.bytes {
			t.Errorf("%s: latest: %q", name, s.Flaw())
		}
	}
}

// The bucket has evidence of older versions, and a host that was not updated goes on writing it.
func TestEvidenceOfAnOlderVersionRepeatsNoRow(t *testing.T) {
	w := newWorld(t)
	m := w.plant(t, w.env.Now().Add(-time.Hour))
	p := failedProof(1, "drill", "")
	p.Schema, p.Set = backup.ManifestSchema, m.ID
	p.StartedAt, p.FinishedAt = w.env.Stamp(), w.env.Stamp()
	p.Error = `drill: the dump does not restore: postgres: restore: pg_restore: exit status 1: ` +
		`pg_restore: error: COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"; ` +
		`DETAIL:  Failing row contains (1, CANARY).; CONTEXT:  COPY t, line 1: "1 CANARY"`
	if _, err := backup.PutProof(t.Context(), w.env.Bucket, w.find(t, m.ID), p); err != nil {
		t.Fatal(err)
	}
	f := w.find(t, m.ID).NotWhole()
	if f == nil || !strings.HasSuffix(f.Error, `violates check constraint "c"`) {
		t.Errorf("the listing has %+v", f)
	}
	told := false
	for _, problem := range w.health(t).Problems {
		told = told || problem.Kind == backup.ProblemDrill
		if strings.Contains(problem.Text(), "CANARY") {
			t.Errorf("what status and alerts tell repeats a row: %s", problem.Text())
		}
	}
	if !told {
		t.Error("the failed drill is not told")
	}
}

// A drill a week fails for a year, and then one passes.
func TestSetsThatFailTheirDrillsDoNotPileUpAndAreNotForgotten(t *testing.T) {
	now := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)
	var sets []backup.Set
	for age := range 365 {
		at := now.AddDate(0, 0, -age)
		s := backup.Set{ID: backup.NewID(at), Kind: backup.KindNative, Instance: "i", Database: "d", Job: "j", FinishedAt: at, Dir: backup.NewID(at), Manifest: &backup.Manifest{Job: "j"}}
		if age%7 == 3 {
			p := failedProof(1, "drill", backup.FaultRestore)
			p.FinishedAt = at.Add(time.Hour)
			s.Proofs = []backup.Proof{p}
		}
		sets = append(sets, s)
	}
	policy := retention.Policy{Keep: config.Keep{Days: 14, MinGood: 3}, Whose: backup.Whose{Job: "j"}}
	kept := keptOf(t, sets, policy, now)
	if len(kept) > 20 || drilledWrong(kept) != sets[3].ID {
		t.Errorf("%d sets are kept, and %q holds the evidence", len(kept), drilledWrong(kept))
	}
	// Two months without a drill: all that is left of the failure is its evidence.
	later := keptOf(t, append(younger(60, now), sets...), policy, now.AddDate(0, 0, 60))
	if drilledWrong(later) != sets[3].ID {
		t.Error("retention made it green")
	}
	passed := younger(60, now)
	passed[0].Proofs = []backup.Proof{passedProof(1, "drill")}
	passed[0].Proofs[0].FinishedAt = passed[0].FinishedAt.Add(time.Hour)
	for _, s := range keptOf(t, append(passed, sets...), policy, now.AddDate(0, 0, 60)) {
		if s.NotWhole() != nil {
			t.Errorf("%s stays although a drill passed", s.ID)
		}
	}
	// All that there is does not restore as a whole: the guards let nothing go.
	for i := range sets[:5] {
		sets[i].Proofs = []backup.Proof{failedProof(1, "drill", backup.FaultRestore)}
	}
	if kept := keptOf(t, sets[:5], policy, now.AddDate(1, 0, 0)); len(kept) != 5 {
		t.Errorf("%d of 5 are kept where there is no good one", len(kept))
	}
}

// drilledWrong is the set with the evidence of a drill that none has answered.
func drilledWrong(sets []backup.Set) string {
	if s, _ := backup.FailedDrill(sets); s != nil {
		return s.ID
	}
	return ""
}

func younger(n int, than time.Time) (sets []backup.Set) {
	for d := n; d > 0; d-- {
		at := than.AddDate(0, 0, d)
		sets = append(sets, backup.Set{
			ID: backup.NewID(at), Kind: backup.KindNative, Instance: "i", Database: "d", Job: "j", FinishedAt: at, Dir: backup.NewID(at), Manifest: &backup.Manifest{Job: "j"},
		})
	}
	return sets
}

func keptOf(t *testing.T, sets []backup.Set, policy retention.Policy, now time.Time) (kept []backup.Set) {
	t.Helper()
	plan, err := retention.Decide(sets, policy, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range plan {
		if !d.Delete {
			kept = append(kept, d.Set)
		}
	}
	return kept
}
