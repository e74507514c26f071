package s3server

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Habits are what a store does otherwise than Amazon S3. The zero Habits are Amazon's own.
//
// Rule: a habit that looks at one request is told by data, in Refuses and Ignores, and applied here, between
// signature and operation. The others have a field each, and are asked once, where the operation does it.
type Habits struct {
	Regions []string  // names that a signature may use besides Options.Region
	Refuses []Refusal // requests that are answered by an error; the first that fits counts
	Ignores []string  // request headers that are taken for absent, lower case; a star at the end fits any rest
	Hides   []string  // the same for headers of answers

	NoSums          bool          // no checksum is kept with an object
	FailedCondition int           // the status of a write whose condition does not hold; 0 is 412
	MissingIsFailed bool          // If-Match on a key that is not there is a failed condition, not NoSuchKey
	NoWords         bool          // errors have a code and no message
	WholeKeyUploads bool          // open uploads are listed by their whole key only, not by a prefix of it
	EmptiedStay     bool          // a folder whose last object was deleted is still listed
	EqualParts      bool          // all parts but the last have one size
	MaxParts        int           // the highest number of a part; 0 is 10,000
	ListDelay       time.Duration // how long a page of a list takes
	ClockOff        time.Duration // how far the store's clock is ahead
}

// Refusal is a kind of request, by all that is set of operation and header, and the error that answers it.
type Refusal struct {
	Op      Op
	Header  string // a header's name as in Ignores; with Value only where it begins with that
	Value   string
	Status  int
	Code    string
	Message string // HEADER stands for the name of the header
}

// before acts on what every answer of the store has, before anything is known of the request.
func (h *Habits) before(c *call, now time.Time) {
	if h.ClockOff != 0 { // else net/http tells the time
		c.w.Header().Set("Date", now.Format(http.TimeFormat))
	}
	if len(h.Hides) > 0 {
		c.w = &hidingWriter{ResponseWriter: c.w, hides: h.Hides}
	}
}

// request acts on a request whose signature was checked: afterwards nobody needs its headers as they were signed.
func (h *Habits) request(c *call) error {
	for _, r := range h.Refuses {
		if name, fits := r.fits(c); fits {
			return apiErr(r.Status, r.Code, "%s", strings.ReplaceAll(r.Message, "HEADER", name))
		}
	}
	drop(c.r.Header, h.Ignores)
	if h.ListDelay > 0 && slices.Contains([]Op{OpListObjects, OpListObjectsV2, OpListMultipartUploads}, c.op) {
		select {
		case <-time.After(h.ListDelay):
		case <-c.r.Context().Done():
		}
	}
	return nil
}

// failure is an operation's error as this store says it.
func (h *Habits) failure(c *call, err error) error {
	e := *asAPIError(err)
	write := c.op == OpPutObject || c.op == OpCompleteMultipart
	if h.MissingIsFailed && write && e.Code == "NoSuchKey" && c.r.Header.Get("If-Match") != "" {
		e = *preconditionFailed("If-Match")
	}
	if h.FailedCondition != 0 && write && e.Code == "PreconditionFailed" {
		e.Status = h.FailedCondition
	}
	if h.NoWords {
		e.Message = ""
	}
	return &e
}

func (r *Refusal) fits(c *call) (header string, fits bool) {
	if r.Op != "" && r.Op != c.op {
		return "", false
	}
	if r.Header == "" {
		return "", true
	}
	for name, values := range c.r.Header {
		lower := strings.ToLower(name)
		if named(lower, r.Header) && strings.HasPrefix(strings.Join(values, ","), r.Value) {
			return lower, true
		}
	}
	return "", false
}

// named reports whether a header's name in lower case is meant.
func named(name, meant string) bool {
	start, open := strings.CutSuffix(meant, "*")
	return name == meant || open && strings.HasPrefix(name, start)
}

func drop(h http.Header, names []string) {
	for name := range h {
		if slices.ContainsFunc(names, func(meant string) bool { return named(strings.ToLower(name), meant) }) {
			h.Del(name)
		}
	}
}

func (h *Habits) mostParts() int {
	if h.MaxParts == 0 {
		return maxParts
	}
	return h.MaxParts
}

// checkParts refuses parts of several sizes where the store wants one.
func (h *Habits) checkParts(parts []part) error {
	if !h.EqualParts {
		return nil
	}
	for i, p := range parts {
		first, last := parts[0].Segment.Size, i == len(parts)-1
		if p.Segment.Size > first || p.Segment.Size < first && !last {
			return apiErr(http.StatusBadRequest, "InvalidPart", "All non-trailing parts must have the same length.")
		}
	}
	return nil
}

// listed are the keys of which folders are made up. Those that were deleted show in no other way.
func (b *bucket) listed(ask listAsk) []string {
	if !ask.emptied || ask.delimiter == "" {
		return b.keys
	}
	keys := slices.Clone(b.keys)
	for key := range b.emptied {
		if strings.HasPrefix(key, ask.prefix) && groupOf(key, ask) != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// hidingWriter leaves headers out of an answer.
type hidingWriter struct {
	http.ResponseWriter
	hides []string
	begun bool
}

func (w *hidingWriter) WriteHeader(status int) {
	w.begun = true
	drop(w.Header(), w.hides)
	w.ResponseWriter.WriteHeader(status)
}

func (w *hidingWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *hidingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
