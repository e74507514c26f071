package systemd

import (
	"path/filepath"
	"slices"
	"strings"
)

// The polkit rule names the units that ship, and no other: what matches a name without a unit file
// lets a transient unit of that name run as root (systemd 257 and newer ask polkit about it by the
// name, and with the verb "start"). docs/decisions/polkit-rule.md says what else stands before that.

// operated are the bases of the names of units that operators start and stop. The others, such as the
// alerts, are systemd's to start.
func operated() []string {
	return append(timed(), backupDoctorBase, verifyBase, drillBase, restoreBase, pitrBase, watchBase, pitrStatusBase)
}

// rule is what the template of the polkit rule is filled with.
type rule struct {
	Plain   []string // names of units
	PerJob  []string // names of template units whose instance is a job, as Escape writes it
	Literal []string // those whose instance is taken as it stands

	JobInstance     string // regular expressions
	LiteralInstance string
}

// add takes a shipped file into the rule, if it is a unit that operators may start.
func (r *rule) add(path string, of subject) {
	name := filepath.Base(path)
	stem, _, _ := strings.Cut(name, ".")
	base, isTemplate := strings.CutSuffix(stem, "@")
	switch {
	case filepath.Dir(path) != unitDir || !slices.Contains(operated(), base):
	case !isTemplate:
		r.Plain = append(r.Plain, name)
	case of == aJob:
		r.PerJob = append(r.PerJob, name)
	default:
		r.Literal = append(r.Literal, name)
	}
}
