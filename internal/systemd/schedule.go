package systemd

import "strings"

// calendarFile is the drop-in of a job's timer that holds its calendar.
const calendarFile = "10-calendar.conf"

// SetCalendar gives a job's backup timer another calendar than the installed one, by a drop-in. systemd has to be told
// to read it: Install does that.
func SetCalendar(job string, calendars []string, delay string, report *Report) error {
	text := "# " + marker + ", for the calendar of this job.\n[Timer]\nOnCalendar=\n"
	for _, c := range calendars {
		text += "OnCalendar=" + strings.TrimSpace(c) + "\n"
	}
	if delay != "" {
		text += "RandomizedDelaySec=" + delay + "\n"
	}
	return report.write("", File{Path: unitDir + "/" + BackupTimer(job) + ".d/" + calendarFile, Mode: 0o644, Text: text})
}
