package systemd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// OldUnit is the unit of a backup script that somebody wrote by hand, with what the script gets from it. Rule: it is
// read, and nothing of it is run.
type OldUnit struct {
	Service  string // "postgres-backup.service"
	Timer    string // of the same name; "" where there is none
	User     string // "root" unless it says otherwise
	Script   string // the first file that it runs; "" where none can be read
	Prefix   string // of the script's uploads, where it shows
	Calendar []string
	Delay    string // RandomizedDelaySec=

	Variables map[string]string // as the script sees them: the unit's, else its own
}

// unitDirs is where systemd looks for unit files, first come first.
var unitDirs = []string{
	unitDir, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
}

// ReadOldUnit reads the unit of that name with its drop-ins, its environment files, its timer and its script.
func ReadOldUnit(service string) (OldUnit, error) { return root("").oldUnit(service) }

func (r root) oldUnit(service string) (OldUnit, error) {
	what := "systemd: read the unit " + service
	if !strings.HasSuffix(service, ".service") || strings.Contains(service, "/") {
		return OldUnit{}, fault.New(fault.Usage, what, "Give the name of a service, such as postgres-backup.service.", nil)
	}
	settings, ours, err := r.unitSettings(service)
	switch {
	case err != nil:
		return OldUnit{}, err
	case settings == nil:
		return OldUnit{}, fault.New(fault.NotFound, what, "`systemctl list-unit-files` shows the names of units.",
			errors.New("there is no such unit file"))
	case ours:
		return OldUnit{}, fault.New(fault.Refused, what, "It was taken over before: leave --from-unit out.",
			errors.New("pgbtui itself wrote this unit"))
	}
	old := OldUnit{Service: service, Variables: map[string]string{}}
	old.User = cmp.Or(last(values(settings, "Service", "User")), "root")
	variables, err := serviceEnvironment(r, settings, &Report{})
	if err != nil {
		return OldUnit{}, err
	}
	for _, v := range variables {
		old.Variables[v.name] = v.value
	}
	r.readScript(&old, values(settings, "Service", "ExecStart"))
	timer := strings.TrimSuffix(service, ".service") + ".timer"
	times, _, err := r.unitSettings(timer)
	if err != nil || times == nil {
		return old, err
	}
	old.Timer = timer
	old.Calendar = values(times, "Timer", "OnCalendar")
	old.Delay = last(values(times, "Timer", "RandomizedDelaySec"))
	return old, nil
}

// unitSettings are those of a unit file and its drop-ins; nil where there is no such file.
func (r root) unitSettings(name string) (settings []setting, ours bool, err error) {
	for _, dir := range unitDirs {
		text, err := bounded.ReadFile(r.path(path.Join(dir, name)), bounded.File)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("systemd: read %s: %w", name, err)
		}
		settings = append([]setting{}, parseUnit(string(text))...)
		for _, dir := range slices.Backward(unitDirs) { // what /etc says comes last, and wins
			settings = append(settings, dropIns(r.path(path.Join(dir, name)))...)
		}
		return settings, isOurs(text), nil
	}
	return nil, false, nil
}

// readScript adds what the script sets itself. A script that cannot be read adds nothing.
func (r root) readScript(old *OldUnit, commands []string) {
	for _, command := range commands {
		for _, word := range splitWords(command) {
			word = strings.TrimLeft(word, "@-:+!")
			text, err := bounded.ReadFile(r.path(word), bounded.File)
			if !path.IsAbs(word) || err != nil || !strings.HasPrefix(string(text), "#!") {
				continue
			}
			old.Script = word
			old.Prefix = uploadPrefix(string(text))
			for name, value := range scriptVariables(string(text), old.Variables) {
				old.Variables[name] = value
			}
			return
		}
	}
}

var (
	assignment = regexp.MustCompile(`(?m)^[ \t]*(?:export |readonly )?([A-Z][A-Z0-9_]*)=` +
		`(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'#;]*))[ \t]*(?:[;#].*)?$`)
	byDefault = regexp.MustCompile(`^\$\{([A-Z][A-Z0-9_]*):?[-=]([^${}]*)\}$`)
	uploadTo  = regexp.MustCompile(`s3://\$\{?S3_BUCKET\}?/([A-Za-z0-9._/-]*[A-Za-z0-9._-])/`)
)

// scriptVariables are what a script sets at the beginning of lines: plain text, which overrides what the unit says, or
// a default for what it does not say. Anything that a shell would have to work out is left out.
func scriptVariables(text string, given map[string]string) map[string]string {
	found := map[string]string{}
	for _, m := range assignment.FindAllStringSubmatch(text, -1) {
		name, value := m[1], m[2]+m[3]+m[4]
		if standIn := byDefault.FindStringSubmatch(value); standIn != nil && standIn[1] == name {
			if given[name] == "" {
				found[name] = standIn[2]
			}
			continue
		}
		if !strings.ContainsAny(value, "$`\\") {
			found[name] = value
		}
	}
	return found
}

// uploadPrefix is the folder in the bucket below which a script uploads; "" where it does not show.
func uploadPrefix(text string) string {
	if m := uploadTo.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

func (o OldUnit) names() []string {
	if o.Timer == "" {
		return []string{o.Service}
	}
	return []string{o.Service, o.Timer}
}

// setAside renames the files of old units that stand where ours belong, so that ours can be installed. A process that
// was killed in the middle is carried on.
func (r root) setAside(old OldUnit, report *Report) error {
	for _, name := range old.names() {
		file := path.Join(unitDir, name)
		text, err := r.read(file)
		if err != nil {
			return err
		}
		if !isPlain(file) || text == nil || isOurs(text) {
			continue
		}
		full := r.path(file)
		if _, err := os.Lstat(full + adoptedSuffix); err == nil {
			return fault.New(fault.Refused, "systemd: set "+full+" aside", "Move "+full+adoptedSuffix+" away first.",
				errors.New("an earlier copy is there"))
		}
		if err := os.Rename(full, full+adoptedSuffix); err != nil {
			return fmt.Errorf("systemd: set %s aside: %w", full, err)
		}
		report.add(Adopted, full, "kept as "+filepath.Base(full)+adoptedSuffix)
	}
	return nil
}
