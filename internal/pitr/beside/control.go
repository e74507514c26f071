package beside

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Control is what pg_controldata says of a data directory, as far as a copy of it needs to know.
type Control struct {
	SystemID     uint64
	Timeline     uint32 // of the latest checkpoint
	Redo         wal.LSN
	State        string // "in production", "in archive recovery"
	SegmentBytes int64

	// What the server had when the checkpoint was written. A server in recovery with less than that ends at once.
	MaxConnections, MaxWorkerProcesses, MaxWALSenders, MaxPreparedTransactions, MaxLocksPerTransaction int
}

// ParseControl reads the output of pg_controldata in English.
func ParseControl(text []byte) (Control, error) {
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok {
			values[name] = strings.TrimSpace(value)
		}
	}
	c := Control{State: values["Database cluster state"]}
	reader := controlReader{values: values}
	c.SystemID = reader.number("Database system identifier", 64)
	c.Timeline = uint32(reader.number("Latest checkpoint's TimeLineID", 32)) // 32 bits were asked for
	c.Redo = reader.lsn("Latest checkpoint's REDO location")
	c.SegmentBytes = int64(reader.number("Bytes per WAL segment", 31)) // 31 bits were asked for
	for name, into := range map[string]*int{
		"max_connections setting":      &c.MaxConnections,
		"max_worker_processes setting": &c.MaxWorkerProcesses,
		"max_wal_senders setting":      &c.MaxWALSenders,
		"max_prepared_xacts setting":   &c.MaxPreparedTransactions,
		"max_locks_per_xact setting":   &c.MaxLocksPerTransaction,
	} {
		*into = int(reader.number(name, 31)) // 31 bits were asked for
	}
	powerOfTwo := c.SegmentBytes&(c.SegmentBytes-1) == 0
	if reader.err == nil && (c.SegmentBytes < 1<<20 || c.SegmentBytes > 1<<30 || !powerOfTwo) {
		reader.err = fmt.Errorf("a WAL segment of %d bytes", c.SegmentBytes)
	}
	if reader.err != nil {
		return Control{}, fault.New(fault.Integrity, "pitr: read what pg_controldata prints",
			"Look at the data directory with pg_controldata of the server's own version.", reader.err)
	}
	return c, nil
}

// controlReader keeps the first value that cannot be read.
type controlReader struct {
	values map[string]string
	err    error
}

func (r *controlReader) number(name string, bits int) uint64 {
	n, err := strconv.ParseUint(r.values[name], 10, bits)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s is %.40q", name, r.values[name])
	}
	return n
}

func (r *controlReader) lsn(name string) wal.LSN {
	at, err := wal.ParseLSN(r.values[name])
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return at
}
