// The entries of `journalctl --output=json`, one object a line (systemd.io, "Journal Export
// Formats"): a value is a string, an array of byte values where it is no printable text, null
// where it was left out, or an array of those where the entry has the field more than once.

package journal

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// parseEntry reads one line. ok is false for what is no entry. A field that occurs more than
// once has its last value, as with libsystemd.
func parseEntry(line []byte) (e Entry, ok bool) {
	if len(line) >= maxLine {
		return parsePieces(line)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return Entry{}, false
	}
	fields := make(map[string]string, len(object))
	cut := false
	for name, raw := range object {
		value, ok := parseValue(raw)
		if !ok {
			cut = true
			continue
		}
		fields[name] = value
	}
	cursor, usec := fields["__CURSOR"], fields["__REALTIME_TIMESTAMP"]
	at, err := strconv.ParseUint(usec, 10, 64)
	if cursor == "" || err != nil {
		return Entry{}, false
	}
	for _, address := range []string{"__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID"} {
		delete(fields, address)
	}
	e = newEntry(cursor, at, fields)
	e.Truncated = e.Truncated || cut
	return e, true
}

func parseValue(raw json.RawMessage) (value string, ok bool) {
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return "", false
	case raw[0] == '"':
		err := json.Unmarshal(raw, &value)
		return value, err == nil
	}
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil || len(items) == 0 {
		return "", false
	}
	if first := items[0][0]; first < '0' || first > '9' {
		return parseValue(items[len(items)-1])
	}
	var b []byte
	err := json.Unmarshal(raw, &b)
	return string(b), err == nil
}

// maxCursor is longer than any cursor. It is no part of the expression: counting so far made that take 20 ms to
// compile, at every start of the program.
const maxCursor = 999

var (
	cursorInPiece = regexp.MustCompile(`"__CURSOR"\s*:\s*"([^"\\]+)"`)
	timeInPiece   = regexp.MustCompile(`"__REALTIME_TIMESTAMP"\s*:\s*"([0-9]{1,20})"`)
)

// parsePieces makes the best of a line that was too long and lost its middle: the entry's
// address may stand before or after. The rest is not trusted: two halves of different values
// may have met. Within a value the address's quotes would be escaped.
func parsePieces(line []byte) (e Entry, ok bool) {
	cursor, usec := cursorInPiece.FindSubmatch(line), timeInPiece.FindSubmatch(line)
	if cursor == nil || usec == nil || len(cursor[1]) > maxCursor {
		return Entry{}, false
	}
	at, err := strconv.ParseUint(string(usec[1]), 10, 64)
	if err != nil {
		return Entry{}, false
	}
	e = unreadable(string(cursor[1]), at, "it is too large")
	e.Truncated = true
	return e, true
}
