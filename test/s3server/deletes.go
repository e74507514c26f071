package s3server

import (
	"encoding/xml"
	"net/http"
	"slices"
)

type deletedXML struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteErrorXML struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

func (s *Server) deleteObjects(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	if err := c.mustHaveDigest(); err != nil {
		return err
	}
	body, err := c.small(maxXMLBody, true)
	if err != nil {
		return err
	}
	ask, err := parseDelete(body)
	if err != nil {
		return err
	}
	answer := struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Deleted []deletedXML
		Error   []deleteErrorXML
	}{}
	for _, o := range ask.Objects {
		switch gone, err := s.removeEntry(c, b, o); {
		case err != nil:
			e := asAPIError(err)
			answer.Error = append(answer.Error, deleteErrorXML{o.Key, o.VersionID, e.Code, e.Message})
		case !ask.Quiet:
			answer.Deleted = append(answer.Deleted, gone)
		}
	}
	return c.writeXML(http.StatusOK, answer)
}

func (s *Server) removeEntry(c *call, b *bucket, o deleteEntry) (deletedXML, error) {
	right := "s3:DeleteObject"
	if o.VersionID != "" {
		right = "s3:DeleteObjectVersion"
	}
	if !c.policy.Allows(right, c.resource(o.Key)) {
		return deletedXML{}, c.notAuthorized(right, o.Key)
	}
	if o.Key == "" {
		return deletedXML{}, apiErr(http.StatusBadRequest, "UserKeyMustBeSpecified", "An object has no key.")
	}
	if o.ETag != "" {
		if err := c.mayDeleteIf(b, o.Key, unquote(o.ETag)); err != nil {
			return deletedXML{}, err
		}
	} else if b.demandsIfMatch(c.resource(o.Key)) {
		return deletedXML{}, c.deniedByBucket(right, o.Key)
	}
	gone, err := b.remove(o.Key, o.VersionID, s.now())
	entry := deletedXML{Key: o.Key, VersionID: o.VersionID, DeleteMarker: gone.Marker}
	if gone.Marker {
		entry.DeleteMarkerVersionID = gone.Version
	}
	return entry, err
}

func (s *Server) deleteObject(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	if match := c.r.Header.Get("If-Match"); match != "" {
		if err := c.mayDeleteIf(b, c.key, unquote(match)); err != nil {
			return err
		}
	} else if b.demandsIfMatch(c.resource(c.key)) {
		return c.deniedByBucket("s3:DeleteObject", c.key)
	}
	gone, err := b.remove(c.key, c.query.Get("versionId"), s.now())
	if err != nil {
		return err
	}
	if gone.Marker {
		c.w.Header().Set("X-Amz-Delete-Marker", "true")
	}
	b.named(c.w.Header(), gone.Version)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// mayDeleteIf judges the condition of a deletion, which needs the right to read as well ("Conditional deletes" in the S3
// user guide).
func (c *call) mayDeleteIf(b *bucket, key, etag string) error {
	if !c.policy.Allows("s3:GetObject", c.resource(key)) {
		return c.notAuthorized("s3:GetObject", key)
	}
	return writeConditions{match: etag}.check(b.objects[key], nil)
}

// mustHaveDigest refuses a body that nothing vouches for, as S3 does for DeleteObjects.
func (c *call) mustHaveDigest() error {
	if c.hasDigest() {
		return nil
	}
	return invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
}

func (c *call) hasDigest() bool {
	return c.r.Header.Get("Content-Md5") != "" || c.r.Header.Get("X-Amz-Trailer") != "" ||
		slices.ContainsFunc(algorithms(), func(a algorithm) bool { return c.r.Header.Get(a.header()) != "" })
}
