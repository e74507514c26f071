package link

import (
	"context"
	"io"
	"net"
	"time"
)

const (
	pieceBytes = 32 << 10
	// piecesUnderWay bounds what is between both ends, 16 MiB: more than a fast link has in half a round trip.
	piecesUnderWay = 512
	// catchUp is how much of a pause may be made up for, so that a machine that wakes us late does not lower the rate.
	catchUp = 20 * time.Millisecond
)

// piece is what was read at once, and when it arrives.
type piece struct {
	bytes []byte
	due   time.Time
}

// carry passes on what comes from one end to the other: at the link's rate, and half a round trip later. An end in
// order is passed on as one.
func (o Options) carry(ctx context.Context, to, from net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	underWay := make(chan piece, piecesUnderWay)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(underWay)
		o.read(ctx, from, underWay)
	}()
	for p := range underWay {
		if !wait(ctx, p.due) {
			break
		}
		if _, err := to.Write(p.bytes); err != nil {
			_ = from.Close() // nobody is there any more
			cancel()
			break
		}
	}
	closeWrite(to)
	<-read
}

// read takes what comes at the link's rate.
func (o Options) read(ctx context.Context, from io.Reader, underWay chan<- piece) {
	var free time.Time // when the link has carried what it was given
	for {
		buffer := make([]byte, pieceBytes)
		n, err := from.Read(buffer)
		if n > 0 {
			if earliest := time.Now().Add(-catchUp); free.Before(earliest) {
				free = earliest
			}
			if o.BytesPerSecond > 0 {
				free = free.Add(time.Duration(int64(n) * int64(time.Second) / o.BytesPerSecond))
			}
			if !wait(ctx, free) {
				return
			}
			select {
			case underWay <- piece{bytes: buffer[:n], due: time.Now().Add(o.RTT / 2)}:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait sleeps until a moment; false: it is not worth waiting any more.
func wait(ctx context.Context, until time.Time) bool {
	left := time.Until(until)
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// closeWrite tells an end that nothing more comes, and leaves the other direction alone.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = c.Close()
}
