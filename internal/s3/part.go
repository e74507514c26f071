package s3

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Parts and their buffers. A part stays in memory until the store has acknowledged it, so each
// can be sent again on its own.

var errDifferent = errors.New("the store acknowledged a checksum other than that of the bytes sent")

func (u *Upload) sendPart(number int64, body []byte) error {
	b := u.bucket
	in := &s3.UploadPartInput{
		Bucket: &b.opts.Bucket, Key: &u.key, UploadId: &u.id, PartNumber: aws.Int32(int32(number)), // at most 10,000
		Body: &meteredBody{ReadSeeker: bytes.NewReader(body), moved: &u.moved}, ContentLength: aws.Int64(int64(len(body))),
		ExpectedBucketOwner: b.owner(),
	}
	part := types.CompletedPart{PartNumber: in.PartNumber}
	if u.checked {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
		in.ChecksumCRC64NVME = aws.String(crcOf(body))
		part.ChecksumCRC64NVME = in.ChecksumCRC64NVME
	} else {
		in.ContentMD5 = aws.String(md5Of(body))
	}
	out, err := b.client.UploadPart(u.ctx, in, resendDamaged, b.unsignedPayload)
	if err != nil {
		return err
	}
	if part.ETag = out.ETag; aws.ToString(out.ETag) == "" {
		return errors.New("the store acknowledged a part without an ETag")
	}
	if u.checked && out.ChecksumCRC64NVME != nil && *out.ChecksumCRC64NVME != *in.ChecksumCRC64NVME {
		return errDifferent
	}
	u.mu.Lock()
	u.parts = append(u.parts, part)
	u.mu.Unlock()
	u.sent.Add(int64(len(body)))
	return nil
}

// takeBuffer is an empty buffer as large as the current part is to be: one that came back, or a
// new one when none is on the way to come back. Buffers that are too small by now are let go.
func (u *Upload) takeBuffer() []byte {
	size := u.plan.size(u.number)
	for {
		select {
		case buf := <-u.free:
			if int64(cap(buf)) >= size {
				return buf[:0:size]
			}
			u.count(&u.buffer, -1)
		default:
			u.count(&u.buffer, +1)
			return make([]byte, 0, size)
		}
	}
}

func (u *Upload) giveBuffer(buf []byte) {
	select {
	case u.free <- buf:
	default:
		u.count(&u.buffer, -1)
	}
}

func (u *Upload) count(what *gauge, delta int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	what.add(delta)
}

// meteredBody is a part's body that tells how far it was read.
type meteredBody struct {
	io.ReadSeeker
	moved *atomic.Int64
}

func (m *meteredBody) Read(p []byte) (int, error) {
	n, err := m.ReadSeeker.Read(p)
	m.moved.Add(int64(n))
	return n, err
}
