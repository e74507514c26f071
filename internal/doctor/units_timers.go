package doctor

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// Timers, and units that systemd does not start any more.

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
