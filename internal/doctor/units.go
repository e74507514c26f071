package doctor

import (
	"cmp"
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// What is installed on this host: the units and what was changed of them, timers, rights, keys, and the way to
// people.

func unitsCatalogue() []Check {
	const (
		units  = "docs/units.md"
		keys   = "docs/units.md#credentials"
		alerts = "docs/alerts.md"
	)
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
