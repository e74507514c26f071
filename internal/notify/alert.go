// Package notify tells people, outside the journal, that something failed.
//
// Rules: one message per incident, clear without context, with the next command to run. A webhook's address is a
// secret: it never appears in an error. Nothing here retries for longer than its caller's context, and this package
// sends no message twice by itself.
package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Alert is what is known about a failed unit. Empty fields are left out of the text.
type Alert struct {
	Unit         string // "postgres-backup@sales.service"
	Job          string
	Database     string
	Host         string
	Result       string // systemd's: "exit-code", "signal", "timeout", "watchdog", "oom-kill", "start-limit-hit", …
	ExitCode     string // "exited", "killed", "dumped"
	ExitStatus   string // a number, or a signal's name
	InvocationID string
	Reason       string // the last error of the run, or systemd's own word, when it is known
	NeverRan     string // why systemd could not start the program, in words; "" when it could
	Remedy       string // what the run itself advised; else the exit code has to do
	When         time.Time
}

// FromMonitor reads what systemd hands to an OnFailure= unit (MONITOR_*, systemd.exec(5), since
// 251) by getenv. unit is used when the variables are missing: an older systemd, or two units
// that failed at once.
func FromMonitor(unit string, getenv func(string) string) Alert {
	a := Alert{
		Unit:         getenv("MONITOR_UNIT"),
		Result:       getenv("MONITOR_SERVICE_RESULT"),
		ExitCode:     getenv("MONITOR_EXIT_CODE"),
		ExitStatus:   getenv("MONITOR_EXIT_STATUS"),
		InvocationID: getenv("MONITOR_INVOCATION_ID"),
	}
	if a.Unit == "" {
		a.Unit = unit
	}
	return a
}

// Subject is the alert in one line.
func (a Alert) Subject() string {
	subject := a.action() + " failed"
	if a.Cancelled() {
		subject = a.action() + " was stopped before it finished"
	}
	switch {
	case a.Database != "":
		subject += ": database " + printable.OneLine(strings.TrimSpace(a.Database))
	case a.Job != "":
		subject += ": job " + printable.OneLine(strings.TrimSpace(a.Job))
	default:
		subject += ": " + printable.OneLine(strings.TrimSpace(a.Unit))
	}
	if a.Host != "" {
		subject += " on " + printable.OneLine(strings.TrimSpace(a.Host))
	}
	return subject
}

// Text is the whole message: what failed, why, what the exit code means, what to do next.
func (a Alert) Text() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, printable.OneLine(strings.TrimSpace(value)))
		}
	}
	b.WriteString(a.Subject() + "\n")
	line("Reason", a.Reason)
	line("Result", a.meaning())
	line("Unit", a.Unit)
	line("Job", a.Job)
	if !a.When.IsZero() {
		line("When", a.When.UTC().Format(time.RFC3339))
	}
	line("Do", a.Advice())
	b.WriteString("Journal: " + a.journalCommand() + "\n")
	b.WriteString("Then: pgbtui")
	return b.String()
}

func (a Alert) action() string {
	for _, known := range []struct{ prefix, action string }{
		{"postgres-restore@", "PostgreSQL restore"},
		{"postgres-pitr@", "PostgreSQL cluster restore"},
		{"postgres-verify@", "PostgreSQL backup verification"},
		{"postgres-backup-verify", "PostgreSQL backup verification"},
		{"postgres-backup-drill", "PostgreSQL restore drill"},
		{"postgres-drill@", "PostgreSQL restore drill"},
		{"postgres-backup-prune", "PostgreSQL backup retention"},
		{"postgres-backup-copy", "PostgreSQL backup copy"},
		{"postgres-backup-watch.", "PostgreSQL backup watch"},
	} {
		if strings.HasPrefix(a.Unit, known.prefix) {
			return known.action
		}
	}
	return "PostgreSQL backup"
}

// status is the exit status as a code of ours, ok only when the process ended by itself.
func (a Alert) status() (fault.Code, bool) {
	n, err := strconv.Atoi(a.ExitStatus)
	return fault.Code(n), err == nil && a.ExitCode == "exited"
}

// Cancelled reports whether it was stopped, rather than failed.
func (a Alert) Cancelled() bool {
	code, ok := a.status()
	if signal := strings.TrimPrefix(a.ExitStatus, "SIG"); a.Result == "signal" && (signal == "TERM" || signal == "INT") {
		return true
	}
	return ok && a.Result == "exit-code" && (code == fault.Terminated || code == fault.Interrupted)
}

// meaning says in words how it ended.
func (a Alert) meaning() string {
	code, ended := a.status()
	last := ""
	if a.NeverRan != "" {
		last = a.NeverRan
	} else if ended && code != fault.OK {
		last = fmt.Sprintf("exit code %d, %s", int(code), code.Meaning())
	}
	switch a.Result {
	case "", "exit-code":
		return last
	case "start-limit-hit":
		return strings.TrimSuffix("gave up after several tries; the last one: "+last, "; the last one: ")
	case "signal", "core-dump", "oom-kill", "timeout", "watchdog", "resources": // these say it all
		return systemd.ResultMeaning(a.Result, a.ExitStatus)
	}
	return strings.TrimSuffix(systemd.ResultMeaning(a.Result, a.ExitStatus)+", "+last, ", ")
}

// Advice is the next thing to do: by the run's own word, else by the exit code.
func (a Alert) Advice() string {
	if a.Remedy != "" {
		return a.Remedy
	}
	if a.Result == "start-limit-hit" && a.ExitStatus == "0" {
		return "Nothing failed, but it was started too often by hand. Run `sudo systemctl reset-failed " +
			printable.ShellWord(a.Unit) + "`."
	}
	if a.Result == "oom-kill" {
		return "Check the unit's MemoryMax=, and what else used the memory."
	}
	if a.NeverRan != "" {
		return "Check the unit and its drop-ins: `systemctl cat " + printable.ShellWord(a.Unit) + "`."
	}
	code, ended := a.status()
	if !ended {
		return ""
	}
	switch code {
	case fault.Config:
		return "Check the configuration with `sudo pgbtui config check`."
	case fault.NotPermitted:
		return "Check the database role, the S3 policy and the modes of the files that the journal names."
	case fault.Unavailable:
		return "Check that PostgreSQL runs and that S3 can be reached from this host."
	case fault.NotFound:
		return "Check the names of the database, the bucket and the backup."
	case fault.NoSpace:
		return "Make space where the journal says it is missing."
	case fault.Integrity:
		return "Do not rely on this backup. Make a new one, and find out what changed the bucket."
	case fault.Terminated, fault.Interrupted:
		return "If nobody stopped it on purpose, start it again with `sudo systemctl start " +
			printable.ShellWord(a.Unit) + "`."
	case fault.OK, fault.Warnings, fault.Failed, fault.Temporary, fault.Refused, fault.Usage:
	}
	return ""
}

func (a Alert) journalCommand() string {
	if isID(a.InvocationID) {
		return "journalctl _SYSTEMD_INVOCATION_ID=" + a.InvocationID
	}
	return "journalctl -n 50 -u " + printable.ShellWord(a.Unit)
}

func isID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}
