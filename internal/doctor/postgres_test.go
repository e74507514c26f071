package doctor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// role makes a role that can log in to the patient's database, and lets it be the backups' role.
func (p *patient) role(name string) string {
	p.t.Helper()
	name = fmt.Sprintf("%s_%s", name, p.job.Database)
	on, database := p.pg, p.job.Database
	on.Exec(p.t, "postgres", `CREATE ROLE "`+name+`" LOGIN`)
	p.t.Cleanup(func() {
		on.Exec(p.t, database, `DROP OWNED BY "`+name+`"`)
		on.Exec(p.t, "postgres", `DROP OWNED BY "`+name+`"; DROP ROLE "`+name+`"`)
	})
	p.job.Postgres.User = name
	return `"` + name + `"`
}

func TestWhatARoleLacksIsFoundAndMendedByTheRemedy(t *testing.T) {
	p := newPatient(t)
	role := p.role("short")
	p.pg.Exec(t, p.job.Database, `CREATE TABLE rows (x int); ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
		SELECT lo_from_bytea(0, 'x');`)
	for _, check := range []string{"postgresql.tables", "postgresql.large-objects"} {
		if f := p.one(check); f.Result != doctor.Fail || !strings.Contains(f.Remedy, role) {
			t.Errorf("%+v", f)
		}
	}
	if f := p.one("postgresql.row-security"); f.Result != doctor.Fail {
		t.Errorf("%+v", f)
	}
	p.pg.Exec(t, p.job.Database, `GRANT pg_read_all_data TO `+role+`; ALTER ROLE `+role+` BYPASSRLS;
		DO $$ DECLARE l oid; BEGIN FOR l IN SELECT oid FROM pg_largeobject_metadata LOOP
			EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO `+role+`', l); END LOOP; END $$`)
	for _, f := range p.examine("postgresql").Findings {
		if f.Result != doctor.OK && f.ID != "postgresql.bugs" && f.ID != "postgresql.settings" {
			t.Errorf("%+v", f)
		}
	}
}

func TestPasswordsOfRolesAreStoredOnlyWhereTheRoleMayReadThem(t *testing.T) {
	p := newPatient(t)
	role := p.role("reader")
	const check = "postgresql.globals"
	if f := p.one(check); f.Result != doctor.OK {
		t.Errorf("sets are not encrypted, and %+v", f)
	}
	p.job.Encryption.Recipients = []string{"age1x"}
	if f := p.one(check); f.Result != doctor.Warn {
		t.Errorf("%+v", f)
	}
	p.pg.Exec(t, "postgres", `GRANT pg_read_all_data TO `+role)
	if f := p.one(check); f.Result != doctor.OK {
		t.Errorf("%+v", f)
	}
}

func TestASuperuserAndOneWhoseMessagesAreTranslatedAreTold(t *testing.T) {
	p := newPatient(t)
	if f := p.one("postgresql.role"); f.Result != doctor.Warn || !strings.Contains(f.Seen, "superuser") {
		t.Errorf("%+v", f)
	}
	p.role("reader")
	if f := p.one("postgresql.role"); f.Result != doctor.OK {
		t.Errorf("%+v", f)
	}
	german := speaksGerman(t)
	p.pg, p.job.Postgres = german, config.Postgres{Host: german.Host, Port: german.Port, User: german.User}
	p.job.Database = german.CreateDatabase(t)
	role := p.role("abroad")
	f := p.one("postgresql.role")
	if f.Result != doctor.Warn || !strings.Contains(f.Remedy, "lc_messages = 'C'") {
		t.Errorf("%+v", f)
	}
	german.Exec(t, "postgres", "ALTER ROLE "+role+" SET lc_messages = 'C'")
	if f := p.one("postgresql.role"); f.Result != doctor.OK {
		t.Errorf("its remedy does not mend it: %+v", f)
	}
}

// speaksGerman is a server whose system has the locale de_DE.UTF-8.
func speaksGerman(t *testing.T) *pgtest.Server {
	t.Helper()
	need.Program(t, "localedef")
	locales, err := os.MkdirTemp("/tmp", "locales") //nolint:usetesting // the server is another user
	if err == nil {
		err = os.Chmod(locales, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(locales) })
	name := filepath.Join(locales, "de_DE.UTF-8")
	if out, err := exec.Command("localedef", "-i", "de_DE", "-f", "UTF-8", name).CombinedOutput(); err != nil {
		t.Fatalf("localedef: %v: %s", err, out)
	}
	return pgtest.StartWith(t, pgtest.Options{
		InitArgs: []string{"--locale=C.UTF-8"}, Env: []string{"LOCPATH=" + locales},
		Settings: map[string]string{"lc_messages": "de_DE.UTF-8"},
	})
}

func TestALimitOfConnectionsThatIsTooSmallIsFound(t *testing.T) {
	p := newPatient(t)
	role := p.role("alone")
	p.pg.Exec(t, "postgres", `ALTER ROLE `+role+` CONNECTION LIMIT 1`)
	if f := p.one("postgresql.sessions"); f.Result != doctor.Fail {
		t.Errorf("%+v", f)
	}
}

func TestSettingsThatHideDamageAreFound(t *testing.T) {
	p := newPatient(t)
	own := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{
		"zero_damaged_pages": "on", "fsync": "on", "full_page_writes": "on", "max_locks_per_transaction": "10",
		"max_connections": "10",
	}})
	p.pg, p.job.Postgres = own, config.Postgres{Host: own.Host, Port: own.Port, User: own.User}
	p.job.Database = own.CreateDatabase(t)
	if f := p.one("postgresql.settings"); f.Result != doctor.Fail || !strings.Contains(f.Seen, "zero_damaged_pages") {
		t.Errorf("%+v", f)
	}
	own.Exec(t, "postgres", "ALTER SYSTEM SET zero_damaged_pages = off")
	own.Exec(t, "postgres", "SELECT pg_reload_conf()")
	own.Exec(t, "postgres", "ALTER DATABASE "+p.job.Database+" SET zero_damaged_pages = off")
	if f := p.one("postgresql.settings"); f.Result != doctor.OK {
		t.Errorf("%+v", f)
	}
	own.Exec(t, "postgres", "ALTER SYSTEM SET full_page_writes = off")
	own.Exec(t, "postgres", "SELECT pg_reload_conf(), pg_sleep(1)")
	if f := p.one("postgresql.settings"); f.Result != doctor.Warn {
		t.Errorf("%+v", f)
	}
	if f := p.one("postgresql.locks"); f.Result != doctor.OK {
		t.Errorf("%+v", f)
	}
	own.Exec(t, p.job.Database, "DO $$ BEGIN FOR i IN 1..150 LOOP EXECUTE format('CREATE TABLE t%s ()', i); COMMIT; END LOOP; END $$")
	if f := p.one("postgresql.locks"); f.Result != doctor.Warn {
		t.Errorf("%+v", f)
	}
}

func TestAServerThatIsNotReachedAndProgramsThatAreNotThere(t *testing.T) {
	p := newPatient(t)
	if f := p.one("postgresql.clients"); f.Result != doctor.OK {
		t.Errorf("%+v", f)
	}
	p.job.Postgres.BinDir = t.TempDir()
	if f := p.one("postgresql.clients"); f.Result != doctor.Fail || !strings.Contains(f.Remedy, "Install") {
		t.Errorf("%+v", f)
	}
	p.job.Postgres.Port = "1"
	r := p.examine("postgresql")
	if len(r.Findings) != 1 || r.Findings[0].ID != "postgresql.reach" || r.Findings[0].Result != doctor.Fail {
		t.Errorf("%+v", r.Findings)
	}
}

func TestADrillIsJudgedWhereItTakesPlace(t *testing.T) {
	p := newPatient(t)
	const check = "postgresql.drill"
	if f := p.one(check); f.Result != doctor.OK {
		t.Errorf("no timer drills, and %+v", f)
	}
	p.job.Drill.By = config.DrillByTimer
	if f := p.one(check); f.Result != doctor.Unknown {
		t.Errorf("nobody looked, and %+v", f)
	}
	p.drill = &restore.DrillRequest{}
	p.job.Drill.Server = config.DrillServer{Host: "127.0.0.1", Port: "1", User: "nobody"}
	if f := p.one(check); f.Result != doctor.Fail || !strings.Contains(f.Seen, "drill.server") {
		t.Errorf("its server is not there, and %+v", f)
	}
}

func TestBugsAreThoseOfTheMinorVersion(t *testing.T) {
	for version, want := range map[int]int{140003: 1, 140001: 2, 140004: 0, 150002: 4, 150019: 1, 150020: 0, 170000: 3, 180007: 0, 160001: 0} {
		if got := doctor.BugsOf(version); len(got) != want {
			t.Errorf("%d has %+v", version, got)
		}
	}
	for _, b := range doctor.Bugs() {
		if b.From >= b.Fixed || b.Check == "" || !strings.HasSuffix(b.Notes, fmt.Sprintf("/%d/release-%d-%d.html", b.Major, b.Major, b.Fixed)) {
			t.Errorf("%+v", b)
		}
	}
}

func TestAVersionIsJudgedByTheListAndOneThatNobodyReadOfIsNotKnown(t *testing.T) {
	for number, want := range map[int]doctor.Result{150019: doctor.Warn, 150020: doctor.OK, 160001: doctor.Unknown} {
		f := record(doctor.BugsFinding("x", number))[0]
		if f.Result != want || want != doctor.OK && f.Remedy == "" {
			t.Errorf("%d: %+v", number, f)
		}
	}
}

func TestAStandbyIsToldOfWhatItDoesNotHave(t *testing.T) {
	primary := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{"wal_level": "replica", "max_wal_senders": "4"}})
	p := newPatient(t)
	p.job.Database = primary.CreateDatabase(t)
	standby := primary.Standby(t, map[string]string{"hot_standby_feedback": "off"})
	p.pg = standby
	p.job.Postgres = config.Postgres{Host: standby.Host, Port: standby.Port, User: standby.User}
	const check = "postgresql.unlogged"
	if f := p.one(check); f.Result != doctor.Warn || !strings.Contains(f.Seen, "hot_standby_feedback off") {
		t.Errorf("%+v", f)
	}
	standby.Exec(t, "postgres", "ALTER SYSTEM SET hot_standby_feedback = on")
	standby.Exec(t, "postgres", "SELECT pg_reload_conf(), pg_sleep(1)")
	if f := p.one(check); f.Result != doctor.OK || !strings.Contains(f.Seen, "standby") {
		t.Errorf("%+v", f)
	}
	primary.Exec(t, p.job.Database, "CREATE UNLOGGED TABLE sessions (id int)")
	standby.CatchUp(t, primary)
	if f := p.one(check); f.Result != doctor.Warn || !strings.Contains(f.Seen, "1 unlogged table") {
		t.Errorf("%+v", f)
	}
}
