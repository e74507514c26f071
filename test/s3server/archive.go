package s3server

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// restoreState is the X-Amz-Restore header of an archived object, and whether its bytes are out of reach.
func (b *bucket) restoreState(o *object, now time.Time) (header string, archived bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	archived = o.archived(now)
	switch {
	case o.Restore == nil || now.After(o.Restore.Expires):
		return "", archived
	case archived:
		return `ongoing-request="true"`, true
	}
	return fmt.Sprintf(`ongoing-request="false", expiry-date="%s"`, o.Restore.Expires.Format(http.TimeFormat)), false
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
	status, err := b.thaw(c.key, s.now(), s.opt.ThawAfter, ask.Days)
	if err != nil {
		return err
	}
	c.w.WriteHeader(status)
	return nil
}

// thaw starts a restore (202) or lengthens one that is done (200).
func (b *bucket) thaw(key string, now time.Time, wait time.Duration, days int) (status int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.objects[key]
	status = http.StatusAccepted
	switch {
	case o == nil:
		return 0, noSuchKey()
	case o.Class != "GLACIER" && o.Class != "DEEP_ARCHIVE":
		return 0, apiErr(http.StatusForbidden, "InvalidObjectState", "Restore is not allowed for the object's current storage class")
	case o.Restore != nil && now.Before(o.Restore.Ready):
		return 0, apiErr(http.StatusConflict, "RestoreAlreadyInProgress", "Object restore is already in progress")
	case !o.archived(now):
		status, wait = http.StatusOK, 0
	}
	ready := now.Add(wait)
	o.Restore = &thaw{Ready: ready, Expires: ready.AddDate(0, 0, days)}
	return status, writeJSON(b.keyPath(key), o)
}

// copyData copies an object's bytes into one data file of another bucket, or the same.
func copyData(from, to *bucket, o *object) ([]segment, error) {
	seg := segment{File: randomHex(16), Size: o.Size}
	f, err := os.OpenFile(to.dataPath(seg.File), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err = errors.Join(from.read(f, o, 0, o.Size), f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	return []segment{seg}, nil
}
