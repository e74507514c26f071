package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func startUpload(t *testing.T, b *Bucket, o UploadOptions) *Upload {
	t.Helper()
	u, err := b.Upload(t.Context(), "dump", o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUploadStoresTheStreamWhateverItsLength(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, n := range []int{0, 1, smallPart - 1, smallPart, smallPart + 1, 7*smallPart + 5} {
		want := someBytes(n)
		u := startUpload(t, b, UploadOptions{ExpectedBytes: 1, ContentType: "application/zstd", Metadata: map[string]string{"run": "r1"}})
		u.plan.base = smallPart
		if _, err := io.Copy(u, bytes.NewReader(want)); err != nil {
			t.Fatal(err)
		}
		object, err := u.Complete(t.Context())
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if object.SHA256 != shaOf(want) || object.CRC64NVME != crcOf(want) || object.Size != int64(n) || u.Sent() != int64(n) {
			t.Errorf("%d bytes: Complete says %+v, sent %d", n, object, u.Sent())
		}
		if got := readAll(t, b, "dump"); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d other bytes came back", n, len(got))
		}
		head, err := b.Head(t.Context(), "dump")
		if err != nil {
			t.Fatal(err)
		}
		if head.CRC64NVME != object.CRC64NVME || head.Size != object.Size || head.ETag != object.ETag ||
			head.SSE != "AES256" || head.ContentType != "application/zstd" || head.Metadata["run"] != "r1" {
			t.Errorf("%d bytes: Head says %+v", n, head)
		}
		if err := u.Abort(t.Context()); err != nil {
			t.Errorf("Abort after Complete: %v", err)
		}
	}
	noOpenUploads(t, b)
}

func TestUploadHoldsOnePartMoreThanAreOnTheWay(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, concurrency := range []int{1, 2, 4} {
		u := startUpload(t, b, UploadOptions{Concurrency: concurrency})
		if _, err := io.Copy(u, bytes.NewReader(someBytes(40*smallPart))); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Complete(t.Context()); err != nil {
			t.Fatal(err)
		}
		if u.buffer.peak > concurrency+1 {
			t.Errorf("concurrency %d: %d buffers were alive at once", concurrency, u.buffer.peak)
		}
	}
}

func TestUploadGrowsItsPartsWhenTheStreamIsLongerThanExpected(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv, func(o *Options) { o.MaxParts = 20 })
	want := someBytes(40 * smallPart)
	u := startUpload(t, b, UploadOptions{})
	if _, err := u.Write(want); err != nil {
		t.Fatal(err)
	}
	object, err := u.Complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if object.Size != int64(len(want)) || !bytes.Equal(readAll(t, b, "dump"), want) {
		t.Error("the grown parts do not add up to the stream")
	}
	if u.buffer.peak > mostParallel+1 {
		t.Errorf("%d buffers were alive at once", u.buffer.peak)
	}
}

func TestUploadSaysWhenTheAllowedPartsCannotHoldTheStream(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv, func(o *Options) { o.MaxParts, o.PartSizeMax = 2, smallPart })
	u := startUpload(t, b, UploadOptions{})
	_, err := u.Write(someBytes(4 * smallPart))
	wantCode(t, err, fault.Failed)
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	noOpenUploads(t, b)
}

func TestUploadWriteReturnsTheFirstErrorAtOnce(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	u := startUpload(t, b, UploadOptions{Concurrency: 1})
	srv.Inject(s3server.Rule{Op: s3server.OpUploadPart, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	var first error
	for range 100 {
		if _, first = u.Write(someBytes(smallPart)); first != nil {
			break
		}
	}
	wantCode(t, first, fault.NotPermitted)
	_, again := u.Write([]byte("x"))
	if !errors.Is(again, first) && again.Error() != first.Error() {
		t.Errorf("the second error differs: %v", again)
	}
	if _, err := u.Complete(t.Context()); err == nil {
		t.Error("Complete succeeded after a failed part")
	}
	srv.ClearFaults()
	for range 2 {
		if err := u.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	noOpenUploads(t, b)
	if _, err := b.Head(t.Context(), "dump"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an aborted upload left an object: %v", err)
	}
}

func TestUploadAbortWorksAfterItsContextWasCancelled(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	ctx, cancel := context.WithCancelCause(t.Context())
	u, err := b.Upload(ctx, "dump", UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	srv.Inject(s3server.Rule{Op: s3server.OpUploadPart, Fault: s3server.Fault{Kind: s3server.Stall}})
	if _, err := u.Write(someBytes(smallPart)); err != nil {
		t.Fatal(err)
	}
	stalled := errors.New("no byte for 10 minutes")
	cancel(stalled)
	_, err = u.Write(someBytes(3 * smallPart))
	wantIs(t, err, stalled)
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	noOpenUploads(t, b)
}

func TestUploadCompleteCancelledLeavesNothingAfterAbort(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	u := startUpload(t, b, UploadOptions{})
	srv.Inject(s3server.Rule{Op: s3server.OpUploadPart, Fault: s3server.Fault{Kind: s3server.Stall}})
	if _, err := u.Write(someBytes(smallPart)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := u.Complete(ctx)
	wantIs(t, err, context.DeadlineExceeded)
	wantCode(t, err, fault.Unavailable)
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	noOpenUploads(t, b)
}

func TestStoresWithoutCRC64NVMEAreTrustedWithMD5(t *testing.T) {
	b, srv := openPersonality(t, "minio-2023")
	want := someBytes(3*smallPart + 1)
	u := startUpload(t, b, UploadOptions{})
	if _, err := u.Write(want); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Complete(t.Context()); err != nil || !bytes.Equal(readAll(t, b, "dump"), want) {
		t.Errorf("upload: %v", err)
	}
	if _, err := b.Put(t.Context(), "k", want, PutOptions{IfNoneMatch: true}); err != nil || !bytes.Equal(readAll(t, b, "k"), want) {
		t.Errorf("put: %v", err)
	}
	for _, r := range srv.Requests(s3server.OpUploadPart) {
		if r.Header.Get("Content-Md5") == "" {
			t.Error("a part went without any checksum")
		}
	}
}

func TestUploadCountsOnlyWhatIsAcknowledged(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	u := startUpload(t, b, UploadOptions{Concurrency: 1})
	srv.Inject(s3server.Rule{Op: s3server.OpUploadPart, Times: 2, Fault: s3server.Fault{Kind: s3server.LoseAnswer}})
	if _, err := u.Write(someBytes(2 * smallPart)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u.Sent() != 2*smallPart || u.Moved() < 4*smallPart {
		t.Errorf("sent %d, moved %d", u.Sent(), u.Moved())
	}
}

func TestUploadNoticesWhenTheStoreAcknowledgesAnotherChecksum(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	u := startUpload(t, b, UploadOptions{})
	if _, err := u.Write(someBytes(smallPart / 2)); err != nil {
		t.Fatal(err)
	}
	srv.Inject(s3server.Rule{Op: s3server.OpUploadPart, Fault: s3server.Fault{Kind: s3server.WrongChecksum}})
	_, err := u.Complete(t.Context())
	wantCode(t, err, fault.Integrity)
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	noOpenUploads(t, b)
}
