package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// A machine that has PostgreSQL with databases, a store somewhere, and nothing of pgbtui but the program.

const keyFile = "/root/backup-key"

// initBy is the command of somebody who wants no question, with other answers behind.
func initBy(more ...string) []string {
	return append([]string{
		"pgbtui", "init", "--bucket", "backups", "--region", "us-east-1", "--endpoint", "http://127.0.0.1:9000", "--key-file", keyFile,
	}, more...)
}

// newBareHost has three databases, and a store, and no trace of pgbtui but the program.
func newBareHost(t *testing.T) *host {
	t.Helper()
	h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1", System: lab.Chosen()}), held: map[string]bool{}}
	h.copyPrograms(t)
	h.write(t, "/etc/systemd/system/store.service", storeUnit)
	h.root(t, "systemctl", "start", "store.service")
	for _, name := range []string{"shop", "crm", "billing"} {
		h.sql(t, "postgres", "CREATE DATABASE "+name+" TEMPLATE template0")
		h.sql(t, name, shop)
	}
	if err := h.lab.WriteFile(keyFile, credentials(secretKey), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestInitOnAMachineWithNothing(t *testing.T) {
	h := newBareHost(t)
	for _, step := range []struct {
		name string
		test func(*host, *testing.T)
	}{
		{"InitWithoutATerminalNamesWhatIsMissing", (*host).initNamesWhatIsMissing},
		{"InitChangesNothingBeforeItsAnswersAreRight", (*host).initChangesNothingFirst},
		{"InitIsKilledAnywhereAndGoesOnWhenItIsRunAgain", (*host).initIsKilledAnywhere},
		{"InitAsksAtMostTenQuestionsAndAsksAgainForBadAnswers", (*host).initAsks},
		{"InitIsRunAgainAndChangesNothing", (*host).initRunsAgain},
		{"ADatabaseThatIsCreatedLaterIsCoveredTheNextNight", (*host).laterDatabaseIsCovered},
		{"InitTakesOverFromTheArticlesScript", (*host).takesOver},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(h, t) }) {
			t.FailNow()
		}
	}
}

// traces are the files of a host that init or an installation would make.
func (h *host) traces() (files []string) {
	for _, pattern := range []string{
		"etc/pgbtui", "etc/pgbtui/*", "etc/pgbtui/secret/*", "etc/systemd/system/postgres-backup*", "etc/sysusers.d/pgbtui*",
		"etc/polkit-1/rules.d/*pgbtui*",
	} {
		found, _ := filepath.Glob(filepath.Join(h.lab.Root(), pattern))
		files = append(files, found...)
	}
	return files
}

func (h *host) initNamesWhatIsMissing(t *testing.T) {
	code, said := h.refused(t, "root", "pgbtui", "init")
	if code != 64 || !strings.Contains(said, "--bucket, --region or --endpoint, --key-file") {
		t.Errorf("exit %d: %s", code, said)
	}
	if code, said = h.refused(t, "nobody", "pgbtui", "init"); code != 77 || !strings.Contains(said, "sudo pgbtui init") {
		t.Errorf("without root: exit %d: %s", code, said)
	}
}

func (h *host) initChangesNothingFirst(t *testing.T) {
	if err := h.lab.WriteFile("/root/no-key", profile("AKIANOBODY", "nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flags []string
		code  int
		says  string
	}{
		"a bucket that is not there": {[]string{"--bucket", "nothing-here"}, 66, "nothing-here"},
		"a key of nobody":            {[]string{"--key-file", "/root/no-key"}, 77, "s3"},
		"a key file without a key":   {[]string{"--key-file", "/etc/hostname"}, 78, "aws_access_key_id"},
		"a database that is missing": {[]string{"--databases", "shop,ghost"}, 66, `no database "ghost"`},
		"a server that is not there": {[]string{"--server", "5999"}, 69, "pg_lsclusters"},
		"a calendar of nobody":       {[]string{"--schedule", "at midnight"}, 64, "systemd.time(7)"},
		"a public key that is none":  {[]string{"--encryption", "age1nothing"}, 78, "age-keygen"},
		"days that are no number":    {[]string{"--keep-days", "-1"}, 64, "number of days"},
	} {
		code, said := h.refused(t, "root", initBy(c.flags...)...)
		if code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit %d, expected %d and %q\n%s", name, code, c.code, c.says, said)
		}
	}
	var plan struct {
		DryRun    bool
		Text      string
		Databases []struct{ Database string }
	}
	out, err := h.lab.Output(t.Context(), "root", initBy("--dry-run", "--json")...)
	if err != nil || json.Unmarshal([]byte(out), &plan) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !plan.DryRun || !strings.Contains(plan.Text, "bucket: backups") || len(plan.Databases) != 4 {
		t.Errorf("the plan is %+v", plan)
	}
	h.isUntouched(t)
}

func (h *host) isUntouched(t *testing.T) {
	t.Helper()
	if files := h.traces(); len(files) > 0 {
		t.Errorf("written before anything was agreed: %q", files)
	}
	if roles := h.sql(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'pgbtui'"); roles != "0" {
		t.Error("the role was made before anything was agreed")
	}
}

// dialogue is a person at a terminal who answers questions.
type dialogue struct {
	t    *testing.T
	tty  *os.File
	done chan error
	read int // how much of the text was seen

	mu   sync.Mutex
	text strings.Builder
}

func (h *host) talk(t *testing.T, argv ...string) *dialogue {
	t.Helper()
	cmd := h.lab.Command(context.WithoutCancel(t.Context()), "root", argv...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	d := &dialogue{t: t, tty: tty, done: make(chan error, 1)}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := tty.Read(buffer)
			d.mu.Lock()
			d.text.Write(buffer[:n])
			d.mu.Unlock()
			if err != nil { // the other end is closed
				d.done <- cmd.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() { _ = tty.Close() })
	return d
}

func (d *dialogue) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// sees waits for a text behind the last one that was seen.
func (d *dialogue) sees(text string) {
	d.t.Helper()
	until(d.t, fmt.Sprintf("%q", text), func() error {
		said := d.said()
		at := strings.Index(said[d.read:], text)
		if at < 0 {
			return fmt.Errorf("it says:\n%s", said)
		}
		d.read += at + len(text)
		return nil
	})
}

// answers waits for a question and answers it.
func (d *dialogue) answers(question, answer string) {
	d.t.Helper()
	d.sees(question)
	if _, err := io.WriteString(d.tty, answer+"\n"); err != nil {
		d.t.Fatal(err)
	}
}

func (h *host) initAsks(t *testing.T) {
	begun := time.Now()
	d := h.talk(t, "pgbtui", "init")
	d.answers("PostgreSQL server [local]: ", "")
	d.answers("Databases [*]: ", "")
	d.answers("Bucket: ", "backup")
	d.answers("Region or URL: ", "http://127.0.0.1:9000")
	d.answers("Access key ID [role]: ", accessKey)
	d.answers("Secret access key (not shown): ", secretKey)
	d.sees("no: ")
	d.sees("about the store again")
	d.answers("Bucket [backup]: ", "backups")
	d.answers("Region or URL [http://127.0.0.1:9000]: ", "")
	d.answers("Access key ID [the same]: ", "")
	d.sees("ok: ")
	d.answers("Encryption [none]: ", "new")
	d.answers("Days to keep [30]: ", "thirty")
	d.sees("no: ")
	d.answers("Days to keep [30]: ", "35")
	d.answers("Schedule [*-*-* 02:00:00 UTC]: ", "*-*-* 03:15:00 UTC")
	d.sees("Do it? y, then enter: ")
	h.isUntouched(t)
	_, _ = io.WriteString(d.tty, "y\n")
	if err := <-d.done; err != nil {
		t.Fatalf("%v\n%s", err, d.said())
	}
	said := d.said()
	t.Logf("in %s:\n%s", time.Since(begun), said)
	for _, canary := range []string{secretKey, "AGE-SECRET-KEY"} {
		if strings.Contains(said, canary) {
			t.Errorf("%s is on the screen", canary)
		}
	}
	for line := range strings.Lines(said) {
		if width := len([]rune(strings.TrimRight(line, "\r\n"))); width > 80 {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	// Ten questions: those above, without what was asked again.
	if asked := strings.Count(said, "]: ") + strings.Count(said, "Bucket: ") + strings.Count(said, "URL: ") +
		strings.Count(said, "shown): ") + strings.Count(said, "enter: "); asked != 10+4 {
		t.Errorf("%d questions", asked)
	}
	if !strings.Contains(said, "Protected now: billing, crm, postgres, shop.") {
		t.Error("it does not say what is protected")
	}
	h.isProtected(t, "billing", "crm", "postgres", "shop")
	timer := h.show(t, "postgres-backup@all.timer")
	if !strings.Contains(timer["TimersCalendar"], "03:15:00") || timer["UnitFileState"] != "enabled" {
		t.Errorf("the timer is %s, at %s", timer["UnitFileState"], timer["TimersCalendar"])
	}
}

// isProtected expects a good set of each database that a drill restored.
func (h *host) isProtected(t *testing.T, databases ...string) {
	t.Helper()
	var list struct{ Sets []listed }
	if err := json.Unmarshal([]byte(h.root(t, "pgbtui", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	for _, database := range databases {
		found := false
		for _, set := range list.Sets {
			found = found || set.Database == database && set.Good && set.Proof == "restored"
		}
		if !found {
			t.Errorf("no proven backup of %s: %+v", database, list.Sets)
		}
	}
}

// state is everything on the host that init writes, with times and modes.
func (h *host) state(t *testing.T) string {
	t.Helper()
	return h.root(t, "sh", "-c", "cat /etc/pgbtui/config.yaml; "+
		"ls -lA --full-time /etc/pgbtui/config.yaml /etc/pgbtui/secret /etc/systemd/system /etc/systemd/system/*.d")
}

func (h *host) initRunsAgain(t *testing.T) {
	before := h.state(t)
	sets := h.root(t, "pgbtui", "list", "--json")
	if said := h.root(t, "pgbtui", "init"); !strings.Contains(said, "Protected now: billing, crm, postgres, shop.") {
		t.Error(said)
	}
	if after := h.state(t); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if now := h.root(t, "pgbtui", "list", "--json"); strings.Count(now, `"id"`) != strings.Count(sets, `"id"`) {
		t.Errorf("the sets were\n%s\nand are\n%s", sets, now)
	}
	code, refusal := h.refused(t, "root", initBy("--keep-days", "7")...)
	if code != 4 || !strings.Contains(refusal, "differs from these answers") {
		t.Errorf("answers that the configuration does not follow: exit %d\n%s", code, refusal)
	}
	t.Log(h.root(t, "pgbtui", "config", "check", "--offline"))
	if mode := strings.TrimSpace(h.root(t, "stat", "-c", "%U:%G %a", configFile)); mode != "root:pgbtui 640" {
		t.Errorf("the configuration is %s", mode)
	}
	modes := h.root(t, "sh", "-c", "stat -L -c '%U:%G %a %n' /etc/pgbtui/secret/*")
	if strings.Count(modes, "root:root 600") != 5 {
		t.Errorf("the secrets are\n%s", modes)
	}
}

func (h *host) laterDatabaseIsCovered(t *testing.T) {
	h.sql(t, "postgres", "CREATE DATABASE fourth TEMPLATE template0")
	h.sql(t, "fourth", shop)
	h.root(t, "systemctl", "start", "postgres-backup@all.service")
	h.root(t, "systemctl", "start", "postgres-backup-drill@all.service")
	h.isProtected(t, "fourth")
}
