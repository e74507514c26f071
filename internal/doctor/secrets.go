package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// Files of secrets, and what units are handed of them.

// OpenSecrets looks at who else can read files of secrets. One that cannot be looked at is told by whoever needs it.
func OpenSecrets(files []string) error {
	var bad []error
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o004 != 0 {
			what := fmt.Sprintf("everybody on this host can read %s (mode %04o), which holds secrets", file, info.Mode().Perm())
			bad = append(bad, fault.New(fault.Config, what,
				"Run chmod o-rwx "+file+", and change the secrets that could be read.", nil))
		}
	}
	return errors.Join(bad...)
}

// WiringFaults are what is wrong between the secrets that lie here and the units that are installed.
func WiringFaults(w systemd.Wiring) error {
	var bad []error
	for _, file := range w.Open {
		bad = append(bad, fault.New(fault.Config, "others than root can read "+file,
			"Run chmod go-rwx "+file+", and change the secrets that could be read.", nil))
	}
	for _, file := range w.Unread {
		bad = append(bad, fault.New(fault.Config, "no installed unit is handed "+file,
			"Correct its name (docs/units.md#credentials lists them), or bring the units up to date: "+
				"sudo pgbtui units install.", nil))
	}
	for _, l := range w.Missing {
		what := fmt.Sprintf("%s loads the credential %s from %s, which is not there: it does not start",
			l.Unit, l.Credential, l.From)
		bad = append(bad, fault.New(fault.Config, what,
			"Put the file there, or take the line out of the unit's drop-in.", nil))
	}
	return errors.Join(bad...)
}

// missing is a timer that is off, as an error.
func missing(f watch.Finding) error { return fault.New(fault.Config, f.What, f.Remedy, nil) }

// noSetsOf is for a prober that looks at timers alone.
func noSetsOf(context.Context, config.Job) ([]backup.Set, error) { return nil, nil }
