package s3

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/minio/crc64nvme"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// A listing of very many sets reads very many small documents, and the SDK takes some 150 µs of CPU to ask for one,
// most of it for what is the same each time: which host, which path, which headers. So the SDK asks for the first,
// and the requests that follow are made after its example, signed by the SDK's signer. Rules:
//
//   - only an answer in which everything is as it should be counts: status 200, a length, all of the bytes, and the
//     checksum where the store keeps one. Whatever else comes, the SDK asks again, which knows what an error means and
//     how often to try
//   - an example is one that was signed by AWS4-HMAC-SHA256 for s3, and whose path ends in the key as we write it
//   - after a few refusals nothing is asked so any more: a host whose clock is wrong, for example, has each refused,
//     and only the SDK corrects that

// mostRefusals is after how many a Bucket leaves all to the SDK.
const mostRefusals = 3

// example is what a request of the SDK was like.
type example struct {
	url     url.URL // its path ends where the key begins, and is escaped
	header  http.Header
	payload string // what stands for the hash of the body
	region  string // that it was signed for
}

// brief are the requests that are made after an example.
type brief struct {
	from     atomic.Pointer[example]
	refusals atomic.Int32
}

// GetSmall reads a whole object of at most limit bytes: as Get does, but for the Object, of which it fills only what
// a list fills, and the CRC64NVME. What is larger is bounded.ErrTooLarge.
func (b *Bucket) GetSmall(ctx context.Context, key string, limit int64) ([]byte, Object, error) {
	if like := b.brief.from.Load(); like != nil {
		if raw, object, ok := b.getLike(ctx, like, key, limit); ok {
			return raw, object, nil
		}
	}
	body, object, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, object, err
	}
	defer func() { _ = body.Close() }()
	if object.Size > limit {
		return nil, object, bounded.ErrTooLarge
	}
	raw, err := bounded.ReadAll(body, limit)
	return raw, object, err
}

// learn takes the request that metadata tells of for an example.
func (b *Bucket) learn(key string, metadata middleware.Metadata) {
	if b.brief.from.Load() != nil || b.brief.refusals.Load() >= mostRefusals {
		return
	}
	response, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response)
	if !ok || response.Request == nil || response.StatusCode != http.StatusOK {
		return
	}
	if like := exampleOf(response.Request, key); like != nil {
		b.brief.from.Store(like)
	}
}

// exampleOf is nil for a request that others cannot be made after.
func exampleOf(r *http.Request, key string) *example {
	before, ours := strings.CutSuffix(r.URL.EscapedPath(), escapeKey(key))
	scope, signed := signedFor(r.Header.Get("Authorization"))
	if !ours || !signed || strings.Contains(before, "%") || r.Header.Get("X-Amz-S3session-Token") != "" {
		return nil
	}
	like := &example{url: *r.URL, header: http.Header{}, payload: r.Header.Get("X-Amz-Content-Sha256"), region: scope}
	like.url.Path, like.url.RawPath = before, before
	for name, values := range r.Header {
		switch name {
		case "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request":
		default:
			like.header[name] = values
		}
	}
	return like
}

// signedFor reads the region out of `AWS4-HMAC-SHA256 Credential=KEY/DAY/REGION/s3/aws4_request, …`.
func signedFor(authorization string) (region string, ok bool) {
	rest, ok := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=")
	scope, _, _ := strings.Cut(rest, ",")
	parts := strings.Split(scope, "/") // an access key may hold slashes
	if n := len(parts); ok && n >= 5 && parts[n-2] == "s3" && parts[n-1] == "aws4_request" {
		return parts[n-3], true
	}
	return "", false
}

// escapeKey writes a key as the SDK does: slashes and the characters that need no escape stay (RFC 3986).
func escapeKey(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(key) + 16)
	for i := range len(key) {
		c := key[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~',
			c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// getLike is false for all that the SDK has to look at.
func (b *Bucket) getLike(ctx context.Context, like *example, key string, limit int64) ([]byte, Object, bool) {
	r, err := b.requestLike(ctx, like, key)
	if err != nil {
		return nil, Object{}, false
	}
	response, err := b.sender.RoundTrip(r)
	if err != nil {
		return nil, Object{}, false
	}
	defer func() { _ = response.Body.Close() }()
	if status := response.StatusCode; status != http.StatusOK {
		if status/100 == 4 && status != http.StatusNotFound && b.brief.refusals.Add(1) >= mostRefusals {
			b.brief.from.Store(nil)
		}
		return nil, Object{}, false
	}
	size := response.ContentLength
	if size < 0 || size > limit || response.Header.Get("Content-Encoding") != "" {
		return nil, Object{}, false
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(response.Body, raw); err != nil {
		return nil, Object{}, false
	}
	object := objectOf(key, response)
	return raw, object, object.CRC64NVME == "" || encodeCRC(crc64nvme.Checksum(raw)) == object.CRC64NVME
}

var errNoKey = errors.New("no key")

func (b *Bucket) requestLike(ctx context.Context, like *example, key string) (*http.Request, error) {
	if key == "" {
		return nil, errNoKey
	}
	credentials, err := b.credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	at := like.url
	at.Path, at.RawPath = at.Path+key, at.RawPath+escapeKey(key)
	r := (&http.Request{
		Method: http.MethodGet, URL: &at, Host: at.Host, Header: maps.Clone(like.header),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	return r, b.signer.SignHTTP(ctx, credentials, r, like.payload, "s3", like.region, time.Now(), rawPath)
}

// rawPath: S3 signs the path as it is sent.
func rawPath(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }

func objectOf(key string, response *http.Response) Object {
	h := response.Header
	o := Object{Key: key, Size: response.ContentLength, ETag: h.Get("Etag"), StorageClass: h.Get("X-Amz-Storage-Class")}
	sum := h.Get("X-Amz-Checksum-Crc64nvme")
	if h.Get("X-Amz-Checksum-Type") != "COMPOSITE" && !strings.Contains(sum, "-") {
		o.CRC64NVME = sum
	}
	if at, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		o.LastModified = at
	}
	return o
}
