package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
)

// said is an entry of the run itself, systemdSaid one of process 1.
func said(priority int, message string, fields map[string]string) journal.Entry {
	return journal.Entry{
		PID: 4711, Priority: priority, Message: message, Unit: "postgres-backup@x.service", Fields: fields,
	}
}

func systemdSaid(priority int, message, id string) journal.Entry {
	return journal.Entry{PID: 1, Priority: priority, Message: message, MessageID: id, Unit: "postgres-backup@x.service"}
}

func endedAs(how string) journal.Entry {
	e := said(5, "postgres-backup@x.service ended: "+how, map[string]string{"PGBTUI_RESULT": "signal"})
	e.Event = event.RunEnded
	return e
}

func TestTheReasonIsTheWordOfWhoeverKnows(t *testing.T) {
	const (
		unit      = "postgres-backup@x.service"
		outOfTime = "start operation timed out. Terminating."
		killed    = "A process of this unit has been killed by the OOM killer."
		tooQuick  = "Start request repeated too quickly."
		noProgram = "Failed at step NAMESPACE spawning /usr/local/bin/pgbtui: No such file or directory"
	)
	failed := systemdSaid(3, "Failed to start PostgreSQL backup.", resultEntries[0])
	result := systemdSaid(4, "postgres-backup@x.service: Failed with result 'timeout'.", resultEntries[1])
	own := said(3, "backup failed: dump: stopped by terminated", map[string]string{"PGBTUI_REMEDY": "do this"})
	for _, c := range []struct {
		name    string
		entries []journal.Entry
		knows   bool
		want    string
		remedy  string
	}{
		{
			name:    "the run's last error",
			entries: []journal.Entry{said(3, "first", nil), own, said(6, "bye", nil), result, failed},
			want:    own.Message, remedy: "do this",
		},
		{
			name: "an end that is no error",
			entries: []journal.Entry{
				said(4, "lock held", map[string]string{"PGBTUI_EXIT": "75"}), said(4, "slow", nil), failed,
			},
			want: "lock held",
		},
		{
			name: "time", knows: true,
			entries: []journal.Entry{systemdSaid(4, unit+": "+outOfTime, ""), own, result, failed},
			want:    outOfTime, remedy: "do this",
		},
		{
			name: "memory", knows: true,
			entries: []journal.Entry{systemdSaid(5, unit+": "+killed, outOfMemory), result, failed},
			want:    killed,
		},
		{
			name:    "a start that was refused",
			entries: []journal.Entry{systemdSaid(4, unit+": "+tooQuick, ""), result, failed},
			want:    tooQuick,
		},
		{
			name: "no try that is left after one that was killed",
			entries: []journal.Entry{
				endedAs("signal, killed by SIGKILL"), systemdSaid(4, unit+": "+tooQuick, ""), result, failed,
			},
			want: "ended: signal, killed by SIGKILL",
		},
		{
			name:    "no try that is left after one that says why",
			entries: []journal.Entry{own, endedAs("exit code, exit status 1"), systemdSaid(4, unit+": "+tooQuick, ""), failed},
			want:    own.Message, remedy: "do this",
		},
		{
			name: "before the program", knows: true,
			entries: []journal.Entry{said(3, noProgram, nil), result, failed},
			want:    noProgram,
		},
		{
			name: "a notice of a killed child",
			entries: []journal.Entry{
				systemdSaid(5, "Killing process 7 (pg_dump) with signal SIGKILL.", ""), result, failed,
			},
		},
		{name: "nothing", knows: true},
	} {
		if got, remedy := reason(c.entries, c.knows); got != c.want || remedy != c.remedy {
			t.Errorf("%s: %q, %q", c.name, got, remedy)
		}
	}
}

func TestEveryEndIsRecordedAndNeverFails(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{
			map[string]string{"SERVICE_RESULT": "success", "EXIT_CODE": "exited", "EXIT_STATUS": "3"},
			"ended: success, exit status 3",
		},
		{
			map[string]string{"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"},
			"ended: signal, killed by SIGKILL",
		},
		{map[string]string{"SERVICE_RESULT": "exit-code", "EXIT_CODE": "exited", "EXIT_STATUS": "243"}, "243/CREDENTIALS"},
		{map[string]string{"SERVICE_RESULT": "resources"}, "ended: resources"},
		{nil, "systemd does not say how"},
	} {
		var lines bytes.Buffer
		getenv := func(k string) string { return c.env[k] }
		p := newProgram(outside{in: os.Stdin, out: &lines, err: &lines, getenv: getenv, now: time.Now})
		code := p.main(t.Context(), []string{"ended", "postgres-backup@x.service"})
		if code != 0 || !strings.Contains(lines.String(), c.want) {
			t.Errorf("%v: code %d, %q", c.env, code, lines.String())
		}
	}
}
