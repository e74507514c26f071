package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// PutOptions of one small object. At most one condition may be set.
type PutOptions struct {
	IfNoneMatch bool   // only if the key does not exist: else ErrExists
	IfMatch     string // only over the object with this ETag: else ErrChanged
	ContentType string
	Class       string // storage class; "" = the store's default, whatever uploads use
	Metadata    map[string]string
	Lock        Lock
	Moved       *atomic.Int64 // counts the bytes that are handed to the network; nil: nobody asks
}

func (o PutOptions) conditional() bool { return o.IfNoneMatch || o.IfMatch != "" }

// Put writes body as one object. It fails with ErrExists or ErrChanged when the condition does
// not hold, ErrConditionsUnsupported when the store cannot check it.
//
// A conditional put is repeated when its answer is lost, by us or by a proxy on the way; if it meets an
// object, it is looked up whether that is ours, so that success is never reported as a loss nor the
// reverse.
func (b *Bucket) Put(ctx context.Context, key string, body []byte, o PutOptions) (Object, error) {
	put := b.newPut(key, body, o)
	out, err := b.client.PutObject(ctx, put.input, resendDamaged, countAttempts(&put.attempts))
	if put.input.ContentMD5 == nil && checksumRefused(err) {
		put.protectByMD5()
		out, err = b.client.PutObject(ctx, put.input, resendDamaged, countAttempts(&put.attempts))
		if err == nil {
			b.lacks.checksums.Store(true)
		}
	}
	if err == nil && out.ChecksumCRC64NVME != nil && *out.ChecksumCRC64NVME != put.object.CRC64NVME {
		return Object{}, b.fail(ctx, "put", key, errDifferent)
	}
	if err == nil {
		put.object.ETag = aws.ToString(out.ETag)
		put.object.VersionID = aws.ToString(out.VersionId)
		put.object.SSE = string(out.ServerSideEncryption)
		return put.object, nil
	}
	if !o.conditional() || ctx.Err() != nil {
		return Object{}, b.failWrite(ctx, "put", key, err)
	}
	return b.settlePut(ctx, put, o, err)
}

// pendingPut is a put under way.
type pendingPut struct {
	input    *s3.PutObjectInput
	object   Object
	token    string
	body     []byte
	moved    *atomic.Int64
	attempts int
}

// reader is the body from its beginning.
func (p *pendingPut) reader() io.Reader {
	if p.moved == nil {
		return bytes.NewReader(p.body)
	}
	return &meteredBody{ReadSeeker: bytes.NewReader(p.body), moved: p.moved}
}

func (b *Bucket) newPut(key string, body []byte, o PutOptions) *pendingPut {
	sha, crc := shaOf(body), crcOf(body)
	meta, token := withToken(o.Metadata, sha)
	in := &s3.PutObjectInput{
		Bucket: &b.opts.Bucket, Key: &key,
		ContentLength: aws.Int64(int64(len(body))), ContentType: optional(o.ContentType),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumCRC64NVME: &crc,
		StorageClass: types.StorageClass(o.Class), Metadata: meta,
		IfMatch: optional(o.IfMatch), ExpectedBucketOwner: b.owner(),
	}
	if o.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	in.ServerSideEncryption, in.SSEKMSKeyId = b.sse()
	in.ObjectLockMode, in.ObjectLockRetainUntilDate = o.Lock.headers()
	put := &pendingPut{input: in, token: token, body: body, moved: o.Moved, object: Object{
		Key: key, Size: int64(len(body)), SHA256: sha, CRC64NVME: crc,
		StorageClass: o.Class, ContentType: o.ContentType, Metadata: meta,
	}}
	in.Body = put.reader()
	if b.lacks.checksums.Load() {
		put.protectByMD5()
	}
	return put
}

// protectByMD5 is for stores that do not know CRC64NVME.
func (p *pendingPut) protectByMD5() {
	p.input.ChecksumAlgorithm, p.input.ChecksumCRC64NVME = "", nil
	p.input.ContentMD5 = aws.String(md5Of(p.body))
	p.input.Body = p.reader()
	p.attempts = 0 // that answer was a clean refusal: nothing was written
}

// settlePut decides what a failed conditional put means.
func (b *Bucket) settlePut(ctx context.Context, put *pendingPut, o PutOptions, err error) (Object, error) {
	// With If-Match, a key that is gone is answered by 404.
	refused := conditionFailedBy(err) || o.IfMatch != "" && codeOf(err) == "NoSuchKey"
	// Also after a single attempt: a proxy on the way may have sent it twice, and passed on the second answer.
	if refused || mayHaveHappened(err) {
		stored, mine, lookErr := b.isMine(ctx, put)
		switch {
		case mine:
			return stored, nil
		case lookErr != nil && refused:
			// Somebody has the key, perhaps we ourselves: neither may be claimed.
			return Object{}, b.uncertain("put", put.object.Key, errors.Join(err, lookErr))
		}
	}
	if refused {
		return Object{}, b.because("put", put.object.Key, conditionFailed(o.IfNoneMatch), nil)
	}
	if conditionsRefused(err) {
		return Object{}, b.because("put", put.object.Key, conditionsUnsupported(), err)
	}
	return Object{}, b.failWrite(ctx, "put", put.object.Key, err)
}

// isMine looks up whether the object under the key is the one that put wrote. A store that drops
// metadata is asked for the bytes instead.
func (b *Bucket) isMine(ctx context.Context, put *pendingPut) (Object, bool, error) {
	stored, err := b.Head(ctx, put.object.Key)
	if errors.Is(err, ErrNotFound) {
		return Object{}, false, nil
	}
	if err != nil {
		return Object{}, false, err
	}
	stored.SHA256, stored.CRC64NVME = put.object.SHA256, put.object.CRC64NVME
	if token, kept := stored.Metadata[metaToken]; kept {
		return stored, token == put.token, nil
	}
	if len(stored.Metadata) > 0 || stored.Size != put.object.Size {
		return Object{}, false, nil
	}
	body, _, err := b.Get(ctx, put.object.Key, 0, -1)
	if err != nil {
		return Object{}, false, err
	}
	defer body.Close()
	bytesThere, err := bounded.ReadAll(body, stored.Size)
	return stored, err == nil && bytes.Equal(bytesThere, put.body), err
}

func (b *Bucket) sse() (types.ServerSideEncryption, *string) {
	if b.opts.SSE == SSENone {
		return "", nil
	}
	return types.ServerSideEncryption(b.opts.SSE), optional(b.opts.KMSKeyID)
}

func conditionFailed(ifNoneMatch bool) verdict {
	if ifNoneMatch {
		return verdict{
			code: fault.Temporary, sentinel: ErrExists, remedy: "Find out who else has this key, or retry under another name.",
		}
	}
	return verdict{code: fault.Temporary, sentinel: ErrChanged, remedy: "Read it again, then retry."}
}

func conditionsUnsupported() verdict {
	return verdict{
		code: fault.Config, sentinel: ErrConditionsUnsupported,
		remedy: "Use a store that supports If-None-Match and If-Match on writes.",
	}
}

// conditionsRefused reports whether the store turned down the condition's header itself.
func conditionsRefused(err error) bool {
	if _, locked := lockRefused(err); locked || sseRefused(err) {
		return false
	}
	if statusOf(err) == http.StatusNotImplemented || codeOf(err) == "NotImplemented" {
		return true
	}
	return statusOf(err) == http.StatusBadRequest && says(err, "if-none-match", "if-match", "conditional")
}

// sseRefused reports whether the store says that it cannot encrypt.
func sseRefused(err error) bool {
	status := statusOf(err)
	return (status == http.StatusNotImplemented || status == http.StatusBadRequest) &&
		(says(err, "encrypt", "kms", "server-side", "server side") || strings.Contains(codeOf(err), "Encrypt"))
}

// failWrite is fail for writes, where the store may have refused a retention, and one that is not AWS SSE.
func (b *Bucket) failWrite(ctx context.Context, verb, key string, err error) error {
	if v, refused := lockRefused(err); refused && ctx.Err() == nil {
		return b.because(verb, key, v, err)
	}
	if b.endpoint == "" || b.opts.SSE == SSENone || ctx.Err() != nil {
		return b.fail(ctx, verb, key, err)
	}
	if sseRefused(err) || statusOf(err) == http.StatusNotImplemented {
		return b.because(verb, key, verdict{
			code: fault.Config, sentinel: errSSE,
			remedy: "Set s3.sse: none, and encrypt with age recipients instead.",
		}, err)
	}
	return b.fail(ctx, verb, key, err)
}

var errSSE = errors.New("the store refuses server-side encryption")

// uncertain is the honest answer when a write may have happened and nobody can be asked.
func (b *Bucket) uncertain(verb, key string, err error) error {
	return fault.New(fault.Unavailable, subject(verb, key), "Check the key before you write it again.",
		&cause{text: "the answer was lost and the store could not be asked (" + b.describe(err) + ")", err: err})
}
