package installed

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/test/lab"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// A restore runs what the owners of a database wrote, as a superuser. Here an ordinary role wrote down
// everything that it would like to have, and the weekly drill must give it nothing.

// reach is what the role's code runs in the shell of whoever restores it: lines of a name, a tab, and
// whether that was reached. What it was, it leaves nowhere.
const reach = `try() { name=$1; shift; if out=$("$@" 2>/dev/null) && [ -n "$out" ]; then printf '%s\treached\n' "$name"; else printf '%s\tnothing\n' "$name"; fi; }
try id id -un
try s3key cat /etc/pgbtui/s3-credentials
try webhook cat /etc/pgbtui/config.yaml
try age cat /etc/pgbtui/age.key
try credentials sh -c 'cat /run/credentials/*/*'
try group sh -c 'id -Gn | tr " " "\n" | grep -x pgbtui'
try rows psql -X -h /run/postgresql -U pgbtui -d production -Atc 'SELECT count(*) FROM private.ledger'
try other-rows psql -X -h /tmp -U pgbtui -d production -Atc 'SELECT count(*) FROM private.ledger'
try store bash -c 'exec 3<>/dev/tcp/127.0.0.1/9000 && echo yes'
try interfaces sh -c 'ip -o link | grep -v " lo:"'
try environ sh -c 'cat /proc/[0-9]*/environ | tr "\0" "\n" | grep -E "AWS|CREDENTIALS|SLACK|NOTIFY|CANARY|JOURNAL"'
try others sh -c 'cat /proc/[0-9]*/comm | grep -E "s3server|webhook|systemd|dbus"'
try sockets sh -c 'ls /run/dbus/system_bus_socket /run/systemd/private /run/systemd/journal/* /run/pgbtui-drill/control /run/postgresql/.s*'
try homes sh -c 'ls -A /home /root /var/lib/pgbtui /var/lib/postgresql /var/backups'
try written sh -c 'for d in / /run /tmp/.. /dev/shm /var /var/lib/pgbtui /var/lib/pgbtui/drill /etc /usr/local/share; do echo >$d/canary-of-mallory && echo yes; done'
try tmp sh -c 'ls -A /tmp /var/tmp | grep -v -e : -e pgbtui-server'
chmod -R 777 /run/pgbtui-drill/* /var/tmp 2>/dev/null
true`

// mallory is an ordinary role with a table. To it, the function does nothing.
const mallory = `CREATE ROLE mallory LOGIN;
CREATE SCHEMA mallory AUTHORIZATION mallory;
SET ROLE mallory;
CREATE FUNCTION mallory.fine(i int) RETURNS bool LANGUAGE plpgsql AS $fine$
BEGIN
	IF current_setting('is_superuser') = 'on' AND to_regclass('mallory.got') IS NULL THEN
		CREATE TABLE mallory.got (name text, what text);
		EXECUTE format('COPY mallory.got FROM PROGRAM %%L', $reach$%s$reach$);
	END IF;
	RETURN true;
END $fine$;
CREATE TABLE mallory.t (i int CHECK (mallory.fine(i)));
INSERT INTO mallory.t VALUES (1), (2);
RESET ROLE;`

// grants are memberships whose grantor is no superuser: from PostgreSQL 16 on, only an administrator of the role.
const grants = `CREATE ROLE zoe; GRANT tenant TO zoe WITH ADMIN OPTION; SET ROLE zoe; GRANT tenant TO clerk; RESET ROLE;`

// wantsNothing has the drill ask the copy what was reached: each question fails the drill if it was.
func wantsNothing() string {
	var b strings.Builder
	b.WriteString("    drill:\n      expect:\n")
	b.WriteString("        - {sql: \"SELECT grantor::regrole FROM pg_auth_members WHERE member = 'clerk'::regrole\", result: zoe}\n")
	// The proof that the code ran at all, as a superuser, with a shell.
	b.WriteString("        - {sql: \"SELECT what FROM mallory.got WHERE name = 'id'\", result: reached}\n")
	for _, line := range strings.Split(reach, "\n") {
		if fields := strings.Fields(line); fields[0] == "try" && fields[1] != "id" {
			fmt.Fprintf(&b, "        - {sql: \"SELECT name || ' ' || what FROM mallory.got WHERE name = '%s'\", result: %s nothing}\n", fields[1], fields[1])
		}
	}
	return b.String()
}

func TestADrillGivesTheRestoredCodeNothing(t *testing.T) {
	need.Program(t, "psql", "pkill", "ip")
	attackDrills(t, lab.System{}, 6)
}

// What a unit's namespace shows is systemd's, and what the code may do in it is PostgreSQL's.
func TestADrillGivesTheRestoredCodeNothingOnDebian13(t *testing.T) {
	attackDrills(t, lab.Debian13(), 1)
}

// attackDrills kills as many drills as kills says, each at another moment.
func attackDrills(t *testing.T, system lab.System, kills int) {
	t.Helper()
	h := newHost(t, system)
	h.root(t, "pgbtui", "units", "install", "--database-role")
	for user, groups := range map[string][]string{operator: {"pgbtui", "systemd-journal"}, blind: {"pgbtui"}, guest: nil} {
		if err := h.lab.AddUser(t.Context(), user, groups...); err != nil {
			t.Fatal(err)
		}
	}
	h.configure(t, strings.Replace(configuration, "  production: {}\n", "  production:\n    encryption: {identity_file: /etc/pgbtui/age.key}\n"+wantsNothing(), 1), secretKey)
	if err := h.lab.WriteFile("/etc/pgbtui/age.key", "# canary\n"+ageKey(t), 0o640); err != nil {
		t.Fatal(err)
	}
	h.root(t, "chgrp", "pgbtui", "/etc/pgbtui/age.key")
	h.write(t, "/etc/pgbtui/environment", "PGPASSWORD=CANARY-of-production\n")
	// Even a server that asks nobody for a password must stay out of reach.
	h.root(t, "sh", "-c", `sed -i '1i local production pgbtui trust' /etc/postgresql/*/main/pg_hba.conf; systemctl reload 'postgresql@*'`)
	h.sql(t, "production", fmt.Sprintf(mallory, reach))
	h.sql(t, "production", grants)
	h.root(t, "systemctl", "start", productionUnit)
	set := h.setsOf(t, "production")[0].ID

	for _, step := range []struct {
		name string
		test func(*host, *testing.T, string)
	}{
		{"TheWeeklyDrillIsRightAndNothingWasReached", (*host).drillsMallory},
		{"NobodyElseConnectsToTheServer", (*host).serverIsTheDrillsOwn},
		{"AServerThatAsksForAPasswordGetsNone", (*host).noPasswordIsOffered},
		{"AKilledDrillLeavesNoServerAndNoData", func(h *host, t *testing.T, set string) {
			h.killedDrillsLeaveNothing(t, set, kills)
		}},
		{"ADrillByHandUsesTheUnitOrIsRefused", (*host).drillsByHand},
	} {
		t.Run(step.name, func(t *testing.T) { step.test(h, t, set) })
	}
}

func (h *host) drillsMallory(t *testing.T, set string) {
	h.begin(t, weekly+".service")
	h.ends(t, weekly+".service", "success", "0")
	h.nothingOfADrill(t)
	for _, p := range h.details(t, set).Proofs {
		if p.Kind == "drill" && p.OK && p.Drill != nil && p.Drill.Private && p.Drill.Expectations > 10 && p.Rows == 1234+4321+72000+2 {
			return
		}
	}
	t.Errorf("no good proof: %+v\n%s", h.details(t, set).Proofs, h.lastLines(t, weekly+".service"))
}

// serverIsTheDrillsOwn holds a drill while it loads, when the hostile code has opened its folder to all.
func (h *host) serverIsTheDrillsOwn(t *testing.T, set string) {
	unit := "postgres-drill@" + set + ".service"
	const another = "/run/pgbtui-drill/another"
	h.root(t, "mkdir", "-m", "0777", another)
	h.begin(t, unit)
	h.holdsRestore(t, unit)
	if seen := h.root(t, "sh", "-c", "ls /proc/$(pgrep -o -u pgbtui-drill -x postgres)/root/run/pgbtui-drill"); len(strings.Fields(seen)) != 1 ||
		strings.Contains(seen, "another") {
		t.Errorf("code in one drill's server sees of other servers' sockets:\n%s", seen)
	}
	h.root(t, "rmdir", another)
	socket := strings.TrimSpace(h.root(t, "sh", "-c", "find /run/pgbtui-drill -name .s.PGSQL.5432"))
	if socket == "" {
		t.Fatal("no server")
	}
	ask := []string{"psql", "-X", "-h", filepath.Dir(socket), "-U", "postgres", "-d", "postgres", "-Atc", "SELECT 1"}
	if got := h.root(t, ask...); got != "1\n" {
		t.Errorf("root: %q", got)
	}
	// (The server's own account could; no person and no other process has it.)
	for _, user := range []string{guest, operator, blind, "pgbtui", "postgres", "nobody"} {
		if out, err := h.lab.Output(t.Context(), user, ask...); err == nil {
			t.Errorf("%s is let in: %s", user, out)
		}
	}
	for _, user := range []string{guest, operator, "postgres", "nobody", "pgbtui-drill"} {
		if _, err := h.lab.Output(t.Context(), user, "bash", "-c", "test -w /run/pgbtui-drill/control"); err == nil {
			t.Errorf("%s may have servers", user)
		}
	}
	server := h.root(t, "sh", "-c", "ps -o user=,supgrp=,comm= -u pgbtui-drill | sort -u")
	if strings.Contains(server, "pgbtui ") || strings.Contains(server, ",") || !strings.Contains(server, "postgres") {
		t.Errorf("the server runs as:\n%s", server)
	}
	h.root(t, "pkill", "-CONT", "-u", "pgbtui", "-x", "pg_restore")
	h.ends(t, unit, "success", "0")
}

// noPasswordIsOffered has the set's code make its server ask for passwords: what the environment holds
// for the live server must not be sent, and the drill fails.
func (h *host) noPasswordIsOffered(t *testing.T, _ string) {
	h.sql(t, "production", `SET ROLE mallory; CREATE OR REPLACE FUNCTION mallory.fine(i int) RETURNS bool LANGUAGE plpgsql AS $$
		BEGIN
			IF current_setting('is_superuser') = 'on' AND i = 1 THEN
				EXECUTE format('COPY (SELECT ''local all all password'') TO %L', current_setting('hba_file'));
				PERFORM pg_catalog.pg_reload_conf();
			END IF;
			RETURN true;
		END $$`)
	h.begin(t, productionUnit)
	h.ends(t, productionUnit, "success", "0")
	h.begin(t, weekly+".service")
	last := h.over(t, weekly+".service")
	if last["Result"] == "success" {
		t.Error("a drill whose server asks for a password succeeded")
	}
	if lines := h.lastLines(t, weekly+".service"); !strings.Contains(lines, "password") || strings.Contains(lines, "password authentication failed") {
		t.Errorf("a password was offered:\n%s", lines)
	}
	h.nothingOfADrill(t)
	h.root(t, "systemctl", "reset-failed")
}

func (h *host) killedDrillsLeaveNothing(t *testing.T, set string, kills int) {
	unit := "postgres-drill@" + set + ".service"
	for range kills {
		h.begin(t, unit)
		until(t, "the drill to begin", func() error {
			if state := h.show(t, unit); state["MainPID"] == "0" {
				return fmt.Errorf("%s", standing(state))
			}
			return nil
		})
		time.Sleep(rand.N(4 * time.Second))
		_, _ = h.lab.Output(t.Context(), "root", "systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit)
		h.over(t, unit)
		h.nothingOfADrill(t)
	}
	h.root(t, "systemctl", "reset-failed")

	// Nor does a server whose own supervisor is killed, of which the drill is told.
	h.begin(t, unit)
	h.holdsRestore(t, unit)
	h.root(t, "pkill", "-KILL", "-u", "pgbtui-drill", "-x", "pgbtui")
	h.root(t, "pkill", "-CONT", "-u", "pgbtui", "-x", "pg_restore")
	h.ends(t, unit, "exit-code", "1")
	if lines := h.lastLines(t, unit); !strings.Contains(lines, "the drill's server") {
		t.Errorf("the drill does not say that its server ended:\n%s", lines)
	}
	h.nothingOfADrill(t)
	for _, p := range h.details(t, set).Proofs {
		if p.Kind == "drill" && !p.OK {
			t.Errorf("a drill without a server is held against the set: %+v", p)
		}
	}
	h.root(t, "systemctl", "reset-failed")
}

func (h *host) drillsByHand(t *testing.T, set string) {
	if code, said := h.refused(t, operator, "pgbtui", "drill", set); code != 4 || !strings.Contains(said, "systemctl start postgres-drill@"+set) || !strings.Contains(said, "--unconfined") {
		t.Errorf("an operator's drill by hand: %d\n%s", code, said)
	}
	h.root(t, "systemctl", "stop", "postgres-drill-server.socket")
	var drilled struct{ Proof backup.Proof }
	if err := json.Unmarshal([]byte(h.root(t, "pgbtui", "drill", set, "--json")), &drilled); err != nil {
		t.Fatal(err)
	}
	if f := drilled.Proof.Drill; f == nil || f.Expectations < 10 {
		t.Errorf("root's drill by hand: %+v", drilled.Proof)
	}
	h.nothingOfADrill(t)
}

func ageKey(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.String() + "\n"
}
