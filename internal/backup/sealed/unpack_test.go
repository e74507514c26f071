package sealed

import (
	"bytes"
	"errors"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// unpack is NewReader for small things; at most limit raw bytes are accepted.
func unpack(stored []byte, encrypted bool, identities []age.Identity, limit int64) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(stored), encrypted, identities)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	raw, err := bounded.ReadAll(r, limit)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fault.New(fault.Integrity, "sealed: read back", "", err)
	}
	return raw, err
}
