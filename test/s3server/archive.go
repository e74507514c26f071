package s3server

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"time"
)

// state is what may change about a stored object.
type state struct {
	lock     lock
	archived bool   // its bytes are out of reach
	restore  string // X-Amz-Restore, or ""
}

func (b *bucket) stateOf(o *object, now time.Time) state {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := state{lock: o.Lock, archived: o.archived(now)}
	switch {
	case o.Restore == nil || now.After(o.Restore.Expires):
	case st.archived:
		st.restore = `ongoing-request="true"`
	default:
		st.restore = fmt.Sprintf(`ongoing-request="false", expiry-date="%s"`, o.Restore.Expires.Format(http.TimeFormat))
	}
	return st
}

// restoreObject asks for an archived object's bytes back, for some days.
func (s *Server) restoreObject(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	body, err := c.small(64<<10, true)
	if err != nil {
		return err
	}
	var ask struct {
		XMLName xml.Name `xml:"RestoreRequest"`
		Days    int
	}
	if xml.Unmarshal(body, &ask) != nil || ask.Days < 1 {
		return malformedXML()
	}
	status, err := b.thaw(c.key, c.query.Get("versionId"), s.now(), s.opt.ThawAfter, ask.Days)
	if err != nil {
		return err
	}
	c.w.WriteHeader(status)
	return nil
}

// thaw starts a restore (202) or lengthens one that is done (200).
func (b *bucket) thaw(key, version string, now time.Time, wait time.Duration, days int) (status int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.lookup(key, version)
	status = http.StatusAccepted
	switch {
	case err != nil:
		return 0, err
	case o.Class != "GLACIER" && o.Class != "DEEP_ARCHIVE":
		return 0, apiErr(http.StatusForbidden, "InvalidObjectState", "Restore is not allowed for the object's current storage class")
	case o.Restore != nil && now.Before(o.Restore.Ready):
		return 0, apiErr(http.StatusConflict, "RestoreAlreadyInProgress", "Object restore is already in progress")
	case !o.archived(now):
		status, wait = http.StatusOK, 0
	}
	ready := now.Add(wait)
	o.Restore = &thaw{Ready: ready, Expires: ready.AddDate(0, 0, days)}
	return status, writeJSON(b.objectPath(o), o)
}
