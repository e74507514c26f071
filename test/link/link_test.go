package link

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// takes is how long it takes until the last of so many bytes has arrived, by a clock that does nothing but wait.
func takes(t *testing.T, o Options, size int) (took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sender, near := net.Pipe()
		far, receiver := net.Pipe()
		go o.carry(t.Context(), far, near)
		began := time.Now()
		go func() {
			_, _ = sender.Write(make([]byte, size))
			_ = sender.Close()
		}()
		got, err := io.ReadAll(receiver)
		took = time.Since(began)
		if err != nil || len(got) != size {
			t.Errorf("%d of %d bytes, %v", len(got), size, err)
		}
	})
	return took
}

func TestALinkTakesHalfItsRoundTripAndWhatItsRateTakes(t *testing.T) {
	for _, c := range []struct {
		options  Options
		size     int
		at, upTo time.Duration
	}{
		{Options{}, 1 << 20, 0, 0},
		{Options{RTT: 80 * time.Millisecond}, 1 << 20, 40 * time.Millisecond, 40 * time.Millisecond},
		{Options{BytesPerSecond: 1 << 20}, 10 << 20, 10*time.Second - catchUp, 10 * time.Second},
		{
			Options{RTT: time.Second, BytesPerSecond: 1 << 20},
			1 << 20,
			1500*time.Millisecond - catchUp, 1500 * time.Millisecond,
		},
	} {
		if took := takes(t, c.options, c.size); took < c.at || took > c.upTo {
			t.Errorf("%+v: %d bytes took %v, not %v to %v", c.options, c.size, took, c.at, c.upTo)
		}
	}
}

func TestALinkCarriesBothWaysAndBothEnds(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = echo.Close() }()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	l := Start(t, "tcp", echo.Addr().String(), Options{RTT: 2 * time.Millisecond, BytesPerSecond: 50_000_000})
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	body := bytes.Repeat([]byte("0123456789"), 50_000)
	go func() {
		_, _ = c.Write(body)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d of %d bytes, %v", len(got), len(body), err)
	}
}

func TestALinkThatIsClosedEndsItsConnections(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	l := Start(t, "tcp", silent.Addr().String(), Options{RTT: time.Hour})
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	l.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("something came from a closed link")
	}
}
