package s3server

import (
	"encoding/xml"
	"net/http"
	"time"
)

// Object Lock ("Locking objects with Object Lock" in the S3 user guide): a version with a retention or a
// legal hold cannot be deleted. Nobody here has the right to bypass governance, so that both modes hold.

// The modes of a retention.
const (
	lockGovernance = "GOVERNANCE"
	lockCompliance = "COMPLIANCE"
)

type lock struct {
	retention
	Hold bool `json:",omitempty"` // a legal hold
}

type retention struct {
	Mode  string    `json:",omitempty"`
	Until time.Time `json:",omitzero"`
}

func (l lock) holds(now time.Time) bool { return l.Hold || now.Before(l.Until) }

// defaultLock is a bucket's default retention; without a mode there is none.
type defaultLock struct {
	Mode        string
	Days, Years int `xml:",omitempty"`
}

// from is the retention of a version that is stored at a time.
func (d defaultLock) from(at time.Time) retention {
	if d.Mode == "" {
		return retention{}
	}
	return retention{d.Mode, at.AddDate(d.Years, 0, d.Days)}
}

// askedLock reads what an upload's headers ask for.
func (c *call) askedLock() (lock, error) {
	h := c.r.Header
	mode, until, hold := h.Get("X-Amz-Object-Lock-Mode"), h.Get("X-Amz-Object-Lock-Retain-Until-Date"), h.Get("X-Amz-Object-Lock-Legal-Hold")
	if mode+until+hold == "" {
		return lock{}, nil
	}
	if hold != "" && hold != "ON" && hold != "OFF" {
		return lock{}, invalidArgument("Legal Hold must be either of 'ON' or 'OFF'")
	}
	l := lock{Hold: hold == "ON"}
	if (mode == "") != (until == "") {
		return lock{}, invalidArgument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	}
	var err error
	if mode != "" {
		l.retention, err = parseRetention(mode, until, c.s.now())
	}
	return l, err
}

func parseRetention(mode, until string, now time.Time) (retention, error) {
	at, err := time.Parse(time.RFC3339, until)
	switch {
	case mode != lockGovernance && mode != lockCompliance:
		return retention{}, invalidArgument("Unknown wormMode directive")
	case err != nil:
		return retention{}, invalidArgument("The retain until date must be provided in ISO 8601 format")
	case !at.After(now):
		return retention{}, invalidArgument("The retain until date must be in the future!")
	}
	return retention{mode, at.UTC()}, nil
}

// mayLock refuses a lock where there can be none, and an upload into a lock that nothing vouches for.
func (b *bucket) mayLock(c *call, l lock) error {
	b.mu.Lock()
	enabled, byDefault := b.info.ObjectLock, b.info.DefaultLock.Mode != ""
	b.mu.Unlock()
	switch asked := l != (lock{}); {
	case asked && !enabled:
		return noObjectLock()
	case (asked || byDefault) && !c.hasDigest() && c.op != OpCreateMultipart && c.op != OpCopyObject:
		kind := map[bool]string{true: "Part", false: "Object"}[c.op == OpUploadPart]
		return invalidRequest("Content-MD5 OR x-amz-checksum- HTTP header is required for Put %s requests with Object Lock parameters", kind)
	}
	return nil
}

func noObjectLock() *apiError { return invalidRequest("Bucket is missing Object Lock Configuration") }

// describe writes what GET and HEAD tell of a lock.
func (l lock) describe(h http.Header) {
	if l.Mode != "" {
		h.Set("X-Amz-Object-Lock-Mode", l.Mode)
		h.Set("X-Amz-Object-Lock-Retain-Until-Date", xmlTime(l.Until))
	}
	if l.Hold {
		h.Set("X-Amz-Object-Lock-Legal-Hold", "ON")
	}
}

type retentionXML struct {
	XMLName         xml.Name `xml:"Retention"`
	Mode            string   `xml:",omitempty"`
	RetainUntilDate string   `xml:",omitempty"`
}

type holdXML struct {
	XMLName xml.Name `xml:"LegalHold"`
	Status  string
}

// getLock answers GetObjectRetention and GetObjectLegalHold.
func (s *Server) getLock(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	l, err := b.lockOf(c.key, c.query.Get("versionId"))
	switch {
	case err != nil:
		return err
	case c.op == OpGetObjectLegalHold:
		return c.writeXML(http.StatusOK, holdXML{Status: map[bool]string{true: "ON", false: "OFF"}[l.Hold]})
	case l.Mode == "":
		return apiErr(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
	}
	return c.writeXML(http.StatusOK, retentionXML{Mode: l.Mode, RetainUntilDate: xmlTime(l.Until)})
}

func (b *bucket) lockOf(key, version string) (lock, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.info.ObjectLock {
		return lock{}, noObjectLock()
	}
	o, err := b.lookup(key, version)
	if err != nil {
		return lock{}, err
	}
	return o.Lock, nil
}

// putLock serves PutObjectRetention and PutObjectLegalHold.
func (s *Server) putLock(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	if err := c.mustHaveDigest(); err != nil {
		return err
	}
	body, err := c.small(64<<10, true)
	if err != nil {
		return err
	}
	change := func(l *lock) error { return l.retain(body, s.now()) }
	if c.op == OpPutObjectLegalHold {
		change = func(l *lock) error { return l.hold(body) }
	}
	if err := b.relock(c.key, c.query.Get("versionId"), change); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// retain sets or extends a retention. It is never shortened, weakened or removed before its end.
func (l *lock) retain(body []byte, now time.Time) error {
	var ask retentionXML
	if err := parseXML(body, &ask); err != nil {
		return err
	}
	var next retention
	if ask.Mode != "" || ask.RetainUntilDate != "" {
		var err error
		if next, err = parseRetention(ask.Mode, ask.RetainUntilDate, now); err != nil {
			return err
		}
	}
	weaker := l.Mode == lockCompliance && next.Mode != lockCompliance
	if now.Before(l.Until) && (weaker || next.Until.Before(l.Until)) {
		return accessDenied("Access Denied because object protected by object lock.")
	}
	l.retention = next
	return nil
}

func (l *lock) hold(body []byte) error {
	var ask holdXML
	if err := parseXML(body, &ask); err != nil {
		return err
	}
	if ask.Status != "ON" && ask.Status != "OFF" {
		return malformedXML()
	}
	l.Hold = ask.Status == "ON"
	return nil
}

// relock changes one version's lock.
func (b *bucket) relock(key, version string, change func(*lock) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.info.ObjectLock {
		return noObjectLock()
	}
	o, err := b.lookup(key, version)
	if err != nil {
		return err
	}
	next := o.Lock
	if err := change(&next); err != nil {
		return err
	}
	o.Lock = next
	return writeJSON(b.objectPath(o), o)
}
