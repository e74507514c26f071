package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// What is installed on this host: the units and what was changed of them, timers, rights, keys, and the way to
// people.

func unitsCatalogue() []Check {
	const units, keys, alerts = "docs/units.md", "docs/units.md#credentials", "docs/alerts.md"
	return []Check{
		{ID: "units.files", Why: "Units of an older version lack what the newer one found out.", Docs: units},
		{
			ID: "units.drop-ins", Docs: units,
			Why: "A drop-in that opens the sandbox opens it for whoever breaks into a run.",
		},
		{
			ID: "units.verify", Docs: units,
			Why: "systemd leaves out what it does not understand of a unit, and starts it all the same.",
		},
		{
			ID: "units.security", Docs: units,
			Why: "A run reads whatever is in the database; its sandbox bounds what that can do.",
		},
		{ID: "units.timers", Why: "Without its timer a job makes no backup, and nothing fails.", Docs: units},
		{
			ID: "units.start-limit", Docs: "docs/troubleshooting.md#what-to-do-when",
			Why: "A unit that failed too often is not started by its timer any more.",
		},
		{
			ID: "units.journal", Docs: units,
			Why: "Without the right to read the journal, an operator sees no reason for any failure.",
		},
		{ID: "units.polkit", Why: "Without the rule, only root starts backups, verifications and restores.", Docs: units},
		{
			ID: "units.modes", Docs: keys,
			Why: "What others may write, they may have the units do; what others may read, they know.",
		},
		{
			ID: "units.secrets", Docs: keys,
			Why: "A secret that no unit is handed is of no use, and one that is missing keeps a unit from starting.",
		},
		{
			ID: "units.private-key", Docs: "docs/encryption.md",
			Why: "With the private key on the database's host, whoever is root there reads every backup.",
		},
		{ID: "units.key-copy", Why: "If the one key is lost, so is every backup.", Docs: "docs/encryption.md"},
		{
			ID: "units.alerts", Docs: alerts,
			Why: "An alert that reaches nobody is none, and that shows only when it is needed.",
		},
	}
}

// Bus is what is asked of systemd.
type Bus interface {
	watch.Host
	Units(ctx context.Context, patterns ...string) ([]systemd.UnitState, error)
}

// Machine is this host.
type Machine struct {
	Root     string // its files are below; "" is this machine
	Bus      Bus
	BusErr   error // why systemd cannot be asked
	Config   *config.Config
	Now      func() time.Time
	Channels func(config.Job) (number int, err error)         // of alerts
	Journal  func(context.Context) error                      // why this user cannot read the journal
	Analyze  func(context.Context, ...string) (string, error) // systemd-analyze; nil: the program itself
	StateDir string                                           // of the watch; "" is its own
}

// machineChecks are a machine's, of one job.
type machineChecks struct {
	*log
	*Machine
	job config.Job
}

// Checks looks at the units. Without any installed it says that alone.
func (m *Machine) Checks(ctx context.Context, job config.Job) []Finding {
	c := machineChecks{log: &log{from: FromShell}, Machine: m, job: job}
	if !c.files() {
		return c.findings
	}
	c.dropIns()
	c.analyze(ctx)
	c.timers(ctx)
	c.startLimit(ctx)
	c.rights(ctx)
	c.modes()
	c.secrets()
	c.privateKey()
	c.keyCopy()
	c.alerts()
	return c.findings
}

const remedyInstall = "Run `sudo pgbtui units install`, which rewrites them; changes belong into drop-ins."

// files reports whether units are installed at all.
func (c *machineChecks) files() bool {
	const id, tried = "units.files", "compare the installed files with those that this program ships"
	drift, installed, err := systemd.CheckDrift(c.Root)
	switch {
	case err != nil:
		c.unknown(id, tried, oneLine(err), "Run `sudo pgbtui doctor`.")
		return installed
	case !installed:
		c.add(id, seen{
			result: Warn, tried: tried,
			seen:   "no units of pgbtui are installed here, so that nothing backs up by itself on this host",
			remedy: "Run `sudo pgbtui units install --enable JOB`, if this host is to make backups.",
		})
		return false
	}
	var wrong, hidden []string
	for _, d := range drift {
		text := d.Path + " " + d.What
		if d.What == "cannot be read" {
			hidden = append(hidden, text)
		} else {
			wrong = append(wrong, text)
		}
	}
	switch {
	case len(wrong) > 0:
		c.add(id, seen{
			result: Warn, tried: tried, seen: strings.Join(append(wrong, hidden...), "; "),
			remedy: remedyInstall,
		})
	case len(hidden) > 0 && !slices.Equal(hidden, []string{systemd.PolkitRule() + " cannot be read"}):
		c.unknown(id, tried, strings.Join(hidden, "; "), "Run `sudo pgbtui doctor`.")
	default:
		c.ok(id, tried, "they are equal")
	}
	return true
}

func (c *machineChecks) dropIns() {
	const id, tried = "units.drop-ins", "read the drop-ins of the units"
	all, err := systemd.DropIns(c.Root)
	if err != nil {
		c.unknown(id, tried, oneLine(err), "Run `sudo pgbtui doctor`.")
		return
	}
	var open, said []string
	for _, d := range all {
		said = append(said, d.Path+" sets "+strings.Join(d.Keys, ", "))
		if keys := d.Loosens(); len(keys) > 0 {
			open = append(open, d.Path+" sets "+strings.Join(keys, ", "))
		}
	}
	switch {
	case len(open) > 0:
		c.add(id, seen{
			result: Warn, tried: tried, seen: strings.Join(open, "; "),
			remedy: "Compare what they set with what is shipped (`pgbtui units print`), and remove what is not needed any more.",
		})
	case len(said) > 0:
		c.ok(id, tried, strings.Join(said, "; "))
	default:
		c.ok(id, tried, "there are none")
	}
}

// analyzer runs systemd-analyze.
func analyzer(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemd-analyze", args...).CombinedOutput()
	return string(out), err
}

// mostExposed is what the sandbox of the backups may come to, of 10 ("systemd-analyze security").
const mostExposed = 1.3

var exposure = regexp.MustCompile(`(?m)Overall exposure level for \S+: ([0-9.]+)`)

func (c *machineChecks) analyze(ctx context.Context) {
	const verify, security = "units.verify", "units.security"
	unit := systemd.BackupService(c.Config.UnitName(c.job))
	run := c.Analyze
	if run == nil {
		run = analyzer
	}
	out, err := run(ctx, "verify", "--man=no", unit, systemd.BackupTimer(c.Config.UnitName(c.job)))
	tried := "systemd-analyze verify " + unit
	var about []string // it tells of units that these depend on as well
	for line := range strings.Lines(out) {
		if strings.Contains(line, "postgres-") || strings.Contains(line, "pgbtui") {
			about = append(about, strings.TrimSpace(line))
		}
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		const missing = "systemd-analyze is not installed here"
		c.unknown(verify, tried, missing, "Install systemd's own programs.")
		c.unknown(security, "not tried", missing, "Install systemd's own programs.")
		return
	case len(about) > 0:
		c.add(verify, seen{
			result: Warn, tried: tried, seen: strings.Join(about, "; "),
			remedy: "Correct the drop-in that is named (`systemctl cat " + unit + "`), or bring the units up to " +
				"date: sudo pgbtui units install.",
		})
	case err != nil:
		c.unknown(verify, tried, cmp.Or(strings.TrimSpace(out), err.Error()),
			"Run `systemd-analyze verify "+unit+"` as root.")
	default:
		c.ok(verify, tried, "systemd understands all of it")
	}
	out, err = run(ctx, "security", "--no-pager", unit)
	tried = "systemd-analyze security " + unit
	m := exposure.FindStringSubmatch(out)
	if m == nil {
		c.unknown(security, tried, strings.TrimSpace(fmt.Sprint(strings.TrimSpace(out), " ", errText(err))),
			"Run `systemd-analyze security "+unit+"` as root.")
		return
	}
	if score, err := strconv.ParseFloat(m[1], 64); err == nil && score > mostExposed {
		c.add(security, seen{
			result: Warn, tried: tried,
			seen:   "it may do more than a backup needs: " + m[1] + " of 10, where " + fmt.Sprint(mostExposed) + " is enough",
			remedy: "Read what loosens it (`systemd-analyze security " + unit + "`), and remove the drop-in that does.",
		})
		return
	}
	c.ok(security, tried, m[1]+" of 10")
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Timers says whether the timers that a job counts on are on, once its backups are: an error where one is off; off is
// the backup's own, which may be on purpose.
func Timers(ctx context.Context, host watch.Host, c *config.Config, job config.Job) (off, remedy string, err error) {
	noSets := watch.Prober{Host: host, Sets: noSetsOf}
	snapshot := noSets.Probe(ctx, c, []config.Job{job})
	if snapshot.HostErr != nil {
		return "", "", snapshot.HostErr
	}
	units := snapshot.Jobs[0].Host
	if what, remedy := watch.TimerTrouble(units.Timer); what != "" {
		return units.Timer.Name + " is " + what, remedy, nil
	}
	var wrong []error
	for _, f := range units.Missing {
		wrong = append(wrong, missing(f))
	}
	return "", "", errors.Join(wrong...)
}

func (c *machineChecks) timers(ctx context.Context) {
	const id, tried = "units.timers", "ask systemd for the timers that the job counts on"
	if c.Bus == nil {
		c.unknown(id, tried, oneLine(c.BusErr), "Run it on the host itself, where systemd answers.")
		return
	}
	off, remedy, err := Timers(ctx, c.Bus, c.Config, c.job)
	switch {
	case off != "":
		c.add(id, seen{result: Fail, tried: tried, seen: off, remedy: remedy})
	default:
		c.judge(id, tried, "they are on", err)
	}
}

func (c *machineChecks) startLimit(ctx context.Context) {
	const id, tried = "units.start-limit", "ask systemd for units that failed, or may not be started"
	if c.Bus == nil {
		c.unknown(id, tried, oneLine(c.BusErr), "Run it on the host itself, where systemd answers.")
		return
	}
	units, err := c.Bus.Units(ctx)
	if err != nil {
		c.failed(id, Unknown, tried, err)
		return
	}
	result := OK
	var said, names []string
	for _, u := range units {
		one := OK
		switch {
		case u.Service.Result == "start-limit-hit":
			one = Fail
		case u.ActiveState == "failed":
			one = Warn
		}
		if one != OK {
			said, names = append(said, u.Name+": "+cmp.Or(u.Service.Result, "failed")), append(names, u.Name)
		}
		if one.weight() > result.weight() {
			result = one
		}
	}
	if result == OK {
		c.ok(id, tried, "none")
		return
	}
	c.add(id, seen{
		result: result, tried: tried, seen: strings.Join(said, "; "),
		remedy: "Mend the cause, then run `sudo systemctl reset-failed " + strings.Join(names, " ") + "`.",
	})
}

// rights are those of whoever runs this.
func (c *machineChecks) rights(ctx context.Context) {
	if err := c.Journal(ctx); err != nil {
		c.failed("units.journal", Warn, "open the system's journal", err)
	} else {
		c.ok("units.journal", "open the system's journal", "this user may read it")
	}
	const id, tried = "units.polkit", "look for the rule of the units"
	_, err := os.Stat(c.Root + systemd.PolkitRule())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.add(id, seen{
			result: Fail, tried: tried, seen: systemd.PolkitRule() + " is not there: only root starts units",
			remedy: remedyInstall,
		})
	case err != nil:
		c.unknown(id, tried, "root alone can look into its folder", "Run `sudo pgbtui doctor --only units.polkit`.")
	default:
		c.ok(id, tried, "it is there, and units.files compares it")
	}
}

func (c *machineChecks) modes() {
	const id, tried = "units.modes", "look at owners and modes of files with settings and secrets"
	wrong := systemd.WrongModes(c.Root)
	if open := OpenSecrets(c.Config.SecretFiles(c.job)); open != nil {
		c.failed(id, Fail, tried, open)
		return
	}
	if len(wrong) > 0 {
		c.add(id, seen{
			result: Fail, tried: tried,
			seen:   "others than root and its group may look into, or write: " + strings.Join(wrong, ", "),
			remedy: "Run `sudo pgbtui units install`, and chmod o-rwx on what it does not mend.",
		})
		return
	}
	c.ok(id, tried, "none is open to others")
}

func (c *machineChecks) secrets() {
	const id, tried = "units.secrets", "compare the secrets that are here with those that units load"
	wiring, err := systemd.CheckWiring(c.Root)
	switch {
	case errors.Is(err, fs.ErrPermission):
		c.unknown(id, tried, "root alone can look", "Run `sudo pgbtui doctor --only units.secrets`.")
	case err != nil:
		c.failed(id, Unknown, tried, err)
	default:
		text := "none in " + systemd.SecretDir + "; units use what the configuration names"
		if len(wiring.Found) > 0 {
			text = "each goes to its units: " + strings.Join(wiring.Found, ", ")
		}
		c.judge(id, tried, text, WiringFaults(wiring))
	}
}

func (c *machineChecks) privateKey() {
	const id, tried = "units.private-key", "look for the private key of encrypted sets"
	if len(c.job.Encryption.Recipients) == 0 {
		c.ok(id, tried, "sets are not encrypted by pgbtui")
		return
	}
	places := []string{systemd.SecretDir + "/age-identity"}
	if file := c.job.Encryption.IdentityFile; file != "" {
		places = append(places, file)
	}
	for _, place := range places {
		_, err := os.Stat(c.Root + place)
		switch {
		case err == nil:
			c.add(id, seen{
				result: Warn, tried: tried,
				seen:   place + " is on this host: whoever is root here reads every backup. Drills and restores by units need it",
				remedy: "Drill on another host (drill.by: hand here), and keep the key there and in a safe.",
			})
			return
		case !errors.Is(err, fs.ErrNotExist):
			c.unknown(id, tried, oneLine(err), "Run `sudo pgbtui doctor --only units.private-key`.")
			return
		}
	}
	c.ok(id, tried, "it is not on this host")
}

// alertsStale is from when on the last alert proves little.
const alertsStale = 90 * 24 * time.Hour

func (c *machineChecks) alerts() {
	const id, tried = "units.alerts", "look which channels there are, and when one took an alert last"
	number, err := c.Channels(c.job)
	switch {
	case err != nil:
		c.failed(id, Fail, tried, err)
		return
	case number == 0:
		c.add(id, seen{
			result: Warn, tried: tried,
			seen:   "no channel is configured, as far as this user can see: alerts go to the journal alone",
			remedy: "Name a channel (alert.channels, or /etc/pgbtui/secret/alert-urls).",
		})
		return
	}
	taken, err := watch.ReadTaken(cmp.Or(c.StateDir, watch.DefaultDir))
	if err != nil {
		c.unknown(id, tried, oneLine(err), "Run `sudo pgbtui doctor --only units.alerts`.")
		return
	}
	newest, by := time.Time{}, ""
	for label, at := range taken {
		if at.After(newest) {
			newest, by = at, label
		}
	}
	const try = "Run `sudo pgbtui alert test`, and look whether it arrives."
	switch age := c.Now().Sub(newest); {
	case newest.IsZero():
		c.add(id, seen{result: Warn, tried: tried, seen: "no channel has taken an alert yet", remedy: try})
	case age > alertsStale:
		c.add(id, seen{
			result: Warn, tried: tried, seen: by + " took the last one, " + readable.Age(age) + " ago",
			remedy: try,
		})
	default:
		c.ok(id, tried, by+" took the last one, "+readable.Age(age)+" ago")
	}
}
