// What systemd's results mean in words: the one place for alerts, the console and the journal.

package systemd

import (
	"fmt"
	"strings"
	"syscall"
)

// ResultMeaning is the result of a service in words, for all but exit codes. signal is what ended the process, such as
// "KILL" or "SIGKILL", for the results that have one.
func ResultMeaning(result, signal string) string {
	switch result {
	case "signal", "core-dump":
		return "killed by SIG" + strings.TrimPrefix(signal, "SIG")
	case "oom-kill":
		return "killed, because memory ran out"
	case "timeout":
		return "did not end within its time and was stopped"
	case "watchdog":
		return "nothing moved for too long, and it was stopped"
	case "start-limit-hit":
		return "started too often in too short a time"
	case "resources":
		return "systemd could not set the unit up"
	}
	return strings.ReplaceAll(result, "-", " ")
}

// EndedBySystemd reports whether systemd or the kernel brought the result about: the run's own last error says at most
// that it was stopped.
func EndedBySystemd(result string) bool {
	switch result {
	case "oom-kill", "timeout", "watchdog", "resources", "protocol":
		return true
	}
	return false
}

// signalName is a signal by number as people know it. syscall.Signal's own names are sentences.
func signalName(n int32) string {
	names := map[syscall.Signal]string{
		syscall.SIGABRT: "SIGABRT",
		syscall.SIGBUS:  "SIGBUS",
		syscall.SIGHUP:  "SIGHUP",
		syscall.SIGILL:  "SIGILL",
		syscall.SIGINT:  "SIGINT",
		syscall.SIGKILL: "SIGKILL",
		syscall.SIGPIPE: "SIGPIPE",
		syscall.SIGQUIT: "SIGQUIT",
		syscall.SIGSEGV: "SIGSEGV",
		syscall.SIGSYS:  "SIGSYS (a system call that the sandbox forbids)",
		syscall.SIGTERM: "SIGTERM",
	}
	if name, ok := names[syscall.Signal(n)]; ok {
		return name
	}
	return fmt.Sprintf("signal %d", n)
}
