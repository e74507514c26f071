package s3

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Complete sends what is left, waits for every part and makes the object appear. The answer is
// an error also when the store said 200 with an error in the body. When no usable answer came,
// the object is looked up by this upload's token: Complete never claims somebody else's object
// and does not fail over its own. After an error, call Abort.
func (u *Upload) Complete(ctx context.Context) (Object, error) {
	if err := u.broken(); err != nil {
		return Object{}, err
	}
	if len(u.current) > 0 || u.number == 1 {
		if err := u.flush(); err != nil {
			return Object{}, err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = u.fail(u.bucket.fail(ctx, "complete upload", u.key, ctx.Err())) })
	u.group.Wait()
	stop()
	if err := u.broken(); err != nil {
		return Object{}, err
	}
	object, err := u.commit(ctx)
	if err != nil {
		return Object{}, u.fail(err)
	}
	u.state = uploadCompleted
	u.cancel(errUploadEnded)
	return object, nil
}

func (u *Upload) commit(ctx context.Context) (Object, error) {
	object := Object{
		Key: u.key, Size: u.size, SHA256: hex.EncodeToString(u.sha.Sum(nil)), CRC64NVME: encodeCRC(u.crc.Sum64()),
		StorageClass: u.opts.Class, ContentType: u.opts.ContentType, Metadata: u.metadata,
	}
	var attempts int
	out, err := u.bucket.client.CompleteMultipartUpload(ctx, u.completion(object), countAttempts(&attempts))
	if err != nil || aws.ToString(out.ETag) == "" {
		return u.settle(ctx, object, err, attempts)
	}
	object.ETag, object.VersionID = *out.ETag, aws.ToString(out.VersionId)
	object.SSE = string(out.ServerSideEncryption)
	kept := wholeChecksum(out.ChecksumCRC64NVME, out.ChecksumType)
	if kept != "" && kept != object.CRC64NVME {
		return Object{}, u.mismatch(kept)
	}
	return object, nil
}

func (u *Upload) completion(object Object) *s3.CompleteMultipartUploadInput {
	slices.SortFunc(u.parts, func(a, b types.CompletedPart) int { return cmp.Compare(*a.PartNumber, *b.PartNumber) })
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket.opts.Bucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: u.bucket.owner(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	}
	if u.checked { // a store that has no word of the one has none of the other
		in.MpuObjectSize = &object.Size
		in.ChecksumCRC64NVME = &object.CRC64NVME
		in.ChecksumType = types.ChecksumTypeFullObject
	}
	if u.opts.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	return in
}

// settle decides what a Complete without a clean answer means. NoSuchUpload says that an earlier
// try went through, or that somebody aborted the upload; a 412 that the key exists, perhaps by us.
func (u *Upload) settle(ctx context.Context, object Object, err error, attempts int) (Object, error) {
	b := u.bucket
	if ctx.Err() != nil {
		return Object{}, b.fail(ctx, "complete upload", u.key, err)
	}
	refused := conditionFailedBy(err)
	if refused && attempts <= 1 {
		return Object{}, b.because("complete upload", u.key, conditionFailed(true), nil)
	}
	if err == nil || refused || codeOf(err) == "NoSuchUpload" || mayHaveHappened(err) {
		stored, mine, lookErr := u.isMine(ctx, object)
		switch {
		case mine:
			return stored, nil
		case lookErr != nil && (err == nil || refused || codeOf(err) == "NoSuchUpload"):
			return Object{}, b.uncertain("complete upload", u.key, errors.Join(err, lookErr))
		}
	}
	switch {
	case refused:
		return Object{}, b.because("complete upload", u.key, conditionFailed(true), nil)
	case err == nil:
		return Object{}, fault.New(fault.Unavailable, subject("complete upload", u.key), "Run again.",
			errors.New("the store answered without a result, and there is no object"))
	case u.opts.IfNoneMatch && conditionsRefused(err):
		return Object{}, b.because("complete upload", u.key, conditionsUnsupported(), err)
	}
	return Object{}, b.failWrite(ctx, "complete upload", u.key, err)
}

// isMine looks up the object under the key. The token decides; where the store drops metadata,
// size and checksum do, and without either the question stays open.
func (u *Upload) isMine(ctx context.Context, want Object) (Object, bool, error) {
	stored, err := u.bucket.Head(ctx, u.key)
	if errors.Is(err, ErrNotFound) {
		return Object{}, false, nil
	}
	if err != nil {
		return Object{}, false, err
	}
	token, kept := stored.Metadata[metaToken]
	same := stored.Size == want.Size && (stored.CRC64NVME == "" || stored.CRC64NVME == want.CRC64NVME)
	switch {
	case kept && token != u.token, !same && !kept:
		return Object{}, false, nil
	case !same:
		return Object{}, false, u.mismatch(stored.CRC64NVME)
	case !kept && stored.CRC64NVME == "":
		return Object{}, false, errors.New("the store keeps neither metadata nor checksums to tell whose object this is")
	}
	stored.SHA256, stored.CRC64NVME = want.SHA256, want.CRC64NVME
	return stored, true, nil
}

func (u *Upload) mismatch(kept string) error {
	return fault.New(fault.Integrity, subject("complete upload", u.key),
		"Delete the object and run again. Check the network, the proxy and the store's disks.",
		errors.New("the stored object differs from what was sent, its CRC64NVME is "+visible(kept)))
}

// Abort ends the upload without an object and frees its parts in the store. It may be called
// again, after a failure and after Complete; pass a ctx that is still alive.
func (u *Upload) Abort(ctx context.Context) error {
	if u.state != uploadOpen {
		return nil
	}
	u.cancel(errUploadEnded)
	u.group.Wait()
	err := u.bucket.AbortUpload(ctx, OpenUpload{Key: u.key, UploadID: u.id})
	if err == nil {
		u.state = uploadAborted
	}
	return err
}
