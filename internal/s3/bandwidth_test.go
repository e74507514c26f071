package s3

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// pipeListener is a network without a network: what is dialled is accepted, and waits by the bubble's clock.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9} }

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// limited runs a test with a real store and a real client whose time passes only while all of them wait.
func limited(t *testing.T, bytesPerSecond int64, test func(t *testing.T, b *Bucket)) {
	t.Helper()
	quietEnvironment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.DefaultAccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.DefaultSecretKey)
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		srv, err := s3server.New(s3server.Options{Dir: dir, MinPartBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.MakeBucket("backups"); err != nil {
			t.Fatal(err)
		}
		l := newPipeListener()
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- srv.Serve(ctx, l, nil) }()
		b, err := Open(ctx, Options{
			Bucket: "backups", Endpoint: "http://127.0.0.1:9", Region: s3server.DefaultRegion, PartSizeMin: smallPart,
			IdleTimeout: time.Minute, Bandwidth: bytesPerSecond, dial: l.dial,
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, b)
		b.Close()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// within fails unless so many bytes took as long as a rate has it. The last turn ends what is waited for, and headers
// count.
func within(t *testing.T, took time.Duration, bytes, bytesPerSecond int64) {
	t.Helper()
	at := func(bytes int64) time.Duration {
		return time.Duration(float64(bytes) / float64(bytesPerSecond) * float64(time.Second))
	}
	if least, most := at(bytes-turnBytes)-catchUp, at(bytes+bytes/10); took < least || took > most {
		t.Errorf("%d bytes at %d a second took %v, not %v to %v", bytes, bytesPerSecond, took, least, most)
	}
}

func TestABandwidthIsSharedByAllUploadsAndTheirParts(t *testing.T) {
	const rate = 256 << 10
	const size = 20 * smallPart
	limited(t, rate, func(t *testing.T, b *Bucket) {
		began := time.Now()
		var streams sync.WaitGroup
		for _, key := range []string{"dump", "rows-01"} {
			streams.Go(func() {
				u, err := b.Upload(t.Context(), key, UploadOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := u.Write(someBytes(size)); err != nil {
					t.Error(err)
				}
				if _, err := u.Complete(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		streams.Wait()
		within(t, time.Since(began), 2*size, rate)
	})
}

func TestABandwidthHoldsForSmallObjectsToo(t *testing.T) {
	const rate = 64 << 10
	limited(t, rate, func(t *testing.T, b *Bucket) {
		began := time.Now()
		mustPut(t, b, "contents.json.zst", someBytes(10*rate))
		within(t, time.Since(began), 10*rate, rate)
	})
}

func TestWhatIsReadIsNotLimited(t *testing.T) {
	const rate = 64 << 10
	limited(t, rate, func(t *testing.T, b *Bucket) {
		want := someBytes(10 * rate)
		mustPut(t, b, "dump", want)
		began := time.Now()
		if got := readAll(t, b, "dump"); len(got) != len(want) {
			t.Errorf("%d bytes", len(got))
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("reading took %v", took)
		}
	})
}

// A run in which nothing moves for stall_after is ended, and a connection that is silent is given up.
func TestALimitedUploadMovesAllTheTime(t *testing.T) {
	const rate = 4 << 10 // each of the parts on the way has its turn every 20 seconds
	limited(t, rate, func(t *testing.T, b *Bucket) {
		u := startUpload(t, b, UploadOptions{})
		done := make(chan error, 1)
		go func() {
			_, err := u.Write(someBytes(10 * smallPart))
			if err == nil {
				_, err = u.Complete(t.Context())
			}
			done <- err
		}()
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for moved := int64(-1); ; {
			select {
			case err := <-done:
				if err != nil || u.Moved() != 10*smallPart {
					t.Errorf("%d of %d bytes moved, %v", u.Moved(), 10*smallPart, err)
				}
				return
			case <-tick.C:
				if u.Moved() == moved && moved < 10*smallPart {
					t.Fatalf("nothing moved after %d bytes", moved)
				}
				moved = u.Moved()
			}
		}
	})
}

func TestALimitIsNoSilenceHoweverLongATurnTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := newIdleConn(near, time.Minute, newLimiter(16)) // a turn takes 17 minutes
		go func() { _, _ = io.Copy(io.Discard, far) }()
		read := make(chan error, 1)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			read <- err
		}()
		if _, err := conn.Write(make([]byte, 3*turnBytes)); err != nil {
			t.Error(err)
		}
		select {
		case err := <-read:
			t.Errorf("the connection was given up: %v", err)
		default:
		}
		_ = conn.Close()
		_ = far.Close()
		<-read
	})
}

func TestClosingAConnectionEndsItsWaitForATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := newIdleConn(near, time.Minute, newLimiter(1))
		go func() { _, _ = io.Copy(io.Discard, far) }()
		wrote := make(chan error, 1)
		go func() {
			_, err := conn.Write(make([]byte, 2*turnBytes))
			wrote <- err
		}()
		synctest.Wait()
		began := time.Now()
		_ = conn.Close()
		if err := <-wrote; !errors.Is(err, net.ErrClosed) || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_ = far.Close()
	})
}
