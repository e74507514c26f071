// Package s3server is a small S3 server on a folder, for tests, the demo and the lab.
//
// Rules: what Amazon S3 checks is checked (signatures, payload hashes, checksums, part rules,
// conditions), what it remembers is remembered (encryption, storage class, metadata), and what is
// not built answers 501 NotImplemented, so that no caller can lean on something that is not there.
// It is one process's: the folder has one server at a time. It survives its own death, not the machine's
// (nothing is fsynced). It can misbehave on order, see Fault.
package s3server

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The credentials and region of a server whose Options name none.
const (
	DefaultAccessKey = "pgbtui-test-key"
	DefaultSecretKey = "pgbtui-test-secret"
	DefaultRegion    = "us-east-1"
	DefaultOwner     = "123456789012"
)

// Options say what a server is. Only Dir is required.
type Options struct {
	Dir       string // everything is stored below; made when missing
	AccessKey string
	SecretKey string
	Region    string
	Domain    string       // bucket.DOMAIN in Host addresses a bucket too; path style always works
	Owner     string       // the account id that x-amz-expected-bucket-owner is compared with
	AnyOwner  bool         // x-amz-expected-bucket-owner is not looked at, as by most other stores
	More      []Credential // further callers, for example one that may not delete
	// MinPartBytes is the smallest size of a part that is not the last; default 5 MiB as on S3.
	MinPartBytes int64
	// ThawAfter is how long an archived object takes to become readable after RestoreObject.
	ThawAfter time.Duration
	// RulesAhead is by how much lifecycle rules are followed too early, for tests: the clock that signatures are
	// compared with cannot be moved by days.
	RulesAhead func() time.Duration
	// HideLocks keeps GET and HEAD from telling of locks, as for callers without s3:GetObjectRetention.
	HideLocks bool
	// RepeatComplete answers a repeated CompleteMultipartUpload as the first; without it the upload
	// is not there any more. Stores do either.
	RepeatComplete bool
	// PageKeys is how many keys a page of a list has at most; default 1000 as on S3.
	PageKeys int
	// NoStartAfter lists from the first key, whatever start-after says. Some stores do.
	NoStartAfter bool
	Habits       Habits // what it does otherwise than Amazon S3
	// Fault, when set, is asked before each request is served and before the injected Rules.
	Fault func(op Op, r *http.Request) *Fault
	// Clock is the server's time; default time.Now.
	Clock func() time.Time
}

// Credential is one more caller. Operations in Deny answer 403 AccessDenied.
type Credential struct {
	AccessKey, SecretKey string
	SessionToken         string // when set, x-amz-security-token must equal it
	Deny                 []Op
	Policy               *Policy // what it may do, as AWS decides it; nil = everything but Deny
}

// Server is an http.Handler that speaks S3. Close it when done.
type Server struct {
	opt     Options
	callers map[string]Credential // by access key
	// policies are those of callers, by access key; Grant changes them while the server runs.
	policies sync.Map
	run      map[Op]func(*call) error
	thawing  atomic.Int64 // Options.ThawAfter, which may change while it runs
	keys     signingKeys
	store    *store
	log      requestLog
	rules    ruleList
	closed   chan struct{}
	hush     sync.Once
	gate     sync.RWMutex // held for reading by each request
}

// New opens (or makes) the folder and returns a server on it.
func New(opt Options) (*Server, error) {
	if opt.Dir == "" {
		return nil, fmt.Errorf("s3server: open: no folder given")
	}
	fill(&opt)
	st, err := openStore(opt.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, store: st, callers: map[string]Credential{}, closed: make(chan struct{})}
	s.callers[opt.AccessKey] = Credential{AccessKey: opt.AccessKey, SecretKey: opt.SecretKey}
	s.run = s.handlers()
	s.ThawAfter(opt.ThawAfter)
	for _, c := range opt.More {
		s.callers[c.AccessKey] = c
		s.Grant(c.AccessKey, c.Policy)
	}
	return s, nil
}

func fill(opt *Options) {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&opt.AccessKey, DefaultAccessKey},
		{&opt.SecretKey, DefaultSecretKey},
		{&opt.Region, DefaultRegion},
		{&opt.Owner, DefaultOwner},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if opt.MinPartBytes == 0 {
		opt.MinPartBytes = 5 << 20
	}
	if opt.PageKeys == 0 {
		opt.PageKeys = maxListed
	}
	if opt.RulesAhead == nil {
		opt.RulesAhead = func() time.Duration { return 0 }
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
}

// Close ends stalled requests, waits for the others and lets go of the folder. Later requests are dropped.
func (s *Server) Close() error {
	s.release()
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.store.close()
}

// release ends every stall.
func (s *Server) release() { s.hush.Do(func() { close(s.closed) }) }

func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// ThawAfter changes how long thaws take that begin from now on.
func (s *Server) ThawAfter(d time.Duration) { s.thawing.Store(int64(d)) }

// MakeBucket makes a bucket unless it is there.
func (s *Server) MakeBucket(name string) error {
	_, err := s.store.createBucket(name, bucketInfo{Created: s.now()})
	return err
}

func (s *Server) now() time.Time { return s.opt.Clock().Add(s.opt.Habits.ClockOff).UTC() }

// ServeHTTP serves one S3 request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.isClosed() {
		panic(http.ErrAbortHandler)
	}
	c := newCall(s, w, r)
	entry := s.log.begin(c.op, c.bucket, c.key, r)
	counted := &countingWriter{ResponseWriter: w}
	c.w = counted
	defer func() { s.log.end(entry, counted.status, counted.bytes) }()
	c.w.Header().Set("X-Amz-Request-Id", c.id)
	c.w.Header().Set("X-Amz-Id-2", c.id+c.id)
	c.w.Header().Set("Server", "pgbtui-s3server")
	s.opt.Habits.before(c, s.now())
	if f := s.faultFor(c); f != nil {
		s.misbehave(c, f)
		return
	}
	s.serve(c)
}

// serve runs the call and writes its error, if any, in S3's form.
func (s *Server) serve(c *call) {
	err := c.routeErr
	if err == nil && len(c.r.TransferEncoding) > 0 && c.r.Header.Get("X-Amz-Decoded-Content-Length") == "" {
		err = notImplemented("Transfer-Encoding")
	}
	if err == nil {
		err = s.authenticate(c)
	}
	if err == nil {
		err = s.opt.Habits.request(c)
	}
	if err == nil {
		err = s.dispatch(c)
	}
	if err != nil {
		c.writeError(s.opt.Habits.failure(c, err))
	}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
