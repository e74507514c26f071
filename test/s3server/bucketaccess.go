package s3server

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Settings of a bucket that say who gets in and how bytes are kept: default encryption, public access block and
// policy. They are kept and returned as S3 does, and not obeyed but for one statement (demand.go): everything here is
// encrypted by name only, nothing is public, and who may do what is said by the policies of callers.

type encryptionXML struct {
	XMLName xml.Name         `xml:"ServerSideEncryptionConfiguration"`
	Rules   []encryptionRule `xml:"Rule"`
}

type encryptionRule struct {
	Default   defaultEncryption `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKey bool              `xml:"BucketKeyEnabled"`
}

type defaultEncryption struct {
	Algorithm string `xml:"SSEAlgorithm"`
	KMSKey    string `xml:"KMSMasterKeyID,omitempty"`
}

// getEncryption answers AES256 for a bucket that was told nothing, as S3 does since January 2023.
func (s *Server) getEncryption(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	rules := b.configured().Encryption
	if len(rules) == 0 {
		rules = []encryptionRule{{Default: defaultEncryption{Algorithm: "AES256"}}}
	}
	return c.writeXML(http.StatusOK, encryptionXML{Rules: rules})
}

func (s *Server) putEncryption(c *call) error {
	var ask encryptionXML
	return s.change(c, &ask, func(info *bucketInfo) error {
		if len(ask.Rules) != 1 || !slices.Contains([]string{"AES256", "aws:kms", "aws:kms:dsse"}, ask.Rules[0].Default.Algorithm) {
			return malformedXML()
		}
		if d := ask.Rules[0].Default; d.KMSKey != "" && d.Algorithm == "AES256" {
			return invalidArgument("a KMS key can only be set with an algorithm of KMS")
		}
		info.Encryption = ask.Rules
		return nil
	})
}

// publicAccessXML is a public access block: what of public access is shut off.
type publicAccessXML struct {
	XMLName           xml.Name `xml:"PublicAccessBlockConfiguration"`
	BlockPublicAcls   bool
	IgnorePublicAcls  bool
	BlockPublicPolicy bool
	Restrict          bool `xml:"RestrictPublicBuckets"`
}

func (s *Server) getPublicAccess(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	block := b.configured().PublicAccess
	if block == nil {
		return apiErr(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return c.writeXML(http.StatusOK, block)
}

func (s *Server) putPublicAccess(c *call) error {
	var ask publicAccessXML
	return s.change(c, &ask, func(info *bucketInfo) error {
		info.PublicAccess = &ask
		return nil
	})
}

func (s *Server) getPolicy(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	policy := b.configured().Policy
	if policy == "" {
		return apiErr(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, err = io.Copy(c.w, strings.NewReader(policy))
	return err
}

func (s *Server) putPolicy(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	body, err := c.small(maxPolicyBytes, true)
	if err != nil {
		return err
	}
	var document struct{ Statement []json.RawMessage }
	if json.Unmarshal(body, &document) != nil || len(document.Statement) == 0 {
		return apiErr(http.StatusBadRequest, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	if err := b.configure(func(info *bucketInfo) error {
		info.Policy = string(body)
		return nil
	}); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

const maxPolicyBytes = 20 << 10
