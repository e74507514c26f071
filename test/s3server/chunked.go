package s3server

// The aws-chunked transfer of STREAMING-* payloads ("Signature Calculations for the Authorization
// Header: Transferring Payload in Multiple Chunks" in the S3 API reference): chunks
// with their own signatures, or none, and checksums in trailers.

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxChunkLine    = 8 << 10 // a chunk's head, or one trailer
	maxTrailers     = 32
	trailerSignName = "x-amz-trailer-signature"
)

// chunkedReader gives the payload inside an aws-chunked body. At EOF the trailers are read and
// every signature was checked.
type chunkedReader struct {
	in       *bufio.Reader
	signer   *chunkSigner // nil: unsigned
	trails   bool         // trailers may follow
	left     int64        // of the current chunk
	started  bool
	sum      hash.Hash
	claimed  string
	trailers http.Header
	err      error
}

// chunkSigner keeps the chain of signatures.
type chunkSigner struct {
	key         []byte
	date, scope string
	previous    string
}

func newChunkedReader(body io.Reader, auth authorized) *chunkedReader {
	r := &chunkedReader{in: bufio.NewReaderSize(body, maxChunkLine), sum: sha256.New(), trailers: http.Header{}}
	if auth.payloadHash != streamingUnsigned {
		r.signer = &chunkSigner{key: auth.key, date: auth.at.Format(amzTime), scope: auth.scope, previous: auth.signature}
	}
	r.trails = auth.payloadHash != streamingSigned
	return r
}

func (r *chunkedReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.left == 0 {
		if r.err = r.nextChunk(); r.err != nil {
			return 0, r.err
		}
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.in.Read(p)
	if r.signer != nil {
		r.sum.Write(p[:n])
	}
	r.left -= int64(n)
	if err != nil {
		r.err = incompleteBody(err)
	}
	return n, r.err
}

// nextChunk ends the chunk before and opens the next; io.EOF after the last one and the trailers.
func (r *chunkedReader) nextChunk() error {
	if r.started {
		if err := r.endChunk(); err != nil {
			return err
		}
	}
	r.started = true
	line, err := r.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(size, 16, 64)
	if err != nil || n < 0 || strings.ContainsAny(size, "+-") {
		return malformedChunk("its size cannot be read")
	}
	r.claimed = strings.TrimPrefix(extension, "chunk-signature=")
	r.sum.Reset()
	if r.left = n; n > 0 {
		return nil
	}
	if err := r.checkChunk(); err != nil {
		return err
	}
	return r.readTrailers()
}

func (r *chunkedReader) endChunk() error {
	if line, err := r.line(); err != nil {
		return err
	} else if line != "" {
		return malformedChunk("it is longer than its size")
	}
	return r.checkChunk()
}

func (r *chunkedReader) checkChunk() error {
	if r.signer == nil {
		return nil
	}
	return r.signer.check(r.claimed, "AWS4-HMAC-SHA256-PAYLOAD", hexSHA256(""), hex.EncodeToString(r.sum.Sum(nil)))
}

func (s *chunkSigner) check(claimed, kind string, hashes ...string) error {
	text := strings.Join(append([]string{kind, s.date, s.scope, s.previous}, hashes...), "\n")
	want := hex.EncodeToString(hmacSHA256(s.key, text))
	if !hmac.Equal([]byte(want), []byte(claimed)) {
		return signatureMismatch()
	}
	s.previous = want
	return nil
}

// readTrailers reads "name:value" lines up to an empty line or the body's end. Some clients put an
// empty line before the trailers' signature.
func (r *chunkedReader) readTrailers() error {
	var signed strings.Builder
	signature := ""
	for range maxTrailers {
		line, err := r.line()
		ends := errors.Is(err, errBodyEnds)
		switch {
		case err != nil && !ends:
			return err
		case line == "" && !ends && r.signer != nil && r.trails && signature == "" && signed.Len() > 0:
			continue
		case line == "":
			return r.endTrailers(signed.String(), signature)
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !r.trails {
			return malformedChunk("unexpected trailer")
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == trailerSignName {
			signature = value
			continue
		}
		r.trailers.Add(name, value)
		signed.WriteString(name + ":" + value + "\n")
	}
	return malformedChunk("too many trailers")
}

func (r *chunkedReader) endTrailers(signed, signature string) error {
	if r.signer != nil && r.trails {
		if err := r.signer.check(signature, "AWS4-HMAC-SHA256-TRAILER", hexSHA256(signed)); err != nil {
			return err
		}
	}
	return io.EOF
}

// errBodyEnds is the body's end where a line was due.
var errBodyEnds = errors.New("body ends")

// line reads up to a line feed, without the line's end.
func (r *chunkedReader) line() (string, error) {
	raw, err := r.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", malformedChunk("a line is too long")
	case errors.Is(err, io.EOF) && len(raw) == 0:
		return "", errors.Join(errBodyEnds, incompleteBody(err))
	case err != nil:
		return "", incompleteBody(err)
	}
	return string(bytes.TrimRight(raw, "\r\n")), nil
}

func malformedChunk(why string) *apiError {
	return apiErr(http.StatusBadRequest, "InvalidRequest", "A chunk of the body is malformed: %s", why)
}

func incompleteBody(err error) *apiError {
	return apiErr(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly: %v", err)
}
