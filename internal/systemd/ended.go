package systemd

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// End is how one run of a service ended, as systemd told the process that ExecStopPost= starts
// (SERVICE_RESULT and the like, systemd.exec(5)).
type End struct {
	Unit       string
	Invocation string // INVOCATION_ID
	Result     string // "success", "exit-code", "oom-kill", "timeout", …
	ExitCode   string // "exited", "killed", "dumped"; "" when ExecStart= was never reached
	ExitStatus string // a number, or a signal's name
}

// EndFrom reads the end of unit from the environment by getenv.
func EndFrom(unit string, getenv func(string) string) End {
	return End{
		Unit: unit, Invocation: getenv("INVOCATION_ID"), Result: getenv("SERVICE_RESULT"),
		ExitCode: getenv("EXIT_CODE"), ExitStatus: getenv("EXIT_STATUS"),
	}
}

// Good reports whether systemd counts it as a success, which is what SuccessExitStatus= says.
func (e End) Good() bool { return e.Result == "success" }

// Code is the end as an exit code: the process's own, 128 and the signal's number where it was killed, as shells have
// it, and 1 where systemd never came as far as the program.
func (e End) Code() int {
	if n, err := strconv.Atoi(e.ExitStatus); err == nil && e.ExitCode == "exited" {
		if n == 0 && !e.Good() {
			return 1 // a time-out, or another step, after the program itself was done
		}
		return n
	}
	if n := unix.SignalNum("SIG" + strings.TrimPrefix(e.ExitStatus, "SIG")); n > 0 {
		return 128 + int(n)
	}
	if e.Good() {
		return 0
	}
	return 1
}

// ToldByItself reports whether the program came to its own end, at which it has told whoever waits for it: it left with
// a code of ours.
func (e End) ToldByItself() bool {
	n, err := strconv.Atoi(e.ExitStatus)
	return err == nil && e.ExitCode == "exited" && slices.Contains(codes(), fault.Code(n))
}

// Text is the end in one line.
func (e End) Text() string {
	text := e.Unit + " ended: " + strings.ReplaceAll(e.Result, "-", " ")
	switch {
	case e.Result == "":
		text = e.Unit + " ended, systemd does not say how"
	case e.ExitCode == "exited":
		text += ", exit status " + e.ExitStatus
	case e.ExitCode != "":
		text += ", " + e.ExitCode + " by SIG" + strings.TrimPrefix(e.ExitStatus, "SIG")
	}
	if why, ok := StartFailure(e.ExitStatus); ok {
		text += " (" + why + ")"
	}
	return text
}

// StartFailure says in words what a status means that systemd itself leaves when it could not get
// as far as the program (200 to 243, systemd.exec(5)). ok is false for a program's own status.
func StartFailure(status string) (why string, ok bool) {
	n, err := strconv.ParseInt(status, 10, 32)
	if err != nil {
		return "", false
	}
	name, ok := startSteps[int32(n)]
	if !ok {
		return "", false
	}
	return "systemd could not start it: " + status + "/" + name, true
}
