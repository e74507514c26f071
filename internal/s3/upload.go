package s3

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// UploadOptions of one streamed object.
type UploadOptions struct {
	ExpectedBytes int64 // the best guess at the length; sizes the parts, binds nothing
	Concurrency   int   // the most parts on the way at once; default: what memory allows, see parallelParts
	IfNoneMatch   bool  // Complete only if the key does not exist: else ErrExists
	ContentType   string
	Class         string // storage class; default Options.StorageClass
	Metadata      map[string]string
	Lock          Lock
}

// Upload is a stream of unknown length on its way into one object. The object appears when
// Complete succeeds, or never.
//
// Parts follow one another while the link is faster than the stream. Where it is not, further ones are sent beside
// them, until as many are on the way as memory allows: one more than those is held.
//
// Write, Complete and Abort are for one goroutine; Sent and Moved for any. Exactly one of
// Complete and Abort must have succeeded in the end, else parts stay in the store, unseen and
// paid for; Abort after Complete does nothing, so it can be deferred.
type Upload struct {
	bucket   *Bucket
	key, id  string
	opts     UploadOptions
	token    string
	checked  bool // the store keeps CRC64NVME of the whole object
	metadata map[string]string

	ctx    context.Context // of the upload as a whole: io.Writer has no place for one
	cancel context.CancelCauseFunc
	plan   plan

	current []byte // the part being filled, nil before its first byte
	number  int64  // of current, from 1
	sha     hash.Hash
	crc     hash.Hash64
	size    int64
	state   uploadState

	slots  chan struct{} // one token per part on the way, and per part that there is no room for
	most   int           // parts that there is room for, as large as the last one was
	free   chan []byte   // buffers to fill again
	group  sync.WaitGroup
	sent   atomic.Int64
	moved  atomic.Int64
	mu     sync.Mutex // guards what follows
	first  error
	parts  []types.CompletedPart
	onWay  gauge // parts
	buffer gauge // for the memory bound
}

// gauge is how many there are of something, and were at most.
type gauge struct{ now, peak int }

func (g *gauge) add(delta int) {
	g.now += delta
	g.peak = max(g.peak, g.now)
}

type uploadState int

const (
	uploadOpen uploadState = iota
	uploadCompleted
	uploadAborted
)

var errUploadEnded = errors.New("the upload has ended")

// Upload opens a stream to key. ctx bounds the whole upload: when it is cancelled, parts on the
// way are given up and Write returns its cause.
func (b *Bucket) Upload(ctx context.Context, key string, o UploadOptions) (*Upload, error) {
	o.Class = orDefault(o.Class, b.opts.StorageClass)
	u := &Upload{
		bucket: b, key: key, opts: o, number: 1, sha: sha256.New(), crc: crc64nvme.New(),
		plan: planFor(o.ExpectedBytes, b.opts),
	}
	u.most = u.parallel(u.plan.size(1))
	u.slots = make(chan struct{}, u.most)
	u.free = make(chan []byte, u.most+1)
	u.metadata, u.token = withToken(o.Metadata, "")
	if err := u.create(ctx); err != nil {
		return nil, b.failWrite(ctx, "create upload", key, err)
	}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	return u, nil
}

// create asks for CRC64NVME over the whole object, which S3 can join from the parts' own. A store
// that does not know it is asked again without; its parts are then protected by MD5.
func (u *Upload) create(ctx context.Context) error {
	b := u.bucket
	in := &s3.CreateMultipartUploadInput{
		Bucket: &b.opts.Bucket, Key: &u.key, Metadata: u.metadata,
		ContentType: optional(u.opts.ContentType), StorageClass: types.StorageClass(u.opts.Class),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
		ExpectedBucketOwner: b.owner(),
	}
	in.ServerSideEncryption, in.SSEKMSKeyId = b.sse()
	in.ObjectLockMode, in.ObjectLockRetainUntilDate = u.opts.Lock.headers()
	if b.lacks.checksums.Load() {
		in.ChecksumAlgorithm, in.ChecksumType = "", ""
	}
	out, err := b.client.CreateMultipartUpload(ctx, in)
	if in.ChecksumAlgorithm != "" && checksumRefused(err) {
		in.ChecksumAlgorithm, in.ChecksumType = "", ""
		out, err = b.client.CreateMultipartUpload(ctx, in)
		if err == nil {
			b.lacks.checksums.Store(true)
		}
	}
	if err != nil {
		return err
	}
	if u.id = aws.ToString(out.UploadId); u.id == "" {
		return errors.New("the store gave no upload id")
	}
	u.checked = out.ChecksumAlgorithm == types.ChecksumAlgorithmCrc64nvme &&
		out.ChecksumType != types.ChecksumTypeComposite
	return nil
}

// TryParts fails when the store does not take a part of the highest number that an upload may come to. It leaves
// nothing behind.
func (b *Bucket) TryParts(ctx context.Context, key string) error {
	u, err := b.Upload(ctx, key, UploadOptions{})
	if err != nil {
		return err
	}
	if err = u.sendPart(int64(b.opts.MaxParts), []byte("the last part")); err != nil {
		err = b.fail(ctx, "upload part of", key, err)
	}
	return errors.Join(err, u.Abort(ctx))
}

// Write takes the next bytes of the stream; they may still be in memory when it returns. After a
// failure it returns the first error at once.
func (u *Upload) Write(p []byte) (n int, err error) {
	if err := u.broken(); err != nil {
		return 0, err
	}
	for len(p) > 0 {
		if u.current == nil {
			u.current = u.takeBuffer()
		}
		k := min(len(p), cap(u.current)-len(u.current))
		u.take(p[:k])
		n, p = n+k, p[k:]
		if len(u.current) == cap(u.current) {
			if err := u.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (u *Upload) take(p []byte) {
	u.current = append(u.current, p...)
	u.sha.Write(p)
	u.crc.Write(p)
	u.size += int64(len(p))
}

// parallel is how many parts of a size may be on the way at once.
func (u *Upload) parallel(size int64) int {
	if u.opts.Concurrency > 0 {
		return u.opts.Concurrency
	}
	return parallelParts(size)
}

// flush sends the current part as soon as there is room for it among those on the way.
func (u *Upload) flush() error {
	if u.number > u.plan.parts {
		return u.fail(fault.New(fault.Failed, subject("upload", u.key),
			"Raise the largest part size, or the number of parts if the store allows more.",
			errors.New("the stream is longer than the allowed parts can hold")))
	}
	// Larger parts are fewer: what there is no room for any more keeps its token.
	for fits := u.parallel(u.plan.size(u.number)); u.most > fits; u.most-- {
		if !u.takeSlot() {
			return u.broken()
		}
	}
	if !u.takeSlot() {
		return u.broken()
	}
	number := u.number
	body := u.current
	u.number++
	u.current = nil
	u.count(&u.onWay, +1)
	u.group.Go(func() {
		if err := u.sendPart(number, body); err != nil {
			_ = u.fail(u.bucket.fail(u.ctx, "upload part of", u.key, err))
		}
		u.giveBuffer(body)
		u.count(&u.onWay, -1)
		<-u.slots
	})
	return u.broken()
}

// takeSlot waits for one; false: the upload has ended meanwhile.
func (u *Upload) takeSlot() bool {
	select {
	case u.slots <- struct{}{}:
		return true
	case <-u.ctx.Done():
		return false
	}
}

// broken is the error that ended the upload, nil while it is alive.
func (u *Upload) broken() error {
	if u.state != uploadOpen {
		return fault.New(fault.Failed, subject("upload", u.key), "", errUploadEnded)
	}
	u.mu.Lock()
	first := u.first
	u.mu.Unlock()
	if first == nil && u.ctx.Err() != nil {
		return u.bucket.fail(u.ctx, "upload", u.key, u.ctx.Err())
	}
	return first
}

// fail keeps the first error and stops the parts on the way.
func (u *Upload) fail(err error) error {
	u.mu.Lock()
	if u.first == nil {
		u.first = err
	}
	first := u.first
	u.mu.Unlock()
	u.cancel(first)
	return first
}

// Sent is how many bytes the store has acknowledged, in whole parts.
func (u *Upload) Sent() int64 { return u.sent.Load() }

// Moved is how many bytes were handed to the network, repetitions included: it grows as long as
// anything moves, also inside a large part.
func (u *Upload) Moved() int64 { return u.moved.Load() }
