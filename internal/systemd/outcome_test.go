package systemd

import (
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// endedUnit is a service after a run, as systemd shows it.
func endedUnit(result string, code, status int32) UnitState {
	at := time.Unix(2000, 0)
	return UnitState{
		LoadState: "loaded", ActiveState: "inactive", SubState: "dead", InvocationID: "new",
		ConditionAt: at, ConditionOK: true, AssertOK: true,
		Service: ServiceState{Result: result, StartedAt: at, ExitedAt: at, ExitCode: code, ExitStatus: status},
	}
}

func TestAFailedTryIsFollowedByAnotherWhileTheUnitWaitsOrRunsAgain(t *testing.T) {
	for _, c := range []struct {
		active, sub, invocation string
		want                    bool
	}{
		{"activating", "auto-restart", "this", true},
		{"activating", "auto-restart-queued", "this", true},
		{"activating", "start", "next", true},
		{"failed", "failed", "this", false},
		{"inactive", "dead", "this", false},
		{"deactivating", "stop-post", "this", false},
		{"failed", "failed", "next", false},
	} {
		u := UnitState{ActiveState: c.active, SubState: c.sub, InvocationID: c.invocation}
		if got := u.TriedAgain("this"); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		if c.sub == "start" && u.TriedAgain("") {
			t.Errorf("%+v, after an unknown invocation", c)
		}
	}
}

func TestOnlyANewGoodInvocationIsOK(t *testing.T) {
	before := endedUnit("success", exited, 0)
	before.InvocationID, before.ConditionAt = "old", time.Unix(1000, 0)
	good := endedUnit("success", exited, 0)
	change := func(f func(*UnitState)) UnitState { u := good; f(&u); return u }
	for name, c := range map[string]struct {
		after UnitState
		want  RunState
	}{
		"good":                 {good, RunOK},
		"warnings":             {endedUnit("success", exited, 3), RunWarn},
		"nothing happened":     {before, RunLost},
		"unloaded":             {UnitState{LoadState: "loaded", ActiveState: "inactive", Service: ServiceState{Result: "success"}}, RunLost},
		"unit file gone":       {UnitState{LoadState: "not-found", ActiveState: "inactive"}, RunFailed},
		"forgotten result":     {change(func(u *UnitState) { u.Service = ServiceState{Result: "success"} }), RunLost},
		"skipped":              {change(func(u *UnitState) { u.InvocationID, u.ConditionOK = "old", false }), RunSkipped},
		"skipped, new id":      {change(func(u *UnitState) { u.ConditionOK = false }), RunSkipped},
		"assertion":            {change(func(u *UnitState) { u.InvocationID, u.AssertOK = "old", false }), RunFailed},
		"queued":               {change(func(u *UnitState) { u.InvocationID, u.JobID = "old", 7 }), RunQueued},
		"running":              {change(func(u *UnitState) { u.ActiveState, u.SubState = "activating", "start" }), RunRunning},
		"finishing":            {change(func(u *UnitState) { u.ActiveState, u.SubState = "deactivating", "stop-post" }), RunFinishing},
		"waits for a retry":    {change(func(u *UnitState) { u.ActiveState, u.SubState = "activating", "auto-restart" }), RunRetrying},
		"stopped":              {endedUnit("exit-code", exited, 143), RunCancelled},
		"stopped early":        {endedUnit("signal", killed, int32(syscall.SIGTERM)), RunCancelled},
		"stopped, clean":       {endedUnit("success", killed, int32(syscall.SIGTERM)), RunCancelled},
		"killed":               {endedUnit("signal", killed, int32(syscall.SIGKILL)), RunFailed},
		"core":                 {endedUnit("core-dump", dumped, int32(syscall.SIGSEGV)), RunFailed},
		"watchdog":             {endedUnit("watchdog", exited, 143), RunFailed},
		"out of memory":        {endedUnit("oom-kill", killed, int32(syscall.SIGKILL)), RunFailed},
		"started too often":    {change(func(u *UnitState) { u.InvocationID, u.Service.Result = "old", "start-limit-hit" }), RunFailed},
		"namespace":            {endedUnit("exit-code", exited, 226), RunFailed},
		"a result of tomorrow": {endedUnit("new-result", exited, 0), RunFailed},
	} {
		got := outcomeOf(before, c.after)
		if got.State != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
		if got.State.Over() && got.State != RunOK && (got.Reason == "" || got.Code == fault.OK) {
			t.Errorf("%s: %+v gives no reason or says exit 0", name, got)
		}
	}
}

func TestAUnitThatNeverRanHasNoOutcome(t *testing.T) {
	if got := Current(UnitState{LoadState: "loaded", ActiveState: "inactive", Service: ServiceState{Result: "success"}}); got.State != RunNone {
		t.Errorf("%+v", got)
	}
}

func TestTimerStates(t *testing.T) {
	for want, timer := range map[TimerState]Timer{
		TimerOn:      {LoadState: "loaded", ActiveState: "active", UnitFileState: "enabled"},
		TimerUnsaved: {LoadState: "loaded", ActiveState: "active", UnitFileState: "disabled"},
		TimerStopped: {LoadState: "loaded", ActiveState: "inactive", UnitFileState: "enabled"},
		TimerOff:     {LoadState: "loaded", ActiveState: "inactive", UnitFileState: "disabled"},
		TimerMasked:  {LoadState: "masked", ActiveState: "inactive", UnitFileState: "masked"},
		TimerFailed:  {LoadState: "loaded", ActiveState: "failed", UnitFileState: "enabled"},
		TimerMissing: {LoadState: "not-found", ActiveState: "inactive"},
		TimerBroken:  {LoadState: "bad-setting", ActiveState: "inactive"},
	} {
		if got := timerState(timer); got != want {
			t.Errorf("%+v is %s, want %s", timer, got, want)
		}
	}
	if got := timerState(Timer{LoadState: "loaded", ActiveState: "active", UnitFileState: "enabled-runtime"}); got != TimerUnsaved {
		t.Errorf("enabled until the next boot only: %s", got)
	}
}
