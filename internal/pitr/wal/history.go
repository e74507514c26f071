package wal

import (
	"fmt"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Branch is where a timeline ended and the next one went on.
type Branch struct {
	Timeline uint32
	Until    LSN
}

// HistoryName is the file that says from which timelines one comes.
func HistoryName(timeline uint32) string { return fmt.Sprintf("%08X.history", timeline) }

// ParseHistory reads from which timelines one comes, the oldest first. Fields are a timeline, a position and a reason.
func ParseHistory(text string) (all []Branch, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		timeline, err := strconv.ParseUint(fields[0], 10, 32)
		var until LSN
		if err == nil && len(fields) > 1 {
			until, err = ParseLSN(fields[1])
		}
		if err != nil || len(fields) < 2 {
			return nil, fault.New(fault.Integrity,
				fmt.Sprintf("pitr: %.80q is not a line of a timeline's history", strings.TrimSpace(line)),
				"Find out who has written to the repository besides the engine.", err)
		}
		all = append(all, Branch{Timeline: uint32(timeline), Until: until})
	}
	return all, nil
}
