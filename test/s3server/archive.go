package s3server

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// state is what may change about a stored object.
type state struct {
	lock     lock
	archived bool   // its bytes are out of reach
	tier     string // X-Amz-Archive-Status, or ""
	restore  string // X-Amz-Restore, or ""
}

func (b *bucket) stateOf(o *object, now time.Time) state {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := state{lock: o.Lock, archived: o.archived(now)}
	if st.archived && o.Class == intelligent {
		st.tier = o.Tier
	}
	switch {
	case o.Restore == nil || now.After(o.Restore.Expires) || o.Class == intelligent && !st.archived:
	case st.archived:
		st.restore = `ongoing-request="true"`
	default:
		st.restore = fmt.Sprintf(`ongoing-request="false", expiry-date="%s"`, o.Restore.Expires.Format(http.TimeFormat))
	}
	return st
}

const intelligent = "INTELLIGENT_TIERING"

// Freeze moves an object of Intelligent-Tiering into one of its archive tiers, ARCHIVE_ACCESS or
// DEEP_ARCHIVE_ACCESS, as S3 does with what nobody reads.
func (s *Server) Freeze(bucketName, key, tier string) error {
	b, err := s.store.bucket(bucketName)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.lookup(key, "")
	if err != nil {
		return err
	}
	o.Tier, o.Restore = tier, nil
	return writeJSON(b.objectPath(o), o)
}

type restoreRequest struct {
	XMLName xml.Name `xml:"RestoreRequest"`
	Days    *int
	Glacier struct {
		Tier string
	} `xml:"GlacierJobParameters"`
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
	var ask restoreRequest
	if xml.Unmarshal(body, &ask) != nil ||
		!slices.Contains([]string{"", "Bulk", "Standard", "Expedited"}, ask.Glacier.Tier) {
		return malformedXML()
	}
	status, err := b.thaw(c.key, c.query.Get("versionId"), s.now(), time.Duration(s.thawing.Load()), ask)
	if err != nil {
		return err
	}
	c.w.WriteHeader(status)
	return nil
}

// thaw starts a restore (202) or lengthens one that is done (200).
func (b *bucket) thaw(key, version string, now time.Time, wait time.Duration, ask restoreRequest) (status int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.lookup(key, version)
	if err != nil {
		return 0, err
	}
	status = http.StatusAccepted
	tiered := o.Class == intelligent
	switch {
	case tiered && o.Tier == "":
		return 0, apiErr(http.StatusForbidden, "ObjectAlreadyInActiveTierError", "This object is already in the active tier")
	case !tiered && o.Class != "GLACIER" && o.Class != "DEEP_ARCHIVE":
		return 0, apiErr(http.StatusForbidden, "InvalidObjectState", "Restore is not allowed for the object's current storage class")
	case tiered == (ask.Days != nil), ask.Days != nil && *ask.Days < 1:
		return 0, malformedXML()
	case ask.Glacier.Tier == "Expedited" && (o.Class == "DEEP_ARCHIVE" || o.Tier == "DEEP_ARCHIVE_ACCESS"):
		return 0, invalidArgument("Retrieval option is not supported by this storage class")
	case o.Restore != nil && now.Before(o.Restore.Ready):
		return 0, apiErr(http.StatusConflict, "RestoreAlreadyInProgress", "Object restore is already in progress")
	case !o.archived(now):
		status, wait = http.StatusOK, 0
	}
	ready := now.Add(wait)
	o.Restore = &thaw{Ready: ready, Expires: ready.AddDate(100, 0, 0)}
	if !tiered {
		o.Restore.Expires = ready.AddDate(0, 0, *ask.Days)
	}
	return status, writeJSON(b.objectPath(o), o)
}
