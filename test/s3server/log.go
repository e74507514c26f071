package s3server

import (
	"io"
	"net/http"
	"slices"
	"sync"
)

// Request is one served request, for tests that count or look. Status and Sent are 0 while it is under way
// and when the connection was reset.
type Request struct {
	Op     Op
	Bucket string
	Key    string
	Method string
	Query  string
	Header http.Header // nobody changes it
	From   string      // the address of the client's connection
	Status int
	Sent   int64 // bytes of the answer's body
}

type requestLog struct {
	mu   sync.Mutex
	list []*Request
}

// maxLogged keeps a long-lived server's memory flat: the oldest half goes.
const maxLogged = 20000

func (l *requestLog) begin(op Op, bucket, key string, r *http.Request) *Request {
	entry := &Request{Op: op, Bucket: bucket, Key: key, Method: r.Method, Query: r.URL.RawQuery, Header: r.Header, From: r.RemoteAddr}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == maxLogged {
		l.list = slices.Delete(l.list, 0, maxLogged/2)
	}
	l.list = append(l.list, entry)
	return entry
}

func (l *requestLog) end(entry *Request, status int, sent int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Status, entry.Sent = status, sent
}

// Requests are the requests so far, oldest first: all, or those of the given operations.
func (s *Server) Requests(ops ...Op) []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	var out []Request
	for _, r := range s.log.list {
		if len(ops) == 0 || slices.Contains(ops, r.Op) {
			out = append(out, *r)
		}
	}
	return out
}

// ForgetRequests empties the log.
func (s *Server) ForgetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.list = nil
}

// countingWriter sees an answer's status and size.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the kernel's own copy from file to socket possible.
func (w *countingWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
