package systemd

import (
	"fmt"
	"strconv"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// RunState is where a run is, or how it ended.
type RunState string

// The states of a run that systemd can tell apart.
const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunFinishing RunState = "finishing"
	RunRetrying  RunState = "retrying" // failed, waits for its automatic restart
	RunOK        RunState = "ok"
	RunWarn      RunState = "warn" // exit 3: done, with warnings
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
	RunLost      RunState = "lost"    // gone without a result: never shown as ok
	RunSkipped   RunState = "skipped" // a condition kept it from starting; systemd calls that success
	RunNone      RunState = "none"    // no run since the unit was loaded
)

// Over reports whether the state will not change by itself.
func (s RunState) Over() bool {
	switch s {
	case RunQueued, RunRunning, RunFinishing, RunRetrying:
		return false
	case RunOK, RunWarn, RunFailed, RunCancelled, RunLost, RunSkipped, RunNone:
	}
	return true
}

// Outcome is a run's state with systemd's reason for it.
type Outcome struct {
	State  RunState
	Reason string     // "exit code 77", "killed by SIGKILL", "condition not met"; "" when nothing is to be said
	Code   fault.Code // the exit code that the run left or that fits the reason
}

// outcomeOf tells how the run ended that was started when the unit looked like before. A good
// D-Bus job proves nothing: only a new invocation with a good result is ok.
func outcomeOf(before, after UnitState) Outcome {
	switch {
	case after.Waiting() || after.Running():
		return Current(after)
	case after.JobID != 0:
		return Outcome{State: RunQueued}
	case after.InvocationID != "" && after.InvocationID != before.InvocationID:
		return Current(after)
	case after.Service.Result == "start-limit-hit":
		return failed(resultReason(after.Service), fault.Temporary)
	case after.ConditionAt.After(before.ConditionAt) && !after.ConditionOK:
		return Outcome{State: RunSkipped, Reason: "a condition of the unit was not met", Code: fault.Failed}
	case after.ConditionAt.After(before.ConditionAt) && !after.AssertOK:
		return failed("an assertion of the unit was not met", fault.Failed)
	case after.LoadState != "loaded":
		return failed("the unit file is "+after.LoadState, fault.NotFound)
	}
	return Outcome{State: RunLost, Reason: "systemd keeps no result of this run", Code: fault.Failed}
}

// Current tells the state of the unit's newest run from one look alone.
func Current(u UnitState) Outcome {
	switch {
	case u.Waiting():
		end := ended(u)
		return Outcome{State: RunRetrying, Reason: end.Reason, Code: end.Code}
	case u.ActiveState == "deactivating":
		return Outcome{State: RunFinishing}
	case u.Running():
		return Outcome{State: RunRunning}
	case u.JobID != 0:
		return Outcome{State: RunQueued}
	case u.ConditionAt.IsZero() && u.Service.StartedAt.IsZero() && u.ActiveState != "failed":
		return Outcome{State: RunNone}
	case !u.ConditionAt.IsZero() && !u.ConditionOK:
		return Outcome{State: RunSkipped, Reason: "a condition of the unit was not met", Code: fault.Failed}
	}
	return ended(u)
}

// ended reads how the main process of a service that is not running ended.
func ended(u UnitState) Outcome {
	s := u.Service
	// A stop can come before the program is ready for it, and then the signal itself ends it. systemd
	// counts that as clean or not depending on the unit's type; for a run it is no result either way.
	stopped := s.ExitCode == killed && (s.ExitStatus == int32(syscall.SIGTERM) || s.ExitStatus == int32(syscall.SIGINT))
	code := fault.Code(s.ExitStatus)
	switch s.Result {
	case "success":
		switch {
		case stopped:
			return Outcome{State: RunCancelled, Reason: "stopped", Code: fault.Terminated}
		case s.ExitCode == exited && code == fault.Warnings:
			return Outcome{State: RunWarn, Reason: "done, with warnings", Code: fault.Warnings}
		case s.ExitCode == exited && code == fault.OK && u.InvocationID != "":
			return Outcome{State: RunOK}
		}
		return Outcome{State: RunLost, Reason: "systemd keeps no result of this run", Code: fault.Failed}
	case "exit-code":
		if code == fault.Terminated || code == fault.Interrupted {
			return Outcome{State: RunCancelled, Reason: "stopped", Code: code}
		}
		return failed(exitReason(s.ExitStatus), code)
	case "signal":
		if stopped {
			return Outcome{State: RunCancelled, Reason: "stopped", Code: fault.Terminated}
		}
	}
	return failed(resultReason(s), resultCode(s.Result))
}

func failed(reason string, code fault.Code) Outcome {
	return Outcome{State: RunFailed, Reason: reason, Code: code}
}

// startSteps are the statuses that systemd itself leaves before ExecStart= runs. Never changed.
var startSteps = map[int32]string{
	200: "CHDIR",
	203: "EXEC: the program cannot be run",
	209: "STDOUT",
	214: "SETSCHEDULER",
	216: "GROUP: no such group",
	217: "USER: no such user",
	218: "CAPABILITIES",
	226: "NAMESPACE: the sandbox cannot be set up",
	228: "SECCOMP",
	233: "RUNTIME_DIRECTORY",
	238: "STATE_DIRECTORY",
	243: "CREDENTIALS: a credential cannot be read",
}

// exitReason is an exit status in words; a program's own statuses are named by the caller, who
// knows the table.
func exitReason(status int32) string {
	if why, ok := StartFailure(strconv.Itoa(int(status))); ok {
		return why
	}
	return fmt.Sprintf("exit code %d", status)
}

func resultReason(s ServiceState) string {
	if s.Result == "signal" || s.Result == "core-dump" {
		return "killed by " + signalName(s.ExitStatus) // also of a signal that has no name
	}
	return ResultMeaning(s.Result, "")
}

func resultCode(result string) fault.Code {
	switch result {
	case "timeout", "watchdog", "start-limit-hit":
		return fault.Temporary
	}
	return fault.Failed
}
