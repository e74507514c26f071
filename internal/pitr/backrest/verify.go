package backrest

import (
	"context"
	"regexp"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

var verifiedBackup = regexp.MustCompile(`backup: ([0-9A-Z_F-]+), status: ([a-z ]+)`)

// Verify reads every file of the repository back. The engine ends with 0 also when it found damage, and prints nothing
// unless it is asked to.
func (e *PgBackRest) Verify(ctx context.Context) (pitr.Verification, error) {
	out, err := e.Output(ctx, "verify", "--output=text", "--verbose")
	if err != nil {
		return pitr.Verification{}, err
	}
	return readVerification(string(out))
}

func readVerification(text string) (v pitr.Verification, err error) {
	status := ""
	for _, line := range printable.Lines(text) {
		line = strings.TrimRight(line, " ")
		if line == "" {
			continue
		}
		v.Lines = append(v.Lines, line)
		if after, ok := strings.CutPrefix(strings.TrimSpace(line), "status: "); ok && status == "" {
			status = after
		}
		if m := verifiedBackup.FindStringSubmatch(line); m != nil && m[2] != "valid" {
			v.Bad = append(v.Bad, m[1])
		}
	}
	if status == "" {
		return v, fault.New(fault.Failed, "pitr: pgbackrest verify says no status", "Run it by hand.", nil)
	}
	v.OK = status == "ok" && len(v.Bad) == 0
	return v, nil
}
