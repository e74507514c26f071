package badwire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// echo answers each connection with what it gets, until its end.
func echo(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, p *Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// roundTrip sends body, then the end, and returns what came back.
func roundTrip(t *testing.T, p *Proxy, body []byte) ([]byte, error) {
	t.Helper()
	c := dial(t, p)
	go func() {
		_, _ = c.Write(body) // may well break
		_ = c.CloseWrite()
	}()
	return io.ReadAll(c)
}

func TestAnUnbrokenWireCarriesEveryByteAndBothEnds(t *testing.T) {
	p := Start(t, echo(t))
	body := bytes.Repeat([]byte("0123456789"), 50_000)
	if got, err := roundTrip(t, p, body); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d of %d bytes, %v", len(got), len(body), err)
	}
}

func TestAFaultStrikesAtItsByteAndAsOftenAsOrdered(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 100_000)
	for _, f := range []Fault{
		{Kind: Reset, Way: Down},
		{Kind: Close, Way: Down},
		{Kind: HalfClose, Way: Down},
		{Kind: Reset, Way: Up},
		{Kind: Close, Way: Up},
		{Kind: HalfClose, Way: Up},
	} {
		p := Start(t, echo(t))
		f.After, f.Times = 40_000, 1
		p.Break(f)
		got, err := roundTrip(t, p, body)
		switch {
		case f.Kind == Reset && f.Way == Down && !errors.Is(err, syscall.ECONNRESET):
			t.Errorf("%+v: %v", f, err)
		case len(got) > 40_000, f.Kind == HalfClose && len(got) != 40_000:
			t.Errorf("%+v: %d bytes passed", f, len(got))
		case p.Struck() != 1:
			t.Errorf("%+v: struck %d times", f, p.Struck())
		}
		if got, err := roundTrip(t, p, body); err != nil || len(got) != len(body) {
			t.Errorf("%+v, afterwards: %d bytes, %v", f, len(got), err)
		}
	}
}

func TestAStallIsSilenceUntilItIsMended(t *testing.T) {
	p := Start(t, echo(t))
	p.Break(Fault{Kind: Stall, Way: Down, After: 3})
	c := dial(t, p)
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hel" {
		t.Fatalf("%q, %v", got, err)
	}
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(got); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
	p.Mend()
	_ = c.SetReadDeadline(time.Time{})
	if n, err := c.Read(got); n != 0 || err == nil {
		t.Errorf("after its end: %d bytes, %v", n, err)
	}
}

func TestATrickleLosesNothing(t *testing.T) {
	p := Start(t, echo(t))
	p.Break(Fault{Kind: Trickle, Way: Down, After: 10, Bytes: 20})
	body := bytes.Repeat([]byte("abc"), 1000)
	if got, err := roundTrip(t, p, body); err != nil || !bytes.Equal(got, body) || p.Struck() != 1 {
		t.Errorf("%d bytes, %v, struck %d times", len(got), err, p.Struck())
	}
}
