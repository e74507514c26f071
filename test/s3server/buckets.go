package s3server

import (
	"encoding/xml"
	"net/http"
	"strings"
)

func (s *Server) createBucket(c *call) error {
	body, err := c.small(64<<10, true)
	if err != nil {
		return err
	}
	var ask struct {
		XMLName            xml.Name `xml:"CreateBucketConfiguration"`
		LocationConstraint string
	}
	if len(body) > 0 && parseXML(body, &ask) != nil {
		return malformedXML()
	}
	if ask.LocationConstraint != "" && ask.LocationConstraint != s.opt.Region {
		return apiErr(http.StatusBadRequest, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", ask.LocationConstraint)
	}
	info := bucketInfo{Created: s.now()}
	if strings.EqualFold(c.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		info.Versioning, info.ObjectLock = versioningEnabled, true
	}
	existed, err := s.store.createBucket(c.bucket, info)
	if err != nil {
		return err
	}
	if existed {
		return apiErr(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	c.w.Header().Set("Location", "/"+c.bucket)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) headBucket(c *call) error {
	if _, err := s.store.bucket(c.bucket); err != nil {
		return err
	}
	c.w.Header().Set("X-Amz-Bucket-Region", s.opt.Region)
	c.w.WriteHeader(http.StatusOK)
	return nil
}
