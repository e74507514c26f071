package installed

import (
	"fmt"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// The layout that README ships: each duty has a key of its own, and operators have one that only reads. The
// store enforces what each key may do, so that a unit with another's key could not do its work.

const (
	peopleSecret = "canary+people/cmVhZHMgb25seQ"
	proverSecret = "canary+prover/cHJvb2ZzIG9ubHk"
	keeperSecret = "canary+keeper/ZGVsZXRlcyB0b28"
	copierSecret = "canary+copier/Y29waWVzIG9ubHk"
	readerSecret = "canary+reader/d2F0Y2hlcyBvbmx5"

	noWrites  = "PutObject,CopyObject,CreateMultipartUpload,UploadPart,CompleteMultipartUpload,DeleteObject,DeleteObjects"
	noDumps   = "CreateMultipartUpload,DeleteObject,DeleteObjects"
	noUploads = "PutObject,CopyObject,CreateMultipartUpload"

	secretDir = "/etc/pgbtui/secret/"
)

// duties is the table of docs/units.md: the secrets that the code of each unit can read, and no others. The key of
// people is everybody's in group pgbtui. The environment file is for root alone here, as units read it.
func duties() map[string][]string {
	backups := []string{
		"database-password", "environment's key", "environment's password", "heartbeat-url", "people", "signing-key", "writer",
	}
	proofs := []string{"age-identity", "environment's key", "people", "prover"}
	watch := []string{"alert-urls", "environment's hook", "environment's key", "people", "reader"}
	drills := []string{"age-identity", "environment's key", "environment's password", "people", "prover"}
	return map[string][]string{
		"postgres-backup@production.service":        backups,
		"postgres-backup.service":                   backups,
		"postgres-backup-verify@production.service": proofs,
		"postgres-backup-verify.service":            proofs,
		"postgres-verify@x.service":                 proofs,
		"postgres-backup-drill@production.service":  drills,
		"postgres-backup-drill.service":             drills,
		"postgres-drill@x.service":                  drills,
		"postgres-restore@x.service":                drills,
		"postgres-backup-prune@production.service":  {"environment's key", "keeper", "people"},
		"postgres-backup-prune.service":             {"environment's key", "keeper", "people"},
		"postgres-backup-copy@production.service":   {"copier", "environment's key", "people"},
		"postgres-backup-copy.service":              {"copier", "environment's key", "people"},
		"postgres-backup-watch.service":             watch,
		"postgres-backup-alert@x.service":           {"alert-urls", "environment's hook", "people"},
		"postgres-backup-alert-test.service":        {"alert-urls", "environment's hook", "people"},
	}
}

// shells is what a person or a program outside the units can read as each user while all of them run: systemd
// shows a running unit's credentials to every process of the unit's user.
func shells() map[string][]string {
	return map[string][]string{
		operator:        {"people"},
		guest:           nil,
		"nobody":        nil,
		"postgres":      {"age-identity", "prover"},
		"pgbtui":        {"age-identity", "database-password", "heartbeat-url", "people", "prover", "signing-key", "writer"},
		"pgbtui-prover": {"age-identity", "prover"},
		"pgbtui-keeper": {"keeper"},
		"pgbtui-copier": {"copier"},
		"pgbtui-watch":  {"alert-urls", "reader"},
	}
}

func newDutyHost(t *testing.T) *host {
	t.Helper()
	h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1"}), held: map[string]bool{}}
	h.copyPrograms(t)
	callers := ""
	for _, c := range []string{
		"AKIAPEOPLE:" + peopleSecret + ":" + noWrites, writerKey + ":" + writerSecret + ":DeleteObject,DeleteObjects",
		"AKIAPROVER:" + proverSecret + ":" + noDumps, "AKIAKEEPER:" + keeperSecret + ":" + noUploads,
		"AKIAREADER:" + readerSecret + ":" + noWrites, "AKIACOPIER:" + copierSecret + ":DeleteObject,DeleteObjects",
	} {
		callers += " --caller=" + c
	}
	store := strings.Replace(storeUnit, " --writer="+writerKey+":"+writerSecret, callers, 1)
	h.write(t, "/etc/systemd/system/store.service", store)
	h.root(t, "systemctl", "start", "store.service")
	h.sql(t, "postgres", "CREATE DATABASE production TEMPLATE template0")
	h.sql(t, "production", shop)
	h.root(t, "pgbtui", "units", "install", "--database-role")
	h.root(t, "mkdir", "-p", nodeExporterDir) // as Debian's package has it: root's
	h.root(t, "setfacl", "-m", "user:pgbtui:rwx,user:pgbtui-watch:rwx", nodeExporterDir)
	h.addPeople(t)
	return h
}

func (h *host) addPeople(t *testing.T) {
	t.Helper()
	for user, groups := range map[string][]string{operator: {"pgbtui", "systemd-journal"}, guest: nil} {
		if err := h.lab.AddUser(t.Context(), user, groups...); err != nil {
			t.Fatal(err)
		}
	}
}

// What systemd shows of credentials to whom has changed before.
func TestNoCodeReadsWhatAnotherUnitNeedsUnderNewerSystemd(t *testing.T) {
	for _, system := range lab.Newer() {
		t.Run(system.String(), func(t *testing.T) {
			h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1", System: system, NoPostgreSQL: true})}
			h.copyPrograms(t)
			h.root(t, "sh", "-c", "id postgres || useradd --system postgres")
			h.root(t, "pgbtui", "units", "install")
			h.addPeople(t)
			h.handsOut(t)
			h.codeReadsItsOwnAlone(t)
			h.onlyTheLastTryIsTold(t)
		})
	}
}

// onlyTheLastTryIsTold: systemd 254 and newer start OnFailure= for each try that fails.
func (h *host) onlyTheLastTryIsTold(t *testing.T) {
	t.Helper()
	h.dropIn(t, productionUnit, "[Unit]\nStartLimitBurst=2\n[Service]\nExecStart=\nExecStart=sh -c 'exit 69'\nRestartSec=20s\n")
	alertUnit := "postgres-backup-alert@" + productionUnit + ".service"
	before := len(h.alerts(t, productionUnit))
	h.begin(t, productionUnit)
	h.waitsForItsRetry(t, productionUnit, "69")
	until(t, "the alert unit to see that a try is left", func() error {
		if state := h.show(t, alertUnit); state["ActiveState"] != "inactive" || state["InvocationID"] == "" {
			return fmt.Errorf("%s", standing(state))
		}
		return nil
	})
	if told := h.alerts(t, productionUnit)[before:]; len(told) > 0 {
		t.Errorf("told while a try is left: %v", told)
	}
	h.over(t, productionUnit)
	until(t, "the alert of the last try", func() error {
		if told := h.alerts(t, productionUnit)[before:]; len(told) != 1 {
			return fmt.Errorf("%d alerts", len(told))
		}
		return nil
	})
}

const dutyConfiguration = `s3:
  bucket: backups
  region: us-east-1
  endpoint: http://127.0.0.1:9000
  path_style: true
  credentials_file: ` + credentialsFile + `
keep: {days: 30, by: timer}
copies:
  - name: far
    s3: {bucket: backups, prefix: far, region: us-east-1, endpoint: "http://127.0.0.1:9000", path_style: true, credentials_file: ` + credentialsFile + `}
    keep: {days: 90}
    verify: true
metrics: {textfile: ` + nodeExporterDir + `}
jobs:
  production: {}
`

// handsOut writes the keys as README says.
func (h *host) handsOut(t *testing.T) {
	t.Helper()
	h.configure(t, dutyConfiguration, "")
	if err := h.lab.WriteFile(credentialsFile, profile("AKIAPEOPLE", peopleSecret), 0o640); err != nil {
		t.Fatal(err)
	}
	h.secret(t, secretDir+"writer", profile(writerKey, writerSecret))
	h.secret(t, secretDir+"prover", profile("AKIAPROVER", proverSecret))
	h.secret(t, secretDir+"keeper", profile("AKIAKEEPER", keeperSecret))
	h.secret(t, secretDir+"reader", profile("AKIAREADER", readerSecret))
	h.secret(t, secretDir+"copier", profile("AKIACOPIER", copierSecret))
}

func TestEachDutyHasItsOwnSecrets(t *testing.T) {
	h := newDutyHost(t)
	h.handsOut(t)
	for _, step := range []struct {
		name string
		test func(*host, *testing.T)
	}{
		{"EachUnitDoesItsWorkWithItsOwnKey", (*host).dutiesAreDone},
		{"RunsAndTheWatchWriteMetrics", (*host).metricsAreWritten},
		{"AnOperatorWritesNothing", (*host).operatorWritesNothing},
		{"NoCodeReadsWhatAnotherUnitNeeds", (*host).codeReadsItsOwnAlone},
		{"NobodyReadsTheMemoryOfARunByHand", (*host).memoryIsHidden},
		{"ConfigCheckSaysWhoReadsWhat", (*host).checkSaysWhoReadsWhat},
		{"AHostOfTheOldLayoutGoesOn", (*host).oldLayoutGoesOn},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(h, t) }) {
			t.FailNow()
		}
	}
}

func (h *host) dutiesAreDone(t *testing.T) {
	h.allDutiesEnd(t)
	proofs := h.details(t, h.setsOf(t, "production")[0].ID).Proofs
	if len(proofs) < 2 {
		t.Errorf("verification and drill left %d proofs: %+v", len(proofs), proofs)
	}
	const copies = "postgres-backup-copy@production.service"
	h.begin(t, copies)
	h.ends(t, copies, "success", "0")
	h.begin(t, "postgres-backup-verify@production.service") // the copy too
	h.ends(t, "postgres-backup-verify@production.service", "success", "0")
	if out := h.root(t, "pgbtui", "list", "--from", "far"); !strings.Contains(out, "ok, readable") {
		t.Errorf("the copy is not there, or not verified:\n%s", out)
	}
	h.restoresFromTheCopy(t)
}

// restoresFromTheCopy asks the restore unit as the console does.
func (h *host) restoresFromTheCopy(t *testing.T) {
	t.Helper()
	id := h.setsOf(t, "production")[0].ID
	var of struct {
		SHA256 string `json:"manifestSha256"`
	}
	h.pgbtuiJSON(t, &of, "show", id, "--from", "far")
	request := fmt.Sprintf(`{"set": %q, "instance": "db1", "database": "production", "job": "production", "from": "far", `+
		`"manifestSha256": %q, "to": "from_far", "at": "2026-01-01T00:00:00Z"}`, id, of.SHA256)
	if err := h.lab.WriteFile("/var/lib/pgbtui/requests/far1.json", request, 0o640); err != nil {
		t.Fatal(err)
	}
	h.root(t, "chgrp", "pgbtui", "/var/lib/pgbtui/requests/far1.json")
	const unit = "postgres-restore@far1.service"
	h.begin(t, unit)
	h.ends(t, unit, "success", "0")
	h.sql(t, "from_far", "SELECT 1")
	h.sql(t, "postgres", "DROP DATABASE from_far")
	if lines := h.root(t, "pgbtui", "show", id, "--from", "far"); !strings.Contains(lines, "restored") {
		t.Errorf("the copy has no proof of the restore:\n%s", lines)
	}
}

// allDutiesEnd runs every unit once, with success and nothing to remark.
func (h *host) allDutiesEnd(t *testing.T) {
	t.Helper()
	for _, unit := range []string{
		productionUnit, "postgres-backup-verify@production.service", "postgres-backup-drill@production.service",
		"postgres-backup-prune@production.service",
	} {
		h.begin(t, unit)
		h.ends(t, unit, "success", "0")
	}
	h.begin(t, watchUnit)
	if last := h.over(t, watchUnit); last["Result"] != "success" { // timers are off, which it says
		t.Errorf("the watch: %s", standing(last))
	}
	if lines := h.lastLines(t, watchUnit); strings.Contains(lines, "cannot be read") {
		t.Errorf("the watch cannot read: %s", lines)
	}
}

// operatorWritesNothing: not a set by the program, and not an object by the key that operators can read.
func (h *host) operatorWritesNothing(t *testing.T) {
	before := len(h.setsOf(t, "production"))
	for _, argv := range [][]string{
		{"pgbtui", "hold", "latest", "--yes", "--reason", "x"},
		{"env", "PGUSER=postgres", "pgbtui", "--headless", "--job", "production"},
	} {
		if code, said := h.refused(t, operator, argv...); code != 77 {
			t.Errorf("%q: exit %d\n%s", argv, code, said)
		}
	}
	h.lab.Run(t, operator, "pgbtui", "list")
	if after := len(h.setsOf(t, "production")); after != before {
		t.Errorf("%d sets before, %d after", before, after)
	}
	for file := range duties() {
		if _, err := h.lab.Output(t.Context(), operator, "ls", "/run/credentials/"+file); err == nil {
			t.Errorf("an operator looks into the credentials of %s", file)
		}
	}
}

// checkSaysWhoReadsWhat: what is as it should be, and what is not, to root and to the backups' user.
func (h *host) checkSaysWhoReadsWhat(t *testing.T) {
	check := func(user string, texts ...string) {
		t.Helper()
		out, err := h.lab.Output(t.Context(), user, "pgbtui", "config", "check", "--offline")
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("config check as %s does not say %q: %v\n%s", user, text, err, out)
			}
		}
	}
	check("pgbtui", "ok   secrets: "+credentialsFile+" is read by root and group pgbtui",
		"root alone can look: sudo pgbtui config check --offline")
	check("root", "ok   units' secrets: in /etc/pgbtui/secret, read by root alone, who hands each unit its own: "+
		"copier, keeper, prover, reader, writer")

	h.secret(t, secretDir+"writter", "x")
	check("root", "FAIL units' secrets: no installed unit is handed "+secretDir+"writter")
	h.root(t, "rm", secretDir+"writter")
	h.root(t, "chmod", "0640", secretDir+"writer")
	check("root", "FAIL units' secrets: others than root can read "+secretDir+"writer", "chmod go-rwx "+secretDir+"writer")
	h.root(t, "chmod", "0600", secretDir+"writer")
	h.dropIn(t, productionUnit, "[Service]\nLoadCredential=more:/etc/pgbtui/more\n")
	check("root", "FAIL units' secrets: "+productionUnit+" loads the credential more from /etc/pgbtui/more, "+
		"which is not there")
	h.root(t, "rm", "-r", "/etc/systemd/system/"+productionUnit+".d")
	h.root(t, "systemctl", "daemon-reload")

	h.root(t, "cp", secretDir+"writer", "/tmp/writer")
	h.root(t, "sh", "-c", "cat "+secretDir+"writer >"+credentialsFile)
	check("root", "ok   secrets:", "the backups' key is in "+credentialsFile+", so that operators can write sets with it")
	environment := storeEnvironment + "SLACK_WEBHOOK_URL=http://127.0.0.1/x\n"
	if err := h.lab.WriteFile("/etc/pgbtui/environment", environment, 0o640); err != nil {
		t.Fatal(err)
	}
	h.root(t, "chgrp", "pgbtui", "/etc/pgbtui/environment")
	check("pgbtui", "ok   secrets:", secretDir+"alert-urls", "AWS_SECRET_ACCESS_KEY is in /etc/pgbtui/environment",
		"SLACK_WEBHOOK_URL is in /etc/pgbtui/environment")
	h.root(t, "chmod", "0644", "/etc/pgbtui/environment")
	check("pgbtui", "FAIL secrets: everybody on this host can read /etc/pgbtui/environment")
	h.root(t, "rm", "/etc/pgbtui/environment")
}

// oldLayoutGoesOn: one key for everything, which only the user can read that all units had before.
func (h *host) oldLayoutGoesOn(t *testing.T) {
	h.root(t, "sh", "-c", "rm "+secretDir+"*")
	if err := h.lab.WriteFile(credentialsFile, credentials(secretKey), 0o640); err != nil {
		t.Fatal(err)
	}
	h.root(t, "chown", "root:pgbtui", credentialsFile)
	h.root(t, "chown", "-R", "pgbtui:pgbtui", "/var/lib/pgbtui/verify", "/var/lib/pgbtui/watch")
	h.allDutiesEnd(t)

	h.root(t, "chown", "pgbtui:root", credentialsFile)
	h.root(t, "chmod", "0600", credentialsFile)
	said := h.root(t, "pgbtui", "units", "install")
	if !strings.Contains(said, secretDir+"keeper") || !strings.Contains(said, "a link to "+credentialsFile) {
		t.Errorf("units install does not say that it handed the key over:\n%s", said)
	}
	h.allDutiesEnd(t)
	if again := h.root(t, "pgbtui", "units", "install"); strings.Contains(again, "a link to") {
		t.Errorf("a second installation links once more:\n%s", again)
	}
}
