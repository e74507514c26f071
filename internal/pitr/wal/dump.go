package wal

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Kind is what happened.
type Kind string

// The kinds of record that a recovery can stop at.
const (
	Commit       Kind = "commit"
	Abort        Kind = "abort"
	RestorePoint Kind = "restore point"
)

// Record is one record of the WAL.
type Record struct {
	Kind Kind      `json:"kind"`
	LSN  LSN       `json:"lsn"`            // where it begins
	XID  uint32    `json:"xid,omitempty"`  // of a commit or an abort
	Time time.Time `json:"time,omitzero"`  // of a commit or an abort: when it was written, by the server's clock
	Name string    `json:"name,omitempty"` // of a restore point, as it is: text from outside
}

// Managers are the resource managers that pg_waldump is asked for, one call each: before 16 it takes only one. What
// users name (restore points, prepared transactions) stands in its lines as it is, with line breaks too; so records of
// one manager are never taken from the lines of another.
const (
	Transactions = "Transaction"
	Points       = "XLOG"
)

// longestLine is as much of a line as is looked at: a commit of much DDL goes on for pages about caches.
const longestLine = 512

var (
	lineForm = regexp.MustCompile(
		`^rmgr: ([A-Za-z0-9_]+) +len \(rec/tot\): +\d+/ *\d+, tx: +(\d{1,10}), lsn: ([0-9A-F]{1,8}/[0-9A-F]{8}), ` +
			`prev [0-9A-F]{1,8}/[0-9A-F]{8}, desc: ([A-Z_]+) ?(.*)$`)
	endForm = regexp.MustCompile(`^(?:(\d{1,10}): )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) UTC(?:;|$)`)
)

// Parse reads a line that pg_waldump prints with TZ=UTC for one resource manager. It is false for other records.
func Parse(manager, line string) (Record, bool) {
	m := lineForm.FindStringSubmatch(line)
	if m == nil || m[1] != manager {
		return Record{}, false
	}
	lsn, err := ParseLSN(m[3])
	if err != nil {
		return Record{}, false
	}
	switch what, text := m[4], m[5]; {
	case manager == Points && what == "RESTORE_POINT":
		return Record{Kind: RestorePoint, LSN: lsn, Name: text}, text != ""
	case manager != Transactions:
		return Record{}, false
	case what == "COMMIT" || what == "COMMIT_PREPARED":
		return ended(Commit, lsn, m[2], text)
	case what == "ABORT" || what == "ABORT_PREPARED":
		return ended(Abort, lsn, m[2], text)
	}
	return Record{}, false
}

// ended reads the end of a transaction. The record of a prepared one names it in front of the time.
func ended(kind Kind, lsn LSN, xid, text string) (Record, bool) {
	m := endForm.FindStringSubmatch(text)
	if m == nil {
		return Record{}, false
	}
	if m[1] != "" {
		xid = m[1]
	}
	id, err := strconv.ParseUint(xid, 10, 32)
	if err != nil {
		return Record{}, false
	}
	at, err := time.Parse("2006-01-02 15:04:05.000000", m[2])
	if err != nil {
		return Record{}, false
	}
	return Record{Kind: kind, LSN: lsn, XID: uint32(id), Time: at}, true
}

// Read hands each record of what pg_waldump prints for one resource manager to each, in order.
func Read(manager string, from io.Reader, each func(Record)) error {
	lines := bufio.NewReaderSize(from, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		text := strings.TrimSuffix(string(line), "\n")
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long line
			_, err = lines.ReadSlice('\n')
		}
		if record, ok := Parse(manager, text); ok {
			each(record)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
