package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// maxWindow bounds what a frame may ask the decoder to hold; ours need 4 MiB. Sets that people
// compressed themselves with `zstd --long` stay readable up to 128 MiB.
const maxWindow = 128 << 20

// NewReader decrypts (when identities are given) and decompresses src. Close it to free the decoder.
func NewReader(src io.Reader, encrypted bool, identities []age.Identity) (io.ReadCloser, error) {
	if encrypted {
		if len(identities) == 0 {
			return nil, ErrNoIdentity
		}
		plain, err := age.Decrypt(src, identities...)
		if err != nil {
			var mismatch *age.NoIdentityMatchError
			if errors.As(err, &mismatch) {
				return nil, fault.New(fault.NotPermitted, "sealed: decrypt",
					"use the identity file that belongs to one of the set's recipients", err)
			}
			return nil, fault.New(fault.Integrity, "sealed: decrypt", "", err)
		}
		src = plain
	}
	source := &endOf{src: src}
	decoder, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(workers),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fault.New(fault.Integrity, "sealed: decompress", "", err)
	}
	return &reader{decoder, source}, nil
}

// ErrNoIdentity says that the set is encrypted and no age identity was given.
var ErrNoIdentity = fault.New(fault.NotPermitted, "sealed: the set is encrypted and there is no age identity to read it",
	"set encryption.identity_file (or --identity) to a file with the private key", nil)

type reader struct {
	decoder *zstd.Decoder
	source  *endOf
}

// endOf remembers how its source ended: the decoder takes a source that breaks off between two
// frames for a finished one.
type endOf struct {
	src io.Reader
	err error
}

func (e *endOf) Read(p []byte) (int, error) {
	n, err := e.src.Read(p)
	if err != nil {
		e.err = err
	}
	return n, err
}

// Read marks everything but the end of the stream as a failure of integrity; an error of the
// source keeps its own, inner code.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.decoder.Read(p)
	if err == io.EOF && r.source.err != nil && r.source.err != io.EOF {
		err = r.source.err
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	var coded *fault.Error
	if errors.As(err, &coded) {
		return n, err
	}
	return n, fault.New(fault.Integrity, "sealed: read back", "", err)
}

func (r *reader) Close() error { r.decoder.Close(); return nil }

// Pack is NewWriter for small things that are in memory anyway.
func Pack(raw []byte, recipients []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := NewWriter(&out, recipients)
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

// Unpack is NewReader for small things; at most limit raw bytes are accepted.
func Unpack(stored []byte, encrypted bool, identities []age.Identity, limit int64) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(stored), encrypted, identities)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fault.New(fault.Integrity, fmt.Sprintf("sealed: more than %d bytes", limit), "", nil)
	}
	return raw, nil
}

// Recipients parses age public keys (age1…, ssh keys are not accepted: they can't be rotated apart).
func Recipients(keys []string) ([]age.Recipient, error) {
	var recipients []age.Recipient
	for _, key := range keys {
		r, err := age.ParseX25519Recipient(key)
		if err != nil {
			return nil, fault.New(fault.Config, fmt.Sprintf("sealed: recipient %q", key),
				"encryption.recipients wants public keys as `age-keygen` prints them (age1…)", err)
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
			"make one with age-keygen, or name the right file in encryption.identity_file", nil)
	}
	return identities, nil
}
