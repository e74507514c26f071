package postgres

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// ownedTables are tables of role %1 in a schema of theirs, with what such tables ordinarily have.
const ownedTables = `CREATE SCHEMA s AUTHORIZATION %1; CREATE EXTENSION pgcrypto; SET ROLE %1;
	CREATE TYPE s.mood AS ENUM ('sad', 'ok'); CREATE TYPE s.pair AS (a int, b text);
	RESET ROLE; CREATE DOMAIN s.short AS text CHECK (length(VALUE) < 9); SET ROLE %1;
	CREATE TABLE s.plain (id serial PRIMARY KEY, big bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT now() CHECK (at < now() + interval '1 day'),
		day date DEFAULT current_date, mood s.mood DEFAULT 'ok' CHECK (mood IN ('sad', 'ok')), low text GENERATED ALWAYS AS (lower(doc ->> 'a')) STORED, who text DEFAULT current_user,
		u uuid DEFAULT gen_random_uuid(), rnd float8 DEFAULT random(), p s.pair, d s.short[], doc jsonb DEFAULT '{}' CHECK (doc ? 'a' OR doc = '{}'), n numrange,
		price numeric CHECK (price > 0 AND coalesce(price, 1) < 1e6), CHECK (CASE WHEN id > 1 THEN true ELSE day IS NOT NULL END), EXCLUDE USING gist (n WITH &&));
	CREATE INDEX ON s.plain (lower(who)) WHERE price IS NOT NULL;
	CREATE INDEX ON s.plain USING gin (to_tsvector('english', who)); CREATE INDEX ON s.plain (date_trunc('day', at AT TIME ZONE 'UTC'));
	CREATE TABLE s.parted (id int, at timestamptz) PARTITION BY RANGE (date_part('year', at AT TIME ZONE 'UTC'));
	CREATE TABLE s.part PARTITION OF s.parted DEFAULT; RESET ROLE;`

func owned(t *testing.T) (pg *pgtest.Server, db, owner string) {
	t.Helper()
	pg = pgtest.Shared(t)
	owner = role(t, pg, "")
	db = pg.CreateDatabase(t)
	pg.Exec(t, db, strings.ReplaceAll(ownedTables, "%1", owner))
	t.Cleanup(func() { pg.Exec(t, db, "DROP OWNED BY "+owner+" CASCADE") })
	return pg, db, owner
}

func TestWhatOrdinaryTablesOfOthersRunIsHarmless(t *testing.T) {
	pg, db, _ := owned(t)
	problems, err := connect(t, target(pg, db)).CodeOnLoad(t.Context(), []Table{{Schema: "s", Name: "plain"}, {Schema: "s", Name: "part"}})
	if err != nil || len(problems) > 0 {
		t.Errorf("%q, %v", problems, err)
	}
}

func TestCodeOfOthersIsFoundWhereverRowsRunIt(t *testing.T) {
	pg, db, owner := owned(t)
	pg.Exec(t, db, strings.ReplaceAll(`SET ROLE %1;
		CREATE FUNCTION s.evil(anyelement) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
		CREATE FUNCTION s.evil_int(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true';
		CREATE OPERATOR s.=== (FUNCTION = s.evil_int, LEFTARG = int, RIGHTARG = int);
		CREATE FUNCTION s.evil_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE DOMAIN s.evil_domain AS int CHECK (s.evil(VALUE)); CREATE DOMAIN s.over AS s.evil_domain; CREATE TYPE s.composite AS (a s.over);
		CREATE DOMAIN s.evil_default AS bool DEFAULT s.evil(1); CREATE TYPE s.ranged AS RANGE (SUBTYPE = s.evil_domain, SUBTYPE_OPCLASS = int4_ops);
		RESET ROLE`, "%1", owner))
	server := connect(t, target(pg, db))
	for ddl, says := range map[string]string{
		"CREATE TABLE s.t (a int CHECK (s.evil(a)))":                                                        "function s.evil(anyelement) of role " + owner,
		"CREATE TABLE s.t (a int CHECK (a OPERATOR(s.===) 1))":                                              "s.evil_int",
		"CREATE TABLE s.t (a int, b bool DEFAULT s.evil(1))":                                                "column b",
		"CREATE TABLE s.t (a int, b bool GENERATED ALWAYS AS (s.evil(a)) STORED)":                           "column b",
		"CREATE TABLE s.t (a int); CREATE INDEX i ON s.t (s.evil(a))":                                       "index s.i",
		"CREATE TABLE s.t (a int); CREATE INDEX i ON s.t (a) WHERE s.evil(a)":                               "index s.i",
		"CREATE TABLE s.t (a s.evil_domain)":                                                                "type s.evil_domain",
		"CREATE DOMAIN s.yet AS int; CREATE TABLE s.t (a s.yet)":                                            "type s.yet would run constraints that its owner may add",
		"CREATE TABLE s.t (a s.over[])":                                                                     "type s.evil_domain",
		"CREATE TABLE s.t (a s.composite)":                                                                  "type s.evil_domain",
		"CREATE TABLE s.t (a s.evil_default)":                                                               "type s.evil_default",
		"CREATE TABLE s.t (a s.ranged)":                                                                     "type s.evil_domain",
		"CREATE TABLE s.t (a int CHECK ((a::s.over) > 0))":                                                  "type s.evil_domain",
		"CREATE TABLE s.t (a text CHECK (a::s.composite IS NOT NULL))":                                      "type s.evil_domain",
		"CREATE TABLE s.r (a int) PARTITION BY LIST (s.evil(a)); CREATE TABLE s.t PARTITION OF s.r DEFAULT": "partition key",
		"CREATE TABLE s.r (a int) PARTITION BY LIST (a); CREATE TABLE s.t PARTITION OF s.r DEFAULT; " +
			"CREATE TRIGGER fires BEFORE INSERT ON s.r FOR EACH STATEMENT EXECUTE FUNCTION s.evil_trigger()": "trigger fires",
		"CREATE TABLE s.t (a int, b text DEFAULT pg_read_file('/etc/passwd'))":                         "pg_read_file",
		"CREATE TABLE s.t (a int CHECK (lo_export(1, '/tmp/x') > 0))":                                  "lo_export",
		"CREATE TABLE s.t (a int CHECK (query_to_xml('SELECT 1', true, true, '') IS NOT NULL))":        "query_to_xml",
		"CREATE TABLE s.t (a int, b xml DEFAULT table_to_xml('pg_catalog.pg_authid', true, true, ''))": "table_to_xml",
		"CREATE TABLE s.t (a int, b text DEFAULT current_setting('hba_file'))":                         "current_setting",
		"CREATE TABLE s.t (a int, b text DEFAULT xmlelement(name x)::text)":                            "kind xmlexpr",
	} {
		pg.Exec(t, db, "SET ROLE "+owner+"; "+ddl)
		problems, err := server.CodeOnLoad(t.Context(), []Table{{Schema: "s", Name: "plain"}, {Schema: "s", Name: "t"}})
		if err != nil || !strings.Contains(strings.Join(problems, "\n"), says) {
			t.Errorf("%s: %q, %v", ddl, problems, err)
		}
		pg.Exec(t, db, "DROP TABLE s.t; DROP TABLE IF EXISTS s.r")
	}
}

func TestASuperusersOwnTableMayUseFunctionsOfSuperusersAlone(t *testing.T) {
	pg, db, owner := owned(t)
	pg.Exec(t, db, `CREATE FUNCTION mine(int) RETURNS bool LANGUAGE sql AS 'SELECT true'; CREATE FUNCTION theirs(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
		CREATE TABLE good (a int CHECK (mine(a)), b text DEFAULT current_setting('port')); CREATE TABLE bad (a int CHECK (theirs(a)));
		ALTER FUNCTION theirs(int) OWNER TO `+owner)
	server := connect(t, target(pg, db))
	for name, want := range map[string]int{"good": 0, "bad": 1} {
		problems, err := server.CodeOnLoad(t.Context(), []Table{{Schema: "public", Name: name}})
		if err != nil || len(problems) != want {
			t.Errorf("table %s: %q, %v", name, problems, err)
		}
	}
}

func TestNoRowsGoIntoPostgreSQLsOwnTables(t *testing.T) {
	pg := pgtest.Shared(t)
	server := connect(t, target(pg, pg.CreateDatabase(t)))
	for _, table := range []Table{
		{Schema: "pg_catalog", Name: "pg_event_trigger"},
		{Schema: "pg_catalog", Name: "pg_largeobject_metadata"},
		{Schema: "pg_catalog", Name: "pg_authid"},
		{Schema: "information_schema", Name: "sql_features"},
		{Schema: "pg_toast", Name: "pg_toast_1262"},
		{Schema: "pg_temp_1", Name: "t"},
	} {
		problems, err := server.NotLoadable(t.Context(), []Table{table})
		if err != nil || len(problems) != 1 || !strings.Contains(problems[0], "PostgreSQL's own") {
			t.Errorf("%v: %q, %v", table, problems, err)
		}
	}
}

func TestNobodyAddsCodeToTablesWhoseDefinitionsAreHeld(t *testing.T) {
	pg, db, owner := owned(t)
	pg.Exec(t, db, strings.ReplaceAll(`SET ROLE %1; CREATE TABLE s.leaf (id int, at timestamptz);
		CREATE FUNCTION s.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`, "%1", owner))
	pg.Exec(t, db, "ALTER DATABASE "+db+" SET lock_timeout = '50ms'") // so that nothing waits for the lock
	server := connect(t, target(pg, db))
	if err := server.HoldDefinitions(t.Context(), []Table{{Schema: "s", Name: "plain"}, {Schema: "s", Name: "part"}}); err != nil {
		t.Fatal(err)
	}
	for _, ddl := range []string{
		"ALTER TABLE s.plain ADD CHECK (id > 0) NOT VALID", "ALTER TABLE s.plain ALTER COLUMN who SET DEFAULT 'me'",
		"CREATE TRIGGER fires BEFORE INSERT ON s.plain FOR EACH ROW EXECUTE FUNCTION s.fires()",
		"CREATE INDEX ON s.plain (upper(who))", "CREATE INDEX CONCURRENTLY ON s.plain (upper(who))",
		"CREATE TRIGGER fires BEFORE INSERT ON s.parted FOR EACH STATEMENT EXECUTE FUNCTION s.fires()",
		"ALTER TABLE s.parted ATTACH PARTITION s.leaf FOR VALUES FROM (2000) TO (2001)", "ALTER TABLE s.part ADD CHECK (id > 0)",
		"CREATE TABLE s.more PARTITION OF s.parted FOR VALUES FROM (2000) TO (2001)",
	} {
		if err := pg.TryExec(db, ddl); err == nil || !strings.Contains(err.Error(), "55P03") {
			t.Errorf("%s: %v", ddl, err)
		}
	}
	pg.Exec(t, db, "INSERT INTO s.plain (price) VALUES (1); INSERT INTO s.part VALUES (1, now())")
}
