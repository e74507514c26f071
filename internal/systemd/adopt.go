package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Adoption replaces units of the same names that somebody wrote by hand: the files are kept
// beside ours, the settings that the runner understands move to the environment file, the
// timer's calendar to a drop-in. Nothing is deleted; drop-ins that exist are never touched.

const (
	adoptedSuffix = ".before-pgbtui"
	calendarName  = "10-adopted-calendar.conf"
)

// foreign is the units at our places that we did not write, by path.
func foreign(r root, files []File) (map[string]string, error) {
	found := map[string]string{}
	for _, f := range files {
		text, err := r.read(f.Path)
		if err != nil {
			return nil, err
		}
		if text != nil && !isOurs(text) {
			found[f.Path] = string(text)
		}
	}
	return found, nil
}

// refuseForeign lets only the plain units be adopted, and only when asked to.
func refuseForeign(r root, found map[string]string, adopt bool) error {
	for path := range found {
		full := r.path(path)
		switch {
		case !isPlain(path):
			return fault.New(fault.Refused, "systemd: install "+full, "Move that file away first.",
				errors.New("a file that pgbtui did not write is there"))
		case !adopt:
			return fault.New(fault.Refused, "systemd: install "+full,
				"Take it over with `sudo pgbtui units install --adopt`. The old file is kept as "+filepath.Base(full)+
					adoptedSuffix+".",
				errors.New("a unit that pgbtui did not write is there"))
		}
		if _, err := os.Lstat(full + adoptedSuffix); !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Refused, "systemd: adopt "+full, "Move "+full+adoptedSuffix+" away first.",
				errors.New("an earlier copy is there"))
		}
	}
	return nil
}

const (
	plainService = unitDir + "/" + backupBase + ".service"
	plainTimer   = unitDir + "/" + backupBase + ".timer"
)

func isPlain(path string) bool { return path == plainService || path == plainTimer }

// adopt keeps the foreign files and carries their settings over.
func adopt(r root, found map[string]string, report *Report) error {
	if text, ok := found[plainService]; ok {
		if err := adoptEnvironment(r, parseUnit(text), report); err != nil {
			return err
		}
	}
	if text, ok := found[plainTimer]; ok {
		if err := adoptCalendar(r, parseUnit(text), report); err != nil {
			return err
		}
	}
	if err := dropBootLinks(r, found, report); err != nil {
		return err
	}
	for path := range found {
		full := r.path(path)
		if err := os.Link(full, full+adoptedSuffix); err != nil {
			return fmt.Errorf("systemd: keep %s: %w", full, err)
		}
		report.add(Adopted, full, "kept as "+filepath.Base(full)+adoptedSuffix)
	}
	return nil
}

// dropBootLinks undoes an enabled service: what wants a oneshot at boot runs a backup at each
// boot, and ours has no [Install] section by which systemctl could undo it.
func dropBootLinks(r root, found map[string]string, report *Report) error {
	if _, ok := found[plainService]; !ok {
		return nil
	}
	return dropLinks(r, backupBase+".service", report)
}

// adoptEnvironment appends the service's variables to the environment file. What the file
// already sets wins.
func adoptEnvironment(r root, settings []setting, report *Report) error {
	wanted, err := serviceEnvironment(r, settings, report)
	if err != nil || len(wanted) == 0 {
		return err
	}
	present, err := r.read(envFile)
	if err != nil {
		return err
	}
	set := map[string]bool{}
	for _, v := range parseEnvironment(string(present)) {
		set[v.name] = true
	}
	lines := []string{}
	for _, v := range wanted {
		if set[v.name] {
			report.add(Kept, r.path(envFile), v.name+" is already set there")
			continue
		}
		lines = append(lines, adoptedLine(v, wanted, report))
	}
	if len(lines) == 0 {
		return nil
	}
	text := string(present)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text += "# From " + plainService + adoptedSuffix + ":\n" + strings.Join(lines, "\n") + "\n"
	action, err := r.write(File{Path: envFile, Mode: 0o640, Text: text}, r.operatorGID())
	if err != nil {
		return err
	}
	report.add(action, r.path(envFile), fmt.Sprintf("%d settings of the old unit", len(lines)))
	return nil
}

// adoptedLine writes one variable; a login as postgres over the socket is switched off, since
// the unit runs as user pgbtui, whom peer authentication does not let in as postgres.
func adoptedLine(v variable, all []variable, report *Report) string {
	overNetwork := false
	for _, other := range all {
		overNetwork = overNetwork || ((other.name == "PGHOST" || other.name == "PGSERVICE") &&
			!strings.HasPrefix(other.value, "/"))
	}
	if (v.name == "DB_USER" || v.name == "PGUSER") && v.value == "postgres" && !overNetwork {
		report.add(Note,
			"The old unit logged in as postgres; the new one runs as pgbtui and logs in as role pgbtui: "+v.name+
				" is kept as a comment.",
			"")
		return "# " + environmentLine(v)
	}
	return environmentLine(v)
}

// serviceEnvironment is what Environment= and EnvironmentFile= set, the latter winning as in
// systemd, the last value of a name counting.
func serviceEnvironment(r root, settings []setting, report *Report) ([]variable, error) {
	var all []variable
	for _, value := range values(settings, "Service", "Environment") {
		for _, word := range splitWords(value) {
			if name, text, ok := strings.Cut(word, "="); ok && isVariable(name) {
				all = append(all, variable{name, strings.ReplaceAll(text, "%%", "%")})
			}
		}
	}
	for _, value := range values(settings, "Service", "EnvironmentFile") {
		path, optional := strings.CutPrefix(value, "-")
		if path == envFile {
			continue
		}
		text, err := bounded.ReadFile(r.path(path), bounded.File)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if !optional {
				report.add(Note, "The old unit read "+path+", which does not exist.", "")
			}
		case err != nil:
			return nil, fmt.Errorf("systemd: adopt %s: %w", path, err)
		default:
			all = append(all, parseEnvironment(string(text))...)
		}
	}
	last := map[string]int{}
	for i, v := range all {
		last[v.name] = i
	}
	kept := []variable{}
	for i, v := range all {
		if last[v.name] == i {
			kept = append(kept, v)
		}
	}
	return kept, nil
}

// adoptCalendar keeps the old timer's times as a drop-in of ours.
func adoptCalendar(r root, settings []setting, report *Report) error {
	calendars := values(settings, "Timer", "OnCalendar")
	if len(calendars) == 0 {
		report.add(Note, "The old timer had no OnCalendar=; the new one runs at 02:00 UTC.", "")
		return nil
	}
	text := "# " + marker + `: the calendar of the unit that was here before.` + "\n[Timer]\nOnCalendar=\n"
	for _, c := range calendars {
		text += "OnCalendar=" + c + "\n"
	}
	path := plainTimer + ".d/" + calendarName
	action, err := r.write(File{Path: path, Mode: 0o644, Text: text}, -1)
	if err != nil {
		return err
	}
	report.add(action, r.path(path), "OnCalendar="+strings.Join(calendars, ", "))
	return nil
}
