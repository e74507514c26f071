package s3server

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

type bucketXML struct {
	Name         string
	CreationDate string
}

func (s *Server) listBuckets(c *call) error {
	var list []bucketXML
	for _, name := range s.store.names() {
		if b, err := s.store.bucket(name); err == nil {
			list = append(list, bucketXML{Name: name, CreationDate: b.configured().Created.Format(time.RFC3339)})
		}
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName xml.Name `xml:"ListAllMyBucketsResult"`
		Owner   ownerXML
		Buckets []bucketXML `xml:"Buckets>Bucket"`
	}{Owner: ownerXML{s.opt.Owner, s.opt.Owner}, Buckets: list})
}

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

func (s *Server) deleteBucket(c *call) error {
	if err := s.store.deleteBucket(c.bucket); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
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

func (s *Server) getBucketLocation(c *call) error {
	if _, err := s.store.bucket(c.bucket); err != nil {
		return err
	}
	region := s.opt.Region
	if region == DefaultRegion {
		region = "" // us-east-1 has no name here
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: region})
}
