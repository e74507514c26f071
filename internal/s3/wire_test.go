package s3

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/badwire"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What the store says is right here, and the wire to it breaks below HTTP.

// wired opens srv's bucket through a proxy that breaks on order.
func wired(t *testing.T, srv *s3server.Running, change ...func(*Options)) (*Bucket, *badwire.Proxy) {
	t.Helper()
	wire := badwire.Start(t, strings.TrimPrefix(srv.Endpoint, "http://"))
	change = append(change, func(o *Options) {
		o.Endpoint, o.IdleTimeout = "http://"+wire.Addr(), 400*time.Millisecond
	})
	return openAt(t, srv, change...), wire
}

// breaks are the ways to break, and how often: a stall takes the idle time each.
func breaks() map[badwire.Kind]int {
	return map[badwire.Kind]int{badwire.Reset: 2, badwire.Close: 2, badwire.HalfClose: 2, badwire.Stall: 1}
}

func TestADownloadGoesOnOverAWireThatBreaks(t *testing.T) {
	want := someBytes(3 << 20)
	for kind, times := range breaks() {
		for name, after := range map[string]int64{"in the head": 20, "at half": 1<<20 + 1<<19} {
			t.Run(fmt.Sprint(kind, " ", name), func(t *testing.T) {
				b, wire := wired(t, startServer(t))
				mustPut(t, b, "k", want)
				wire.Break(badwire.Fault{Kind: kind, Way: badwire.Down, After: after, Times: times})
				got, err := fetch(t, b, "k", 0, -1)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				if n := wire.Struck(); n == 0 || n != times && after < 1<<20 { // the rest after one break at half is shorter
					t.Errorf("struck %d times", n)
				}
			})
		}
	}
}

func TestADownloadOverAWireThatAlwaysBreaksIsUnavailable(t *testing.T) {
	b, wire := wired(t, startServer(t), func(o *Options) { o.MaxAttempts = 3 })
	mustPut(t, b, "k", someBytes(1<<20))
	wire.Break(badwire.Fault{Kind: badwire.Reset, Way: badwire.Down, After: 2000})
	_, err := fetch(t, b, "k", 0, -1)
	wantCode(t, err, fault.Unavailable)
}

func TestASlowWireIsNoDeadOne(t *testing.T) {
	want := someBytes(1 << 20)
	b, wire := wired(t, startServer(t))
	mustPut(t, b, "k", want)
	before := wire.Connections()
	wire.Break(badwire.Fault{Kind: badwire.Trickle, Way: badwire.Down, After: 1 << 19, Bytes: 200}) // a multiple of the idle time
	if got, err := fetch(t, b, "k", 0, -1); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := wire.Connections() - before; n != 1 || wire.Struck() != 1 {
		t.Errorf("%d connections, struck %d times", n, wire.Struck())
	}
}

// Every write ends once or never, wherever the wire breaks: in the request's head or body, or in the answer.
func TestAWriteOverAWireThatBreaksHappensOnce(t *testing.T) {
	places := map[string]badwire.Fault{
		"in the request's head": {Way: badwire.Up, After: 100},
		"in its body":           {Way: badwire.Up, After: smallPart / 2},
		"before the answer":     {Way: badwire.Down},
		"in the answer":         {Way: badwire.Down, After: 30},
	}
	for _, a := range []action{actions()[0], actions()[3]} { // a put, and an upload with all that belongs to it
		for name, f := range places {
			for kind, times := range breaks() {
				t.Run(fmt.Sprintf("%s %s/%s", kind, name, a.op), func(t *testing.T) {
					srv := startServer(t, s3server.WithVersions())
					b, wire := wired(t, srv)
					f.Kind, f.Times = kind, times
					wire.Break(f)
					if err := a.run(t.Context(), b); err != nil {
						t.Fatal(err)
					}
					if wire.Struck() == 0 {
						t.Error("nothing was broken")
					}
					wire.Mend()
					sweep(t, b) // an upload whose id was lost on the way
					onceOrNever(t, b, a, nil)
				})
			}
		}
	}
}
