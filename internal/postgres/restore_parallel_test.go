package postgres

import (
	"reflect"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// One who may use the schema by a grant alone has passed a right on, so that the archive makes that grant as that role.
// In the copy the grant on the schema is slow: a session that does not wait for it fails.
func TestParallelSessionsGiveGrantsInTheirOrder(t *testing.T) {
	for i := range 2 {
		givesGrantsInTheirOrder(t, wayOf(i))
	}
}

func givesGrantsInTheirOrder(t *testing.T, inParallel restoreWay) {
	t.Helper()
	s := pgtest.Shared(t)
	owner, reader, third := role(t, s, ""), role(t, s, ""), role(t, s, "")
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	s.Exec(t, source, `CREATE SCHEMA z; GRANT USAGE ON SCHEMA z TO `+owner+`, `+reader+`;
		CREATE TABLE z.a (i int); CREATE TABLE z.b (i int); INSERT INTO z.a VALUES (1), (2);
		ALTER TABLE z.a OWNER TO `+owner+`; ALTER TABLE z.b OWNER TO `+owner+`;
		GRANT SELECT ON z.a, z.b TO `+reader+` WITH GRANT OPTION;
		SET ROLE `+reader+`; GRANT SELECT ON z.a, z.b TO `+third+`; RESET ROLE;
		CREATE MATERIALIZED VIEW seen AS SELECT * FROM z.a; ALTER MATERIALIZED VIEW seen OWNER TO `+reader+`;
		ALTER DEFAULT PRIVILEGES FOR ROLE `+owner+` IN SCHEMA z GRANT SELECT ON TABLES TO `+reader)
	s.Exec(t, copied, `CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
			IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE lower(object_type) = 'schema') THEN PERFORM pg_sleep(0.3); END IF;
		END $$;
		CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION slow()`)
	inParallel(t, s, dump(t, s, source), copied)
	for query, want := range map[string]int64{
		"SELECT count(*) FROM information_schema.role_table_grants WHERE table_schema = 'z' AND grantee = '" + third + "'": 2,
		"SELECT count(*) FROM seen":           2,
		"SELECT count(*) FROM pg_default_acl": 1,
	} {
		if n := s.QueryInt(t, copied, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// Rows that a constraint which was never validated refuses today, in partitions and in children, and foreign keys of
// partitioned tables and of their partitions.
const tied = `
	CREATE TABLE pk (a int PRIMARY KEY) PARTITION BY RANGE (a);
	CREATE TABLE pk1 PARTITION OF pk FOR VALUES FROM (0) TO (100); CREATE TABLE pk2 PARTITION OF pk FOR VALUES FROM (100) TO (200);
	CREATE TABLE fk (a int, n int) PARTITION BY RANGE (a);
	CREATE TABLE fk1 PARTITION OF fk FOR VALUES FROM (0) TO (100); CREATE TABLE fk2 PARTITION OF fk FOR VALUES FROM (100) TO (200);
	CREATE TABLE parent (n int); CREATE TABLE child () INHERITS (parent);
	INSERT INTO pk SELECT generate_series(0, 199); INSERT INTO fk SELECT generate_series(0, 199);
	INSERT INTO child SELECT generate_series(0, 199);
	ALTER TABLE fk ADD FOREIGN KEY (a) REFERENCES pk;
	ALTER TABLE fk1 ADD FOREIGN KEY (a) REFERENCES pk1; ALTER TABLE fk2 ADD FOREIGN KEY (a) REFERENCES pk2;
	ALTER TABLE fk ADD CHECK (n IS NOT NULL) NOT VALID; ALTER TABLE parent ADD CHECK (n < 0) NOT VALID;
` + ofTied

// What is made of those constraints, or says something of them.
const ofTied = `
	COMMENT ON CONSTRAINT pk_pkey ON pk IS 'of a table with partitions'; COMMENT ON CONSTRAINT fk_a_fkey ON fk IS 'to one';
	COMMENT ON CONSTRAINT parent_n_check ON parent IS 'not validated';
	CREATE DOMAIN positive AS int; CREATE TABLE numbers (p positive); INSERT INTO numbers VALUES (-1);
	ALTER DOMAIN positive ADD CONSTRAINT above CHECK (value > 0) NOT VALID; COMMENT ON CONSTRAINT above ON DOMAIN positive IS 'not validated';
	ALTER TABLE pk ADD COLUMN b int;
	CREATE VIEW grouped AS SELECT a, b FROM pk GROUP BY a; CREATE VIEW above_it AS SELECT a FROM grouped;
	CREATE MATERIALIZED VIEW stored AS SELECT a, b FROM pk GROUP BY a; CREATE UNIQUE INDEX stored_a ON stored (a);
	COMMENT ON INDEX stored_a IS 'of what is stored'; ALTER MATERIALIZED VIEW stored CLUSTER ON stored_a;
	CREATE FUNCTION first_b() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT b FROM pk GROUP BY a ORDER BY a LIMIT 1; END;
`

func TestParallelSessionsMakeConstraintsOverPartitionsAndChildrenAfterTheirRows(t *testing.T) {
	s := pgtest.Shared(t)
	source := s.CreateDatabase(t)
	s.Exec(t, source, tied)
	if s.QueryInt(t, source, "SELECT current_setting('server_version_num')::int / 10000") >= 18 {
		s.Exec(t, source, "ALTER TABLE fk ADD CONSTRAINT n_there NOT NULL n NOT VALID")
	}
	dumped := dump(t, s, source)
	for i := range 6 { // which session is first is left to chance
		copied := s.CreateDatabase(t)
		wayOf(i)(t, s, dumped, copied)
		const constraints = `SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, convalidated), ', '
			ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C") FROM pg_constraint WHERE connamespace = 'public'::regnamespace`
		const said = `SELECT string_agg(concat_ws(' ', classoid::regclass, description), ', ' ORDER BY classoid, description) FROM pg_description
			WHERE objoid > 16383`
		const made = "SELECT string_agg(relname, ' ' ORDER BY relname) || ' ' || count(first_b()) FROM pg_class WHERE relname IN ('grouped', 'above_it', 'stored', 'stored_a')"
		for _, query := range []string{constraints, said, made} {
			if was, is := s.QueryString(t, source, query), s.QueryString(t, copied, query); was != is {
				t.Errorf("the copy has %s\nthe source %s", is, was)
			}
		}
	}
}

func TestRowsOfAnExtensionsTablesComeBeforeAllOthers(t *testing.T) {
	steps, err := stepsOf([]string{
		"2; 3079 1 EXTENSION - topology ", "3; 1259 2 TABLE public items shop",
		"10; 0 2 TABLE DATA public items shop", "11; 0 9 TABLE DATA topology topology postgres", "12; 0 9 TABLE DATA topology layer postgres",
		"20; 2606 7 CONSTRAINT public items items_pkey shop", "21; 2606 7 FK CONSTRAINT public items items_fk shop", "30; 0 0 ACL public TABLE items shop",
	}, nil)
	want := [stepCount][]int{firstStep: {2, 3, 11, 12}, mainStep: {10, 20, 21}, grantStep: {30}}
	if err != nil || !reflect.DeepEqual(steps, want) {
		t.Errorf("%v, want %v; %v", steps, want, err)
	}
}

func TestAnEntrysNameIsNotTakenForItsKind(t *testing.T) {
	for line, want := range map[string]string{
		"215; 1259 16385 TABLE public items shop":          "TABLE public items shop",
		"3301; 0 0 ACL - SCHEMA public postgres":           "ACL - SCHEMA public postgres",
		"7; 2615 2200 SCHEMA - 9; 0 0 ACL shop":            "SCHEMA - 9; 0 0 ACL shop",
		";     Archive created at 2026-11-25 02:00:00 UTC": "",
		"; 215; 1259 16385 TABLE public items shop":        "",
		"":           "",
		"215; 1259 ": "",
	} {
		if _, got, ok := listedEntry(line); got != want || ok != (want != "") {
			t.Errorf("%q: %q", line, got)
		}
	}
}

func TestAListThatIsNotUnderstoodRestoresNothingRatherThanLess(t *testing.T) {
	good := []string{";", "; Archive", "", "215; 1259 16385 TABLE public items shop", "3301; 0 0 ACL public TABLE items shop"}
	if steps, err := stepsOf(good, nil); err != nil || len(steps[mainStep]) != 1 || len(steps[grantStep]) != 1 {
		t.Errorf("%v, %v", steps, err)
	}
	_, err := stepsOf(append(good, "TABLE public orders shop"), nil)
	wantCode(t, err, fault.Failed)
	if fault.Remedy(err) == "" {
		t.Error("no remedy")
	}
}
