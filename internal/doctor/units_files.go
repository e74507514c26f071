package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// The installed files, what people laid over them, and what systemd itself says of them.

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
