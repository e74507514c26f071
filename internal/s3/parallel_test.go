package s3

import (
	"io"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/link"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// farAway opens srv's bucket over a link with a round trip of 80 ms, on which no connection is faster than 30 MB/s.
func farAway(t *testing.T, srv *s3server.Running, change ...func(*Options)) *Bucket {
	t.Helper()
	l := link.Start(t, "tcp", strings.TrimPrefix(srv.Endpoint, "http://"),
		link.Options{RTT: 80 * time.Millisecond, BytesPerSecond: 30_000_000})
	over := *srv
	over.Endpoint = "http://" + l.Addr()
	return openAt(t, &over, change...)
}

// send writes so many parts, and waits before each as it is told. It returns the most that were on the way at once.
func send(t *testing.T, u *Upload, parts int, before func(sent int64)) int {
	t.Helper()
	body := someBytes(int(u.plan.size(1)))
	for n := range parts {
		before(int64(n) * int64(len(body)))
		if _, err := u.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := u.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u.buffer.peak > u.onWay.peak+1 {
		t.Errorf("%d buffers for %d parts on the way", u.buffer.peak, u.onWay.peak)
	}
	return u.onWay.peak
}

func TestAStreamThatIsFasterThanAConnectionHasAsManyPartsOnTheWayAsFit(t *testing.T) {
	srv := startServer(t)
	b := farAway(t, srv)
	atOnce := func(int64) {}
	if got := send(t, startUpload(t, b, UploadOptions{}), 12, atOnce); got != mostParallel {
		t.Errorf("%d parts were on the way at once, not %d", got, mostParallel)
	}
	larger := startUpload(t, b, UploadOptions{})
	larger.plan.base = 12 << 20 // fewer fit than the upload began with
	if got := send(t, larger, 5, atOnce); got != 3 {
		t.Errorf("%d parts of 12 MiB were on the way at once", got)
	}
	noOpenUploads(t, b)
}

func TestAStreamThatIsSlowerThanAConnectionHasOnePartOnTheWay(t *testing.T) {
	srv := startServer(t)
	u := startUpload(t, openAt(t, srv), UploadOptions{})
	alone := send(t, u, 6, func(sent int64) {
		for u.Sent() < sent {
			time.Sleep(time.Millisecond)
		}
		u.group.Wait() // until the part's buffer is back, too
	})
	if alone != 1 {
		t.Errorf("%d parts were on the way at once", alone)
	}
}

func TestPartsOnTheWayStayWithinTheirRoom(t *testing.T) {
	const perStream = 40 << 20
	for size := int64(defaultPartSize); size <= 64<<20; size += mebi {
		n := int64(parallelParts(size))
		if n < leastParallel || n > mostParallel {
			t.Errorf("parts of %d bytes: %d on the way", size, n)
		}
		if held := (n + 1) * size; n > leastParallel && held > perStream+size {
			t.Errorf("parts of %d bytes: %d are held", size, held)
		}
	}
	// Over 80 ms at 30 MB/s a connection, the parts of small databases carry more than a core compresses.
	const part = float64(defaultPartSize)
	if rate := float64(parallelParts(defaultPartSize)) * part / (part/30e6 + 0.080); rate < 100e6 {
		t.Errorf("%.0f bytes a second", rate)
	}
}

func TestAnUploadOverALongWayArrivesWhole(t *testing.T) {
	srv := startServer(t)
	b := farAway(t, srv)
	want := someBytes(9*smallPart + 7)
	u := startUpload(t, b, UploadOptions{})
	if _, err := io.Copy(u, strings.NewReader(string(want))); err != nil {
		t.Fatal(err)
	}
	object, err := u.Complete(t.Context())
	if err != nil || object.SHA256 != shaOf(want) || string(readAll(t, b, "dump")) != string(want) {
		t.Errorf("%+v, %v", object, err)
	}
}
