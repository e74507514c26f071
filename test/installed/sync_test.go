package installed

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// Timers follow the configuration: on a real systemd, by root, by an operator, and by a sync that is killed.

const (
	syncHead = `s3: {bucket: backups, region: us-east-1, endpoint: "http://127.0.0.1:9000", path_style: true, credentials_file: ` +
		credentialsFile + `}
keep: {days: 30}
drill: {by: hand}
alert: {slack_webhook: "http://127.0.0.1:` + hookPort + webhookPath + `"}
watch: {test_alerts: "Mon *-*-* 08:00:00 UTC"}
jobs:
  four: {database: production, schedule: "*-*-* 00/4:10:00 UTC", jitter: 5m}
  my-db: {database: shop, schedule: ["*-*-* 01:00:00 UTC", "*-*-* 13:00:00 UTC"], jitter: 0, keep: {by: timer, schedule: "Sun 03:00 UTC"}}
`
	weeklyJob = `  weekly: {database: production, schedule: "Sat *-*-* 22:00:00 UTC"}
`
	theirDropIn = "/etc/systemd/system/postgres-backup@weekly.timer.d/schedule.conf"
	escapedJob  = `postgres-backup@my\x2ddb.timer`
)

func TestTimersFollowTheConfiguration(t *testing.T) {
	h := newHost(t, lab.Chosen())
	h.root(t, "pgbtui", "units", "install", "--database-role")
	if err := h.lab.AddUser(t.Context(), operator, "pgbtui", "systemd-journal"); err != nil {
		t.Fatal(err)
	}
	h.configure(t, syncHead+weeklyJob, secretKey)
	h.write(t, theirDropIn, "[Timer]\nOnCalendar=\nOnCalendar=hourly\n")
	h.operatorOnlyLooks(t)
	h.syncsOnce(t)
	h.finishesAKilledSync(t)
	h.startsWhatIsOverdue(t)
	h.forgetsAJob(t)
	h.root(t, "pgbtui", "units", "uninstall")
	if left, _ := filepath.Glob(filepath.Join(h.lab.Root(), "etc/systemd/system/postgres-*.d/*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// sync runs `jobs sync` and expects an exit code.
func (h *host) sync(t *testing.T, user string, want int, args ...string) string {
	t.Helper()
	out, err := h.lab.Command(t.Context(), user, append([]string{"pgbtui", "jobs", "sync"}, args...)...).CombinedOutput()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if code != want {
		t.Fatalf("jobs sync %q as %s ends with %d, want %d\n%s", args, user, code, want, out)
	}
	return string(out)
}

func (h *host) operatorOnlyLooks(t *testing.T) {
	t.Helper()
	said := h.sync(t, operator, 77)
	t.Log(said)
	for _, want := range []string{
		"postgres-backup@four.timer (job four)", `write /etc/systemd/system/` + escapedJob + `.d/60-pgbtui-schedule.conf`,
		"switch on", "sudo pgbtui jobs sync", "not touched, somebody's own: " + theirDropIn,
		"runs of four and weekly may meet",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the plan does not say %q:\n%s", want, said)
		}
	}
	h.sync(t, operator, 3, "--check")
	if said := h.sync(t, "root", 4); !strings.Contains(said, "--yes") {
		t.Errorf("%s", said)
	}
	if h.show(t, "postgres-backup@four.timer")["ActiveState"] != "inactive" {
		t.Error("looking switched a timer on")
	}
}

func (h *host) syncsOnce(t *testing.T) {
	t.Helper()
	h.sync(t, "root", 3, "--yes") // with the drop-in that somebody wrote
	for timer, want := range map[string]string{
		"postgres-backup@four.timer":            "OnCalendar=*-*-* 00/4:10:00 UTC",
		escapedJob:                              "OnCalendar=*-*-* 01:00:00 UTC",
		`postgres-backup-verify@my\x2ddb.timer`: "OnCalendar=*-*-* 05:00:00 UTC",
		`postgres-backup-prune@my\x2ddb.timer`:  "OnCalendar=Sun *-*-* 03:00:00 UTC",
		"postgres-backup@weekly.timer":          "OnCalendar=*-*-* *:00:00",
		"postgres-backup-watch.timer":           "OnCalendar=",
	} {
		p := h.show(t, timer)
		if p["ActiveState"] != "active" || p["UnitFileState"] != "enabled" || !strings.Contains(h.calendars(t, timer), want) {
			t.Errorf("%s: %s, %s, %s; want %s", timer, p["ActiveState"], p["UnitFileState"], h.calendars(t, timer), want)
		}
		if p["NeedDaemonReload"] != "no" {
			t.Errorf("%s: not reloaded", timer)
		}
	}
	if p := h.show(t, escapedJob); p["RandomizedDelayUSec"] != "0" || !strings.Contains(h.calendars(t, escapedJob), "13:00:00 UTC") {
		t.Errorf("%s: %s %s", escapedJob, p["RandomizedDelayUSec"], h.calendars(t, escapedJob))
	}
	if calendar := h.calendars(t, "postgres-backup-alert-test.timer"); !strings.Contains(calendar, "Mon *-*-* 08:00:00 UTC") {
		t.Errorf("the test of alerts: %s", calendar)
	}
	before := len(h.posts(t))
	h.root(t, "systemctl", "start", "postgres-backup-alert-test.service")
	if posts := h.posts(t)[before:]; len(posts) != 1 || !strings.Contains(posts[0].Text, "this is a test") {
		t.Errorf("the test of alerts posted %+v", posts)
	}
	if p := h.show(t, "postgres-backup-drill@four.timer"); p["ActiveState"] != "inactive" {
		t.Error("a drill's timer is on although drill.by is hand")
	}
	if p := h.show(t, "postgres-backup@four.service"); p["InvocationID"] != "" {
		t.Error("switching a timer on ran a backup")
	}
	if again := h.sync(t, "root", 3, "--yes"); strings.Contains(again, "enabled") || strings.Contains(again, "created") {
		t.Errorf("the second sync did something:\n%s", again)
	}
	behind := "postgres-backup@weekly.timer fires at *-*-* *:00:00, and the configuration says Sat *-*-* 22:00:00 UTC"
	if out, err := h.lab.Output(t.Context(), operator, "pgbtui", "status"); err == nil || !strings.Contains(out, behind) {
		t.Errorf("status does not say %q: %v\n%s", behind, err, out)
	}
	h.root(t, "rm", theirDropIn)
	h.sync(t, "root", 0, "--yes")
	h.sync(t, operator, 0, "--check")
	if calendar := h.calendars(t, "postgres-backup@weekly.timer"); !strings.Contains(calendar, "Sat *-*-* 22:00:00 UTC") {
		t.Errorf("%s", calendar)
	}
}

func (h *host) calendars(t *testing.T, timer string) string {
	t.Helper()
	return h.root(t, "systemctl", "show", "--property=TimersCalendar", timer)
}

// kills is at how many moments of a sync.
const kills = 12

// finishesAKilledSync kills one at many moments, and lets the next finish it.
func (h *host) finishesAKilledSync(t *testing.T) {
	t.Helper()
	other := strings.Replace(syncHead+weeklyJob, "00/4:10:00", "00/6:20:00", 1)
	other = strings.Replace(other, "drill: {by: hand}", "drill: {schedule: \"Wed 03:00 UTC\"}", 1)
	texts := []string{other, syncHead + weeklyJob}
	h.configure(t, other, secretKey)
	began := time.Now()
	h.sync(t, "root", 0, "--yes")
	whole := time.Since(began)
	killed := 0
	for i := range kills {
		h.configure(t, texts[1-i%2], secretKey)
		after := strconv.FormatFloat(whole.Seconds()*float64(i+1)/kills, 'f', 3, 64)
		_, err := h.lab.Output(t.Context(), "root", "timeout", "--signal=KILL", after, "pgbtui", "jobs", "sync", "--yes")
		if err != nil {
			killed++
		}
		h.sync(t, "root", 0, "--yes")
		h.sync(t, "root", 0, "--check")
	}
	if killed == 0 {
		t.Error("no sync was killed")
	}
	t.Logf("%d of %d syncs, of %s, were killed", killed, kills, whole)
	if left, _ := filepath.Glob(filepath.Join(h.lab.Root(), "etc/systemd/system/*.d/.pgbtui-*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// startsWhatIsOverdue: systemd counts from the last run, and the plan says so before.
func (h *host) startsWhatIsOverdue(t *testing.T) {
	t.Helper()
	h.root(t, "systemctl", "disable", "--now", escapedJob)
	h.root(t, "touch", "-d", "2 days ago", "/var/lib/systemd/timers/stamp-"+escapedJob)
	if said := h.sync(t, "root", 3, "--check"); !strings.Contains(said, "a run starts at once") {
		t.Errorf("%s", said)
	}
	h.sync(t, "root", 0, "--yes")
	until(t, "the overdue run", func() error {
		_, err := h.lab.Output(t.Context(), operator, "pgbtui", "show", "latest", "--job", "my-db")
		return err
	})
}

// forgetsAJob: its timers and its drop-in go, its backups stay.
func (h *host) forgetsAJob(t *testing.T) {
	t.Helper()
	h.root(t, "systemctl", "start", "postgres-backup@weekly.service")
	h.configure(t, syncHead, secretKey)
	said := h.sync(t, "root", 0, "--yes")
	if !strings.Contains(said, "job weekly is not in the configuration any more; its backups stay: 1,") {
		t.Errorf("%s", said)
	}
	for _, timer := range []string{"postgres-backup@weekly.timer", "postgres-backup-verify@weekly.timer"} {
		if p := h.show(t, timer); p["ActiveState"] != "inactive" || p["UnitFileState"] != "disabled" {
			t.Errorf("%s is %s and %s", timer, p["ActiveState"], p["UnitFileState"])
		}
	}
	if left, _ := filepath.Glob(filepath.Join(h.lab.Root(), "etc/systemd/system/*@weekly.timer.d")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if sets := h.setsOf(t, "production"); len(sets) != 1 {
		t.Errorf("%+v", sets)
	}
	h.sync(t, operator, 0, "--check")
}
