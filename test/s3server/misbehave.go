package s3server

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// misbehave serves a call as its fault says.
func (s *Server) misbehave(c *call, f *Fault) {
	f.fillDefaults()
	switch f.Kind {
	case Answer:
		for name, value := range f.Header {
			c.w.Header().Set(name, value)
		}
		c.writeError(&apiError{Status: f.Status, Code: f.Code, Message: f.Message})
	case ErrorIn200:
		s.drain(c)
		body := c.errorXML(&apiError{Code: f.Code, Message: f.Message})
		c.w.Header().Set("Content-Type", "application/xml")
		_, _ = c.w.Write(body)
	case Reset:
		s.drain(c)
		c.reset()
	case LoseAnswer:
		real := c.w
		c.w = &lostWriter{header: http.Header{}}
		s.serve(c)
		c.w = real
		c.reset()
	case Repeat:
		body, _ := io.ReadAll(c.r.Body)
		real := c.w
		c.r.Body, c.w = io.NopCloser(bytes.NewReader(body)), &lostWriter{header: http.Header{}}
		s.serve(c)
		c.r.Body, c.w = io.NopCloser(bytes.NewReader(body)), real
		s.serve(c)
	case Stall:
		s.drain(c)
		s.silence(c)
	default:
		c.w = &bentWriter{ResponseWriter: c.w, fault: f, silence: func() { s.silence(c) }}
		s.serve(c)
		c.w.(*bentWriter).finish()
	}
}

func (s *Server) drain(c *call) { _, _ = io.Copy(io.Discard, c.r.Body) }

// silence lasts until the client leaves or the server closes; then the connection breaks.
func (s *Server) silence(c *call) {
	select {
	case <-c.r.Context().Done():
	case <-s.closed:
	}
	panic(http.ErrAbortHandler)
}

// reset ends the connection with a TCP reset.
func (c *call) reset() {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // no TCP below: an abrupt end is the nearest
	}
	raw := conn
	if t, ok := conn.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = raw.Close()
}

// lostWriter is where an answer goes that nobody gets.
type lostWriter struct{ header http.Header }

func (w *lostWriter) Header() http.Header         { return w.header }
func (w *lostWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *lostWriter) WriteHeader(int)             {}

// bentWriter spoils an answer on its way out.
type bentWriter struct {
	http.ResponseWriter
	fault   *Fault
	silence func()
	sent    int64 // bytes of the real body seen so far
	started bool
}

func (w *bentWriter) WriteHeader(status int) {
	if w.started {
		return
	}
	w.started = true
	h := w.Header()
	length, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	switch {
	case w.fault.Kind == WrongChecksum:
		for name, values := range h {
			if strings.HasPrefix(name, "X-Amz-Checksum-") && name != "X-Amz-Checksum-Type" {
				values[0] = otherChecksum(values[0])
			}
		}
	case err != nil:
	case w.fault.Kind == Short:
		h.Set("Content-Length", strconv.FormatInt(min(length, w.fault.After), 10))
	case w.fault.Kind == Extra:
		h.Set("Content-Length", strconv.FormatInt(length+max(1, w.fault.After), 10))
	}
	w.ResponseWriter.WriteHeader(status)
}

// otherChecksum keeps the form: the first base64 digit changes.
func otherChecksum(sum string) string {
	first := "A"
	if strings.HasPrefix(sum, "A") {
		first = "B"
	}
	return first + sum[1:]
}

func (w *bentWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	at := w.sent
	w.sent += int64(len(p))
	switch w.fault.Kind {
	case Flip:
		if i := w.fault.After - at; i >= 0 && i < int64(len(p)) {
			p = append([]byte(nil), p...)
			p[i] ^= 1
		}
	case Cut, StallBody, Short:
		if w.sent <= w.fault.After {
			break
		}
		if _, err := w.ResponseWriter.Write(p[:max(0, w.fault.After-at)]); err != nil {
			return 0, err
		}
		return len(p), w.breakOff()
	default: // the other faults leave the body whole
	}
	return w.ResponseWriter.Write(p)
}

// breakOff acts at the byte where the answer goes wrong.
func (w *bentWriter) breakOff() error {
	if w.fault.Kind == Short {
		return nil
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	if w.fault.Kind == StallBody {
		w.silence()
	}
	panic(http.ErrAbortHandler)
}

// finish adds what comes behind the real body.
func (w *bentWriter) finish() {
	if w.fault.Kind == Extra && w.sent > 0 {
		_, _ = w.ResponseWriter.Write(make([]byte, max(1, w.fault.After)))
	}
}
