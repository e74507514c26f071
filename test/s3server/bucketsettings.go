package s3server

import (
	"encoding/xml"
	"net/http"
	"path/filepath"
	"slices"
	"time"
)

// Settings of a bucket: versioning and object lock are kept, returned and obeyed; lifecycle.go and bucketaccess.go have
// the others.

// setting is the bucket setting that a request is about, or "".
func (c *call) setting() string {
	for _, name := range []string{"versioning", "lifecycle", "object-lock", "encryption", "publicAccessBlock", "policy"} {
		if c.query.Has(name) {
			return name
		}
	}
	return ""
}

// settingOperation is the call of a method on a setting.
func settingOperation(method, setting string) Op {
	return pick(method+" "+setting, map[string]Op{
		"GET versioning": OpGetBucketVersioning, "PUT versioning": OpPutBucketVersioning,
		"GET object-lock": OpGetObjectLock, "PUT object-lock": OpPutObjectLock,
		"GET lifecycle": OpGetLifecycle, "PUT lifecycle": OpPutLifecycle,
		"GET encryption": OpGetEncryption, "PUT encryption": OpPutEncryption,
		"GET publicAccessBlock": OpGetPublicAccess, "PUT publicAccessBlock": OpPutPublicAccess,
		"GET policy": OpGetPolicy, "PUT policy": OpPutPolicy,
	})
}

// configured is a look at the bucket's settings.
func (b *bucket) configured() bucketInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.info
}

// configure changes the bucket's settings, or leaves them as they are when change fails.
func (b *bucket) configure(change func(*bucketInfo) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.info
	if err := change(&next); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(b.dir, bucketFile), next); err != nil {
		return err
	}
	b.info = next
	b.tidied = time.Time{} // what new rules say is due at once
	return nil
}

// change is configure with a document from the request's body, as all such calls are.
func (s *Server) change(c *call, document any, change func(*bucketInfo) error) error {
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
	if err := parseXML(body, document); err != nil {
		return err
	}
	if err := b.configure(change); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

type versioningXML struct {
	XMLName xml.Name `xml:"VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (s *Server) getVersioning(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, versioningXML{Status: b.configured().Versioning})
}

func (s *Server) putVersioning(c *call) error {
	var ask versioningXML
	return s.change(c, &ask, func(info *bucketInfo) error {
		switch {
		case ask.Status != versioningEnabled && ask.Status != versioningSuspended:
			return malformedXML()
		case ask.Status == versioningSuspended && info.ObjectLock:
			return apiErr(http.StatusConflict, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		info.Versioning = ask.Status
		return nil
	})
}

type objectLockXML struct {
	XMLName           xml.Name `xml:"ObjectLockConfiguration"`
	ObjectLockEnabled string
	Rule              *objectLockRule `xml:",omitempty"`
}

type objectLockRule struct {
	DefaultRetention defaultLock
}

func (s *Server) getObjectLock(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	info := b.configured()
	if !info.ObjectLock {
		return apiErr(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	}
	out := objectLockXML{ObjectLockEnabled: "Enabled"}
	if info.DefaultLock.Mode != "" {
		out.Rule = &objectLockRule{info.DefaultLock}
	}
	return c.writeXML(http.StatusOK, out)
}

func (s *Server) putObjectLock(c *call) error {
	var ask objectLockXML
	return s.change(c, &ask, func(info *bucketInfo) error {
		if info.Versioning != versioningEnabled {
			return apiErr(http.StatusConflict, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		if ask.ObjectLockEnabled != "Enabled" {
			return malformedXML()
		}
		info.ObjectLock, info.DefaultLock = true, defaultLock{}
		if ask.Rule == nil {
			return nil
		}
		d := ask.Rule.DefaultRetention
		if !slices.Contains([]string{lockGovernance, lockCompliance}, d.Mode) || d.Days < 0 || d.Years < 0 || (d.Days > 0) == (d.Years > 0) {
			return malformedXML()
		}
		info.DefaultLock = d
		return nil
	})
}
