package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// The HTTP client: every phase has its own bound, the whole request has none, because a part of a
// large backup may rightly take an hour. What ends a dead peer is a connection on which nothing
// has moved, in either direction, for the idle time.

// maxIdleConns is more than anything here uses at once: eight streams send five parts each.
const maxIdleConns = 48

// newTransport takes proxy, roots (AWS_CA_BUNDLE) and TLS floor from the SDK's own client.
func newTransport(from aws.HTTPClient, opts Options) *http.Transport {
	sdk, ok := from.(*awshttp.BuildableClient)
	if !ok {
		sdk = awshttp.NewBuildableClient()
	}
	t := sdk.GetTransport()
	idle := opts.IdleTimeout
	limit := newLimiter(opts.Bandwidth)
	dial := opts.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: min(10*time.Second, idle), KeepAlive: 30 * time.Second}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return newIdleConn(conn, idle, limit), nil
	}
	t.TLSHandshakeTimeout = min(15*time.Second, idle)
	t.ResponseHeaderTimeout = idle
	t.IdleConnTimeout = 30 * time.Second
	// The SDK keeps ten: where more read at once, each further one would have to connect again for each object.
	t.MaxIdleConnsPerHost = maxIdleConns
	// The default of 4 KiB costs a system call each.
	t.WriteBufferSize, t.ReadBufferSize = 64<<10, 64<<10
	// One connection per part: a lost one costs one part, and the idle rule is per request.
	t.ForceAttemptHTTP2 = false
	t.MaxResponseHeaderBytes = maxHeaderBytes
	return t
}

// newHTTPClient follows no redirect: a signature is for one host, and the bucket's region in the
// answer says more than what a redirect would end in.
func newHTTPClient(t *http.Transport) *http.Client {
	return &http.Client{Transport: shortAnswers{t}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// idleConn fails a read that has waited for idle while nothing was written either. net/http
// always has a read pending while it sends a body, so a plain read deadline would cut slow uploads.
// A write that waits for its turn within a limit is no silence.
type idleConn struct {
	net.Conn
	idle      time.Duration
	limit     *limiter
	lastWrite atomic.Int64 // Unix nanoseconds of the last write that moved a byte, or got its turn
	closed    chan struct{}
	close     func() error
}

func newIdleConn(conn net.Conn, idle time.Duration, limit *limiter) *idleConn {
	c := &idleConn{Conn: conn, idle: idle, limit: limit, closed: make(chan struct{})}
	c.close = sync.OnceValue(func() error {
		close(c.closed)
		return conn.Close()
	})
	return c
}

// Close also ends a wait for a turn.
func (c *idleConn) Close() error { return c.close() }

func (c *idleConn) Read(p []byte) (int, error) {
	for {
		if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.wroteLately() {
			continue
		}
		return n, err
	}
}

func (c *idleConn) Write(p []byte) (n int, err error) {
	if c.limit == nil {
		return c.write(p)
	}
	for len(p) > 0 && err == nil {
		var sent int
		turn := p[:min(len(p), turnBytes)]
		if err = c.awaitTurn(len(turn)); err == nil {
			sent, err = c.write(turn)
		}
		n += sent
		p = p[sent:]
	}
	return n, err
}

// awaitTurn waits until n bytes may be sent.
func (c *idleConn) awaitTurn(n int) error {
	left := c.limit.take(n, time.Now())
	if n <= freeBytes {
		return nil
	}
	for left > 0 {
		// Looking up every now and then tells a long wait from a dead peer.
		c.lastWrite.Store(time.Now().UnixNano())
		nap := time.NewTimer(min(left, c.idle/2))
		began := time.Now()
		select {
		case <-nap.C:
		case <-c.closed:
			nap.Stop()
			return net.ErrClosed
		}
		left -= time.Since(began)
	}
	return nil
}

func (c *idleConn) write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.lastWrite.Store(time.Now().UnixNano())
	}
	return n, err
}

func (c *idleConn) wroteLately() bool {
	return time.Since(time.Unix(0, c.lastWrite.Load())) < c.idle
}
