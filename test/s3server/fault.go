package s3server

// Misbehaving on order. A Fault is what goes wrong once; a Rule says to which requests and how often.

import (
	"net/http"
	"strings"
	"sync"
)

// Kind is a way to misbehave.
type Kind string

// The kinds. Those that change an answer apply to an operation that was really done.
const (
	// Answer gives Status, Code and Message instead of doing anything.
	Answer Kind = "answer"
	// Reset reads the whole request, does nothing and resets the connection.
	Reset Kind = "reset"
	// LoseAnswer does the operation and resets the connection instead of answering.
	LoseAnswer Kind = "lose-answer"
	// Repeat does the operation twice and gives the second answer, as an intermediary does that did not
	// get the first one.
	Repeat Kind = "repeat"
	// Stall does nothing and stays silent until the client leaves or the server closes.
	Stall Kind = "stall"
	// StallBody sends the first After bytes of the answer's body, then stays silent.
	StallBody Kind = "stall-body"
	// Cut sends the first After bytes of the body, then breaks the connection.
	Cut Kind = "cut"
	// Short sends the first After bytes of the body as if they were all.
	Short Kind = "short"
	// Extra adds After bytes (at least one) behind the body as if they belonged to it.
	Extra Kind = "extra"
	// Flip changes one bit of the body's byte at After; the checksum header stays right.
	Flip Kind = "flip"
	// WrongChecksum answers another checksum than the right one, in headers.
	WrongChecksum Kind = "wrong-checksum"
	// ErrorIn200 does nothing and answers 200 with an error (Code) as its body, as
	// CompleteMultipartUpload and CopyObject can.
	ErrorIn200 Kind = "error-in-200"
)

// Fault is one way to misbehave, with its parameters.
type Fault struct {
	Kind    Kind
	Status  int    // Answer; default 500, or 403 for AccessDenied and its like
	Code    string // Answer, ErrorIn200; default InternalError
	Message string
	Header  map[string]string // Answer: further headers, for example Retry-After
	After   int64             // bytes of the body, see the kinds
}

// Rule orders a fault for matching requests.
type Rule struct {
	Op    Op     // "" for every operation
	Key   string // a part of the key; "" for every key
	Skip  int    // let this many matching requests pass first
	Times int    // then misbehave this often; 0 is for ever
	Fault Fault
}

// ruleList is the injected rules. The first that applies wins; every rule counts the requests it saw.
type ruleList struct {
	mu    sync.Mutex
	rules []*Rule
}

// Inject adds a rule from now on.
func (s *Server) Inject(r Rule) {
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	if r.Times == 0 {
		r.Times = -1
	}
	s.rules.rules = append(s.rules.rules, &r)
}

// ClearFaults forgets every injected rule.
func (s *Server) ClearFaults() {
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	s.rules.rules = nil
}

// faultFor is the fault that this request meets, or nil.
func (s *Server) faultFor(c *call) *Fault {
	if s.opt.Fault != nil {
		if f := s.opt.Fault(c.op, c.r); f != nil {
			return f
		}
	}
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	for _, r := range s.rules.rules {
		if r.applies(c) {
			f := r.Fault
			return &f
		}
	}
	return nil
}

func (r *Rule) applies(c *call) bool {
	if (r.Op != "" && r.Op != c.op) || !strings.Contains(c.key, r.Key) || r.Times == 0 {
		return false
	}
	if r.Skip > 0 {
		r.Skip--
		return false
	}
	if r.Times > 0 {
		r.Times--
	}
	return true
}

// fillDefaults completes status and code.
func (f *Fault) fillDefaults() {
	if f.Code == "" {
		f.Code = map[int]string{
			http.StatusServiceUnavailable: "SlowDown", http.StatusForbidden: "AccessDenied",
			http.StatusNotFound: "NoSuchKey", http.StatusConflict: "ConditionalRequestConflict",
		}[f.Status]
	}
	if f.Code == "" {
		f.Code = "InternalError"
	}
	if f.Status == 0 {
		f.Status = map[string]int{
			"AccessDenied": 403, "RequestTimeTooSkewed": 403, "InvalidAccessKeyId": 403, "SignatureDoesNotMatch": 403,
			"ExpiredToken": 400, "InvalidToken": 400, "SlowDown": 503, "ServiceUnavailable": 503, "RequestTimeout": 400,
		}[f.Code]
	}
	if f.Status == 0 {
		f.Status = http.StatusInternalServerError
	}
	if f.Message == "" {
		f.Message = "This is a test of failure."
	}
}
