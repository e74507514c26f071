package s3

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/minio/crc64nvme"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// progressBytes is how far a download must come to be granted the full number of tries again.
const progressBytes = 1 << 20

// Get reads length bytes of key from offset; a negative length reads to the end. The Object's
// Size is that of the whole object.
//
// The reader goes on by itself after a broken connection, at the right byte and only on the same
// object (If-Match): ErrChanged otherwise. It gives up after MaxAttempts breaks in a row with less
// than 1 MiB between them. A whole object is compared with the CRC64NVME that the store keeps, if
// it does; a difference is fault.Integrity in place of io.EOF.
func (b *Bucket) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Object, error) {
	if offset < 0 {
		return nil, Object{}, fault.New(fault.Failed, subject("get", key), "", errors.New("negative offset"))
	}
	if length == 0 {
		object, err := b.Head(ctx, key)
		return http.NoBody, object, err
	}
	d := &download{bucket: b, ctx: ctx, key: key, pos: offset, started: offset, end: -1}
	if length > 0 {
		d.end = offset + length
	}
	object, err := d.open()
	if err != nil {
		return nil, Object{}, d.openError(err)
	}
	if d.end < 0 || d.end > object.Size {
		d.end = object.Size
	}
	d.etag = object.ETag
	if d.pos == 0 && d.end == object.Size && object.CRC64NVME != "" {
		d.crc, d.want = crc64nvme.New(), object.CRC64NVME
	}
	return d, object, nil
}

// download is a read that outlives its connections.
type download struct {
	bucket *Bucket
	ctx    context.Context // io.Reader has no place for one
	key    string
	etag   string

	pos, end int64 // next byte, and one past the last; end is -1 before the size is known
	body     io.ReadCloser
	breaks   int   // in a row
	started  int64 // where this row began

	crc  hash.Hash64 // nil unless the whole object is read and the store keeps a checksum
	want string
	err  error // sticky
}

// open asks for the rest, from pos on.
func (d *download) open() (Object, error) {
	in := &s3.GetObjectInput{
		Bucket: &d.bucket.opts.Bucket, Key: &d.key, IfMatch: optional(d.etag), ExpectedBucketOwner: d.bucket.owner(),
	}
	if d.pos > 0 || d.end > 0 {
		in.Range = aws.String(byteRange(d.pos, d.end))
	}
	out, err := d.bucket.get(d.ctx, in)
	if err != nil {
		return Object{}, err
	}
	object := objectFromGet(d.key, out)
	if in.Range != nil {
		first, size, err := contentRange(aws.ToString(out.ContentRange))
		if err == nil && first != d.pos {
			err = errors.New("the store answered with another range")
		}
		if err != nil {
			_ = out.Body.Close()
			return Object{}, err
		}
		object.Size, object.CRC64NVME = size, ""
	} else {
		d.bucket.learn(d.key, out.ResultMetadata)
	}
	d.body = out.Body
	return object, nil
}

// get asks for the checksum of a whole object besides, unless the store knows no such question.
func (b *Bucket) get(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if in.Range != nil || b.lacks.checksums.Load() {
		return b.client.GetObject(ctx, in)
	}
	// The SDK would check the checksum of this one body; ours spans broken connections.
	out, err := b.client.GetObject(ctx, in, s3.WithAPIOptions(smithyhttp.SetHeaderValue("x-amz-checksum-mode", "ENABLED")))
	if !checksumRefused(err) {
		return out, err
	}
	if out, err = b.client.GetObject(ctx, in); err == nil {
		b.lacks.checksums.Store(true)
	}
	return out, err
}

func byteRange(first, end int64) string {
	if end < 0 {
		return fmt.Sprintf("bytes=%d-", first)
	}
	return fmt.Sprintf("bytes=%d-%d", first, end-1)
}

// contentRange reads "bytes 0-99/1234" (RFC 9110).
func contentRange(header string) (first, size int64, err error) {
	spec, ok := strings.CutPrefix(header, "bytes ")
	span, total, ok2 := strings.Cut(spec, "/")
	from, _, ok3 := strings.Cut(span, "-")
	if ok && ok2 && ok3 {
		first, err = strconv.ParseInt(from, 10, 64)
		if err == nil {
			size, err = strconv.ParseInt(total, 10, 64)
		}
		if err == nil && first >= 0 && size > first {
			return first, size, nil
		}
	}
	return 0, 0, fmt.Errorf("the store ignores Range, or answers it with %q", visible(header))
}

// Read returns bytes in order, over as many connections as it takes.
func (d *download) Read(p []byte) (int, error) {
	if d.err != nil || len(p) == 0 {
		return 0, d.err
	}
	for d.pos < d.end {
		n, err := d.readSome(p)
		if n > 0 {
			return n, nil
		}
		if err != nil {
			d.err = err
			return 0, err
		}
	}
	d.err = d.finish()
	return 0, d.err
}

// readSome reads from the open body; a break closes it and opens the next one.
func (d *download) readSome(p []byte) (int, error) {
	if d.body == nil {
		if _, err := d.open(); err != nil {
			return 0, d.openError(err)
		}
	}
	n, err := d.body.Read(p[:min(int64(len(p)), d.end-d.pos)])
	if n > 0 {
		if d.crc != nil {
			_, _ = d.crc.Write(p[:n])
		}
		d.pos += int64(n)
		return n, nil // an error behind the bytes comes again with the next read
	}
	if err == nil {
		return 0, nil
	}
	_ = d.body.Close()
	d.body = nil
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return 0, d.pause(err)
}

// pause counts a break and waits before the next connection, unless there were too many in a row.
func (d *download) pause(err error) error {
	if d.pos-d.started >= progressBytes {
		d.breaks, d.started = 0, d.pos
	}
	if d.breaks++; d.ctx.Err() != nil || d.breaks >= d.bucket.opts.MaxAttempts {
		return d.brokenOff(err)
	}
	wait := time.NewTimer(backoff(d.breaks, d.bucket.opts.MaxBackoff))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-d.ctx.Done():
		return d.brokenOff(err)
	}
}

func (d *download) brokenOff(err error) error {
	if d.ctx.Err() != nil {
		return d.bucket.fail(d.ctx, "get", d.key, err)
	}
	return fault.New(fault.Unavailable, subject("get", d.key), networkRemedy(err), &cause{
		text: fmt.Sprintf("the connection broke %d times in a row, the last time at byte %d of %d (%s)",
			d.breaks, d.pos, d.end, d.bucket.describe(err)), err: err,
	})
}

func (d *download) openError(err error) error {
	if statusOf(err) == http.StatusPreconditionFailed {
		return d.bucket.because("get", d.key, changedWhileRead(), nil)
	}
	return d.bucket.fail(d.ctx, "get", d.key, err)
}

func changedWhileRead() verdict {
	return verdict{
		code: fault.Integrity, sentinel: ErrChanged,
		remedy: "Read the object again from the start: it was replaced meanwhile.",
	}
}

// finish is io.EOF, or what is wrong with the bytes that came.
func (d *download) finish() error {
	if d.crc == nil || encodeCRC(d.crc.Sum64()) == d.want {
		return io.EOF
	}
	return fault.New(fault.Integrity, subject("get", d.key),
		"Read it again. If the error persists, the stored object is damaged.",
		fmt.Errorf("the bytes have CRC64NVME %s, the store keeps %s", encodeCRC(d.crc.Sum64()), visible(d.want)))
}

// Close gives up the connection; the rest is not read.
func (d *download) Close() error {
	if d.err == nil {
		d.err = errors.New("s3: read of a closed download")
	}
	if d.body == nil {
		return nil
	}
	body := d.body
	d.body = nil
	// A connection left in the middle breaks here, which is nobody's error.
	_ = body.Close()
	return nil
}
