package archive

import (
	"errors"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What callers branch on, with errors.Is.
var (
	ErrUnsupported = errors.New("archive format not supported")   // not -Fc, or another version
	ErrCorrupt     = errors.New("archive is corrupt")             // contradicts the format
	ErrTruncated   = errors.New("archive is truncated")           // ends before it is complete
	ErrTooLarge    = errors.New("table of contents is too large") // beyond Options
	ErrNoData      = errors.New("no such data block")             // asked of Subset
)

const (
	remedyDamaged     = "Read it whole with `pg_restore -f /dev/null`. If that fails too, use another backup."
	remedyUnsupported = "Use pg_restore itself on this archive, or a pgbtui that knows its format."
)

// scanError places err in the stream and gives damage its exit code.
func scanError(kind error, at int64, format string, args ...any) error {
	code, remedy := fault.Integrity, remedyDamaged
	if errors.Is(kind, ErrUnsupported) || errors.Is(kind, ErrTooLarge) {
		code, remedy = fault.Failed, remedyUnsupported
	}
	what := fmt.Sprintf("archive: scan at byte %d", at)
	return fault.New(code, what, remedy, fmt.Errorf("%w: "+format, append([]any{kind}, args...)...))
}
