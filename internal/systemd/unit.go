package systemd

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"
)

// UnitState is one look at a unit. Times are UTC and zero when systemd has none; a finished
// good oneshot loses its times and ids once nothing references it.
type UnitState struct {
	Name          string
	Description   string
	LoadState     string // "loaded", "not-found", "masked", "bad-setting", "error"
	ActiveState   string // "active", "activating", "deactivating", "inactive", "failed"
	SubState      string // "start", "auto-restart", "dead", …
	UnitFileState string // "enabled", "disabled", "static", "masked", … or ""
	FragmentPath  string
	DropInPaths   []string
	NeedReload    bool // the file on disk is newer than what systemd loaded

	InvocationID  string // 32 hexadecimal digits, or ""
	JobID         uint32 // of the queued start or stop, or 0
	StateChangeAt time.Time
	ConditionAt   time.Time // zero: no start was tried since it was loaded
	ConditionOK   bool
	AssertOK      bool

	Service ServiceState // zero for other types of units
}

// ServiceState is what only services have.
type ServiceState struct {
	Result     string // "success", "exit-code", "signal", "timeout", "watchdog", "oom-kill", "start-limit-hit", …
	StatusText string // STATUS= of sd_notify
	MainPID    uint32
	Restarts   uint32 // automatic ones since the last start by hand or timer

	StartedAt  time.Time // ExecMainStartTimestamp
	ExitedAt   time.Time // ExecMainExitTimestamp; zero while running
	ExitCode   int32     // si_code of waitid(2): 1 exited, 2 killed, 3 dumped; 0 unknown
	ExitStatus int32     // exit status, or signal number when killed

	MemoryBytes  int64 // now, or at the end; -1 unknown
	MemoryHigh   int64 // -1: no limit
	MemoryMax    int64 // -1: no limit
	CPUTime      time.Duration
	RestartAfter time.Duration // RestartSec=
	StartLimit   uint32        // StartLimitBurst=
}

// si_code values of waitid(2).
const (
	exited = 1
	killed = 2
	dumped = 3
)

// Running reports whether the unit does something now, or is about to.
func (u UnitState) Running() bool {
	switch u.ActiveState {
	case "active", "activating", "reloading", "deactivating":
		return u.SubState != "auto-restart" && u.SubState != "auto-restart-queued"
	}
	return false
}

// Waiting reports whether the unit failed and waits for its automatic restart.
func (u UnitState) Waiting() bool {
	return u.ActiveState == "activating" && strings.HasPrefix(u.SubState, "auto-restart")
}

// TriedAgain reports whether an invocation that failed is followed by another: the unit waits for its automatic
// restart, or runs again.
func (u UnitState) TriedAgain(invocation string) bool {
	return u.Waiting() || u.Running() && invocation != "" && u.InvocationID != invocation
}

// Unit reads one unit's state. A unit that does not exist is no error: LoadState says so.
func (b *Bus) Unit(ctx context.Context, name string) (UnitState, error) {
	faces := []string{unitFace}
	service := strings.HasSuffix(name, ".service")
	if service {
		faces = append(faces, busName+".Service")
	}
	p, err := b.properties(ctx, name, faces...)
	if err != nil {
		return UnitState{}, err
	}
	u := unitState(name, p)
	if service {
		u.Service = serviceState(p)
	}
	return u, nil
}

func unitState(name string, p properties) UnitState {
	return UnitState{
		Name:          name,
		Description:   p.text("Description"),
		LoadState:     p.text("LoadState"),
		ActiveState:   p.text("ActiveState"),
		SubState:      p.text("SubState"),
		UnitFileState: p.text("UnitFileState"),
		FragmentPath:  p.text("FragmentPath"),
		DropInPaths:   p.words("DropInPaths"),
		NeedReload:    p.yes("NeedDaemonReload"),
		InvocationID:  p.id("InvocationID"),
		JobID:         p.jobID(),
		StateChangeAt: p.at("StateChangeTimestamp"),
		ConditionAt:   p.at("ConditionTimestamp"),
		ConditionOK:   p.yes("ConditionResult"),
		AssertOK:      p.yes("AssertResult"),
	}
}

func serviceState(p properties) ServiceState {
	return ServiceState{
		Result:       p.text("Result"),
		StatusText:   p.text("StatusText"),
		MainPID:      read[uint32](p, "MainPID"),
		Restarts:     read[uint32](p, "NRestarts"),
		StartedAt:    p.at("ExecMainStartTimestamp"),
		ExitedAt:     p.at("ExecMainExitTimestamp"),
		ExitCode:     read[int32](p, "ExecMainCode"),
		ExitStatus:   read[int32](p, "ExecMainStatus"),
		MemoryBytes:  p.amount("MemoryCurrent"),
		MemoryHigh:   p.amount("MemoryHigh"),
		MemoryMax:    p.amount("MemoryMax"),
		CPUTime:      time.Duration(p.amount("CPUUsageNSec")),
		RestartAfter: p.span("RestartUSec"),
		StartLimit:   read[uint32](p, "StartLimitBurst"),
	}
}

// Units reads every loaded unit whose name matches one of the globs (Patterns() when none are
// given), sorted by name.
func (b *Bus) Units(ctx context.Context, patterns ...string) ([]UnitState, error) {
	if len(patterns) == 0 {
		patterns = Patterns()
	}
	names, err := b.loaded(ctx, patterns)
	if err != nil {
		return nil, err
	}
	units := make([]UnitState, 0, len(names))
	for _, name := range names {
		u, err := b.Unit(ctx, name)
		if err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	return units, nil
}

// loaded is the names of the units in systemd's memory that match, sorted.
func (b *Bus) loaded(ctx context.Context, patterns []string) ([]string, error) {
	var raw [][]any
	if err := b.call(ctx, "list units", "ListUnitsByPatterns", []any{[]string{}, patterns}, &raw); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(raw))
	for _, row := range raw {
		if name, ok := first(row); ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return slices.Compact(names), nil
}

// first is a row's first field as text.
func first(row []any) (string, bool) {
	if len(row) == 0 {
		return "", false
	}
	s, ok := row[0].(string)
	return s, ok
}
