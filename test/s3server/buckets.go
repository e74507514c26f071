package s3server

import (
	"encoding/xml"
	"net/http"
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
			list = append(list, bucketXML{Name: name, CreationDate: b.info.Created.Format(time.RFC3339)})
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
	existed, err := s.store.createBucket(c.bucket, s.now())
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

// setting is the bucket setting that a GET asks for, of those that are answered as not configured.
func (c *call) setting() string {
	for _, name := range []string{"versioning", "lifecycle", "object-lock", "policy", "encryption"} {
		if c.query.Has(name) {
			return name
		}
	}
	return ""
}

// getBucketSetting answers what S3 answers for a bucket where nothing was configured.
func (s *Server) getBucketSetting(c *call) error {
	if _, err := s.store.bucket(c.bucket); err != nil {
		return err
	}
	switch c.setting() {
	case "lifecycle":
		return apiErr(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	case "object-lock":
		return apiErr(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	case "policy":
		return apiErr(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	case "encryption":
		return apiErr(http.StatusNotFound, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found")
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
	}{})
}

type deletedXML struct {
	Key string
}

type deleteErrorXML struct {
	Key, Code, Message string
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
		switch err := b.removeEntry(o); {
		case err != nil:
			answer.Error = append(answer.Error, deleteErrorXML{o.Key, err.Code, err.Message})
		case !ask.Quiet:
			answer.Deleted = append(answer.Deleted, deletedXML{o.Key})
		}
	}
	return c.writeXML(http.StatusOK, answer)
}

func (b *bucket) removeEntry(o deleteEntry) *apiError {
	if o.Key == "" || o.ETag != "" || (o.VersionID != "" && o.VersionID != "null") {
		return notImplemented("DeleteObjects with an ETag or a version")
	}
	if err := b.remove(o.Key); err != nil {
		return apiErr(http.StatusInternalServerError, "InternalError", "%v", err)
	}
	return nil
}

// mustHaveDigest refuses a body that nothing vouches for, as S3 does for DeleteObjects.
func (c *call) mustHaveDigest() error {
	if c.r.Header.Get("Content-Md5") != "" || c.r.Header.Get("X-Amz-Trailer") != "" {
		return nil
	}
	for _, a := range algorithms() {
		if c.r.Header.Get(a.header()) != "" {
			return nil
		}
	}
	return invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
}
