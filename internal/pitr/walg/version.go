package walg

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// oldest is the first major version that is accepted: what older ones print was never looked at.
const oldest = 2

var versionText = regexp.MustCompile(
	`^wal-g version (?:v?([0-9]{1,4})(\.[0-9]{1,4}){1,2}|devel)\S*\t[^\n]*PostgreSQL\s*$`)

// Version asks the engine which one it is.
func (e *WALG) Version(ctx context.Context) (string, error) {
	out, err := pitr.Output(ctx, pitr.Command{Program: e.program(), Args: []string{"--version"}})
	if errors.Is(err, pitr.ErrNoProgram) {
		return "", fault.New(fault.Config, "pitr: WAL-G is not installed",
			"Install its `wal-g` for PostgreSQL into a folder on PATH.", nil)
	}
	if err != nil {
		return "", fmt.Errorf("pitr: ask WAL-G for its version: %w", err)
	}
	return readVersion(string(out))
}

// readVersion reads a line of fields between tabs: the version, the revision, a date, and for which database it was
// built.
func readVersion(text string) (string, error) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return "", fault.New(fault.Config, fmt.Sprintf("pitr: %.80q is not the version of a WAL-G for PostgreSQL", text),
			"Look which program `wal-g` is: there is one for each kind of database.", nil)
	}
	if m[1] == "" {
		return "devel", nil
	}
	major, _ := strconv.Atoi(m[1]) // four digits at most
	if major < oldest {
		return "", fault.New(fault.Refused, fmt.Sprintf("pitr: WAL-G %s.x is older than %d.0", m[1], oldest),
			"Install a newer one: what an older one prints was never looked at.", nil)
	}
	return versionNumber.FindString(text), nil
}

var versionNumber = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)
