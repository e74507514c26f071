package backrest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// Version is pgBackRest's, such as 2.45.
type Version struct{ Major, Minor int }

// OldestEngine is what Debian 12 has; nothing older was tried.
var OldestEngine = Version{Major: 2, Minor: 45}

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast compares versions by number: 2.5 is older than 2.45.
func (v Version) AtLeast(other Version) bool {
	return v.Major > other.Major || v.Major == other.Major && v.Minor >= other.Minor
}

// PlainHTTP reports whether the engine reaches a store without TLS: endpoints with http:// are new in 2.58.
func (v Version) PlainHTTP() bool { return v.AtLeast(Version{Major: 2, Minor: 58}) }

var versionText = regexp.MustCompile(`^pgBackRest ([0-9]{1,4})\.([0-9]{1,4})(\.[0-9]+)?(dev)?\s*$`)

// Version is the one that is installed.
func (e *PgBackRest) Version(ctx context.Context) (string, error) {
	v, err := e.Release(ctx)
	return v.String(), err
}

// Release is the version, by its numbers.
func (e *PgBackRest) Release(ctx context.Context) (Version, error) {
	out, err := pitr.Output(ctx, pitr.Command{Program: e.program(), Args: []string{"version"}})
	if errors.Is(err, pitr.ErrNoProgram) {
		return Version{}, fault.New(fault.Config, "pitr: pgBackRest is not installed",
			"Install it: `apt-get install pgbackrest`.", nil)
	}
	if err != nil {
		return Version{}, fmt.Errorf("pitr: ask pgBackRest for its version: %w", err)
	}
	return readVersion(string(out))
}

func readVersion(text string) (Version, error) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return Version{}, fault.New(fault.Config, fmt.Sprintf("pitr: %.80q is not pgBackRest's version", text),
			"Look which program `pgbackrest` is.", nil)
	}
	var v Version
	v.Major, _ = strconv.Atoi(m[1]) // four digits at most
	v.Minor, _ = strconv.Atoi(m[2])
	if !v.AtLeast(OldestEngine) {
		return v, fault.New(fault.Refused, "pitr: pgBackRest "+v.String()+" is older than "+OldestEngine.String(),
			"Install a newer one: what an older one prints was never looked at.", nil)
	}
	return v, nil
}
