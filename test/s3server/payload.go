package s3server

import (
	"bytes"
	"crypto/md5" // ETag and Content-MD5 are MD5 by S3's definition
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxPutBytes is the largest object or part that one request carries.
const maxPutBytes = 5 << 30

// payload reads a request's body once, checking everything that the request claims of it.
type payload struct {
	c       *call
	in      io.Reader
	chunked *chunkedReader // nil unless aws-chunked
	length  int64          // declared
	sha     hash.Hash      // nil unless a literal hash was signed
	md5     hash.Hash
	sums    map[algorithm]hash.Hash
	claimed map[algorithm]string // by header; trailers are added at the end
	trailed []algorithm          // announced by x-amz-trailer
}

// stored is what is known of a payload after it was read and found right.
type stored struct {
	size int64
	md5  []byte
	sums map[algorithm]string // base64
}

// newPayload prepares the body for reading. Sums of the algorithms in also are computed
// besides those that the request claims.
func (c *call) newPayload(also ...algorithm) (*payload, error) {
	p := &payload{
		c: c, in: c.r.Body, length: c.r.ContentLength, md5: md5.New(),
		sums: map[algorithm]hash.Hash{}, claimed: map[algorithm]string{},
	}
	for _, a := range also {
		p.sums[a] = a.hash()
	}
	if err := p.readForm(); err != nil {
		return nil, err
	}
	switch {
	case p.length < 0:
		return nil, apiErr(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	case p.length > maxPutBytes:
		return nil, apiErr(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	return p, p.readClaims()
}

// readForm sets up the reader for the form of payload that was signed.
func (p *payload) readForm() error {
	form := p.c.auth.payloadHash
	if !strings.HasPrefix(form, "STREAMING-") {
		if form == unsignedPayload {
			return nil
		}
		if raw, err := hex.DecodeString(form); err != nil || len(raw) != sha256.Size {
			return invalidArgument("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.")
		}
		p.sha = sha256.New()
		return nil
	}
	switch form {
	case streamingUnsigned, streamingSigned, streamingSignedTrails:
	default:
		return notImplemented(form)
	}
	var err error
	p.length, err = strconv.ParseInt(p.c.r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil {
		return apiErr(http.StatusLengthRequired, "MissingContentLength", "You must provide the x-amz-decoded-content-length HTTP header.")
	}
	p.chunked = newChunkedReader(p.c.r.Body, p.c.auth)
	p.in = p.chunked
	return nil
}

// readClaims collects the checksums in headers and those that trailers will bring.
func (p *payload) readClaims() error {
	for _, a := range algorithms() {
		value := p.c.r.Header.Get(a.header())
		if value == "" {
			continue
		}
		if !a.valid(value) {
			return invalidRequest("Value for %s header is invalid.", strings.ToLower(a.header()))
		}
		p.claimed[a], p.sums[a] = value, a.hash()
	}
	for _, name := range p.c.r.Header.Values("X-Amz-Trailer") {
		a, err := parseAlgorithm(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "x-amz-checksum-"))
		if err != nil {
			return invalidRequest("The value specified in the x-amz-trailer header is not supported")
		}
		p.trailed, p.sums[a] = append(p.trailed, a), a.hash()
	}
	if len(p.claimed)+len(p.trailed) > 1 {
		return invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	}
	return nil
}

// algorithm is the one checksum that the request carries, or "".
func (p *payload) algorithm() algorithm {
	for a := range p.claimed {
		return a
	}
	for _, a := range p.trailed {
		return a
	}
	return ""
}

// copyTo streams the body to dst; an error means that nothing of it may be kept.
func (p *payload) copyTo(dst io.Writer) (stored, error) {
	writers := []io.Writer{dst, p.md5}
	if p.sha != nil {
		writers = append(writers, p.sha)
	}
	for _, h := range p.sums {
		writers = append(writers, h)
	}
	buf := make([]byte, 256<<10)
	n, err := io.CopyBuffer(io.MultiWriter(writers...), io.LimitReader(p.in, p.length+1), buf)
	var api *apiError
	switch {
	case errors.As(err, &api):
		return stored{}, api
	case errors.Is(err, io.ErrUnexpectedEOF) || (err == nil && n != p.length):
		return stored{}, incompleteBody(io.ErrUnexpectedEOF)
	case err != nil:
		return stored{}, err
	}
	return p.check(n)
}

// check compares what was read with every claim.
func (p *payload) check(n int64) (stored, error) {
	out := stored{size: n, md5: p.md5.Sum(nil), sums: map[algorithm]string{}}
	if p.sha != nil && hex.EncodeToString(p.sha.Sum(nil)) != strings.ToLower(p.c.auth.payloadHash) {
		return out, apiErr(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if want := p.c.r.Header.Get("Content-Md5"); want != "" {
		raw, err := base64.StdEncoding.DecodeString(want)
		if err != nil || len(raw) != md5.Size {
			return out, apiErr(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified is not valid.")
		}
		if !bytes.Equal(raw, out.md5) {
			return out, badDigest("Content-MD5")
		}
	}
	for a, h := range p.sums {
		out.sums[a] = base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	return out, p.checkSums(out.sums)
}

func (p *payload) checkSums(computed map[algorithm]string) error {
	for _, a := range p.trailed {
		value := p.trailer(a)
		if !a.valid(value) {
			return apiErr(http.StatusBadRequest, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
		}
		p.claimed[a] = value
	}
	for a, value := range p.claimed {
		if computed[a] != value {
			return badDigest(string(a))
		}
	}
	return nil
}

func (p *payload) trailer(a algorithm) string {
	if p.chunked != nil {
		return p.chunked.trailers.Get(a.header())
	}
	return p.c.r.Trailer.Get(a.header())
}

// small reads a body of at most limit bytes, for XML. A checksum header of CompleteMultipartUpload is
// about the object, so ownChecksums says whether such headers are about this body.
func (c *call) small(limit int64, ownChecksums bool) ([]byte, error) {
	p, err := c.newPayload()
	if err != nil {
		return nil, err
	}
	if !ownChecksums {
		clear(p.claimed)
	}
	if p.length > limit {
		return nil, malformedXML()
	}
	var b bytes.Buffer
	_, err = p.copyTo(&b)
	return b.Bytes(), err
}
