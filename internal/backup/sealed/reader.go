package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// maxWindow bounds what a frame may ask the decoder to hold; ours need 1 MiB. Sets that people
// compressed themselves with `zstd --long` stay readable up to 128 MiB.
const maxWindow = 128 << 20

// NewReader decrypts (when identities are given) and decompresses src. Close it to free the decoder.
func NewReader(src io.Reader, encrypted bool, identities []age.Identity) (io.ReadCloser, error) {
	source := &endOf{src: src, left: noLimit}
	sealed := source
	if encrypted {
		if len(identities) == 0 {
			return nil, ErrNoIdentity
		}
		source.left = maxHeader
		plain, err := age.Decrypt(source, identities...)
		source.left = noLimit
		if err != nil {
			return nil, decryptError(err, source.broken())
		}
		sealed = &endOf{src: plain, left: noLimit}
	}
	decoder, err := zstd.NewReader(sealed, zstd.WithDecoderConcurrency(workers),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fault.New(fault.Integrity, "sealed: decompress", "", err)
	}
	return &reader{decoder: decoder, source: source, sealed: sealed}, nil
}

func decryptError(err, broken error) error {
	var mismatch *age.NoIdentityMatchError
	switch {
	case broken != nil:
		return broken
	case errors.As(err, &mismatch):
		return fault.New(fault.NotPermitted, "sealed: decrypt",
			"Use the identity file of one of the set's recipients.", err)
	}
	return fault.New(fault.Integrity, "sealed: decrypt",
		"Restore another set, and verify this one.", err)
}

var errHeader = errors.New("its header has no end")

// ErrNoIdentity says that the set is encrypted and no age identity was given.
var ErrNoIdentity = fault.New(fault.NotPermitted,
	"sealed: the set is encrypted and there is no age identity to read it",
	"Set encryption.identity_file (or --identity) to a file with the private key.", nil)

type reader struct {
	decoder *zstd.Decoder
	source  *endOf // what is stored
	sealed  *endOf // what is compressed; the same without encryption
}

// endOf remembers how its source ended. The layers above take a source that breaks off for a
// finished or a damaged one; yet a broken connection must not count as evidence against a set.
type endOf struct {
	src  io.Reader
	left int64      // that may be read; noLimit: all
	mu   sync.Mutex // the decoder reads ahead in a goroutine
	err  error
}

// maxHeader bounds age's header, which is read into memory line by line before anything is known of
// it: thousands of recipients.
const (
	maxHeader = 1 << 20
	noLimit   = -1
)

func (e *endOf) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, errHeader
	}
	if e.left > 0 && int64(len(p)) > e.left {
		p = p[:e.left]
	}
	n, err := e.src.Read(p)
	if e.left > 0 {
		e.left -= int64(n)
	}
	if err != nil {
		e.mu.Lock()
		e.err = err
		e.mu.Unlock()
	}
	return n, err
}

// broken is the error that ended the source other than by its end, or nil.
func (e *endOf) broken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == io.EOF { //nolint:errorlint // an error that wraps io.EOF is a broken connection, not the end
		return nil
	}
	return e.err
}

// Read marks everything but the end of the stream as a failure of integrity; an error of the
// source stays what it is.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.decoder.Read(p)
	if err == nil {
		return n, nil
	}
	if broken := r.source.broken(); broken != nil {
		return n, broken
	}
	// The decoder takes a stream that breaks off between two frames for a finished one.
	if broken := r.sealed.broken(); broken != nil {
		err = broken
	}
	if err == io.EOF { //nolint:errorlint // the decoder ends with the very value
		return n, err
	}
	return n, fault.New(fault.Integrity, "sealed: read back", "", err)
}

func (r *reader) Close() error { r.decoder.Close(); return nil }

// packLevel is that of small things, whose CPU nobody notices.
const packLevel Level = 3

// Pack is NewWriter for small things that are in memory anyway.
func Pack(raw []byte, recipients []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := NewWriter(&out, recipients, packLevel)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		w.Abort()
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Recipients parses age public keys (age1…, ssh keys are not accepted: they can't be rotated apart).
func Recipients(keys []string) ([]age.Recipient, error) {
	var recipients []age.Recipient
	for _, key := range keys {
		r, err := age.ParseX25519Recipient(key)
		if err != nil {
			return nil, fault.New(fault.Config, fmt.Sprintf("sealed: recipient %q", key),
				"Give public keys in encryption.recipients as `age-keygen` prints them (age1…).", err)
		}
		recipients = append(recipients, r)
	}
	return recipients, nil
}

// Identities reads an age identity file. An empty name gives none.
func Identities(file string) ([]age.Identity, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fault.New(fault.Config, "sealed: open identity file", "", err)
	}
	defer func() { _ = f.Close() }()
	identities, err := age.ParseIdentities(f)
	if err != nil {
		// The parser's error could quote the key: only the place is told.
		return nil, fault.New(fault.Config, "sealed: "+file+" is not an age identity file",
			"Make one with age-keygen, or name the right file in encryption.identity_file.", nil)
	}
	return identities, nil
}
