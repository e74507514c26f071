package systemd

import (
	"context"
	"os"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// TimerState says in one word whether a timer does its work.
type TimerState string

// The states of a timer. Only TimerOn will fire, now and after a reboot.
const (
	TimerOn      TimerState = "on"
	TimerOff     TimerState = "off"         // neither enabled nor running
	TimerStopped TimerState = "stopped"     // enabled, but not running: nothing until the next boot
	TimerUnsaved TimerState = "not enabled" // running, but gone after a reboot
	TimerMasked  TimerState = "masked"
	TimerFailed  TimerState = "failed"
	TimerMissing TimerState = "missing" // no such unit file
	TimerBroken  TimerState = "broken"  // the unit file cannot be loaded
)

// Timer is one timer of ours.
type Timer struct {
	Name     string // "postgres-backup@sales.timer"
	Unit     string // what it starts
	Job      string // "" when Plain
	Plain    bool
	State    TimerState
	Calendar []string  // the OnCalendar= texts, normalised by systemd
	Next     time.Time // with the random delay; zero: never
	Last     time.Time // zero: never
	Stamp    time.Time // when it last fired, as the disk remembers over a boot; zero: not known

	Persistent       bool // catches up a missed run
	RandomizedDelay  time.Duration
	FixedRandomDelay bool
	Accuracy         time.Duration

	Result        string // of the timer itself, "success" normally
	LoadState     string
	ActiveState   string
	UnitFileState string
	FragmentPath  string
	DropInPaths   []string // what overrides the installed file
	NeedReload    bool
}

// Timers reads the timers of backups, sorted by name: the loaded ones, the installed plain one, and
// those named in also, whether they exist or not. (A template's instance that is neither enabled nor
// running is known to nobody but the configuration, so the caller names it.)
func (b *Bus) Timers(ctx context.Context, also ...string) ([]Timer, error) {
	return b.timersLike(ctx, []string{backupBase + ".timer", backupBase + "@*.timer"}, also...)
}

// timersLike reads the timers among the units that match the globs, and those named in also.
func (b *Bus) timersLike(ctx context.Context, patterns []string, also ...string) ([]Timer, error) {
	patterns = slices.DeleteFunc(slices.Clone(patterns),
		func(glob string) bool { return !strings.HasSuffix(glob, ".timer") })
	names, err := b.loaded(ctx, patterns)
	if err != nil {
		return nil, err
	}
	var files [][]any
	err = b.call(ctx, "list unit files", "ListUnitFilesByPatterns", []any{[]string{}, patterns}, &files)
	if err != nil {
		return nil, err
	}
	for _, row := range files {
		file, ok := first(row)
		if name := path.Base(file); ok && !strings.HasSuffix(name, "@.timer") {
			names = append(names, name)
		}
	}
	names = append(names, also...)
	sort.Strings(names)
	timers := []Timer{}
	for _, name := range slices.Compact(names) {
		t, err := b.Timer(ctx, name)
		if err != nil {
			return nil, err
		}
		timers = append(timers, t)
	}
	return timers, nil
}

// OtherTimers reads the timers of what is done for jobs besides their backups, sorted by name, as far as
// they are loaded or plain. Those that are enabled are always loaded.
func (b *Bus) OtherTimers(ctx context.Context) ([]Timer, error) {
	var patterns []string
	for _, base := range timed() {
		if base != backupBase {
			patterns = append(patterns, base+".timer", base+"@*.timer")
		}
	}
	return b.timersLike(ctx, patterns)
}

// Timer reads one timer. One that does not exist is no error: State says so.
func (b *Bus) Timer(ctx context.Context, name string) (Timer, error) {
	p, err := b.properties(ctx, name, unitFace, busName+".Timer")
	if err != nil {
		return Timer{}, err
	}
	t := Timer{
		Name: name, Unit: p.text("Unit"),
		Next: p.at("NextElapseUSecRealtime"), Last: p.at("LastTriggerUSec"),
		Persistent: p.yes("Persistent"), RandomizedDelay: p.span("RandomizedDelayUSec"),
		FixedRandomDelay: p.yes("FixedRandomDelay"), Accuracy: p.span("AccuracyUSec"),
		Result: p.text("Result"), LoadState: p.text("LoadState"), ActiveState: p.text("ActiveState"),
		UnitFileState: p.text("UnitFileState"), FragmentPath: p.text("FragmentPath"),
		DropInPaths: p.words("DropInPaths"), NeedReload: p.yes("NeedDaemonReload"),
	}
	t.Job, t.Plain, _ = JobOf(name)
	for _, row := range read[[][]any](p, "TimersCalendar") {
		if len(row) >= 2 {
			if text, ok := row[1].(string); ok {
				t.Calendar = append(t.Calendar, text)
			}
		}
	}
	if stamp, err := os.Stat(StampFile(name)); err == nil && t.Persistent {
		t.Stamp = stamp.ModTime()
	}
	t.State = timerState(t)
	return t, nil
}

// StampFile is the file whose time of change is when a timer with Persistent= last fired (systemd.timer(5)).
func StampFile(timer string) string { return "/var/lib/systemd/timers/stamp-" + timer }

func timerState(t Timer) TimerState {
	enabled := strings.HasPrefix(t.UnitFileState, "enabled") // also enabled-runtime
	running := t.ActiveState == "active"
	switch {
	case t.LoadState == "masked":
		return TimerMasked
	case t.LoadState == "not-found":
		return TimerMissing
	case t.LoadState != "loaded":
		return TimerBroken
	case t.ActiveState == "failed":
		return TimerFailed
	case enabled && running && t.UnitFileState == "enabled":
		return TimerOn
	case running:
		return TimerUnsaved
	case enabled:
		return TimerStopped
	}
	return TimerOff
}
