package s3server

import (
	"encoding/xml"
	"net/http"
)

// lifecycleXML is a lifecycle configuration. A rule is kept as it was written, so that nothing of it
// is lost on the way back; what S3 demands of every rule is looked at.
type lifecycleXML struct {
	XMLName xml.Name        `xml:"LifecycleConfiguration"`
	Rules   []lifecycleRule `xml:"Rule"`
}

type lifecycleRule struct {
	Inner string `xml:",innerxml"`
}

// ruleFacts are what S3 checks of a rule.
type ruleFacts struct {
	XMLName    xml.Name  `xml:"Rule"`
	ID         string    `xml:"ID"`
	Status     string    `xml:"Status"`
	Filter     *struct{} `xml:"Filter"`
	Prefix     *string   `xml:"Prefix"`
	Expiration *struct{} `xml:"Expiration"`
	Transition []struct {
		StorageClass string
	} `xml:"Transition"`
	NoncurrentVersionExpiration    *struct{}  `xml:"NoncurrentVersionExpiration"`
	NoncurrentVersionTransition    []struct{} `xml:"NoncurrentVersionTransition"`
	AbortIncompleteMultipartUpload *struct{}  `xml:"AbortIncompleteMultipartUpload"`
}

// acts reports whether a rule does anything at all.
func (f ruleFacts) acts() bool {
	return f.Expiration != nil || len(f.Transition) > 0 || f.NoncurrentVersionExpiration != nil ||
		len(f.NoncurrentVersionTransition) > 0 || f.AbortIncompleteMultipartUpload != nil
}

const maxLifecycleRules = 1000

func (l *lifecycleXML) check() error {
	if len(l.Rules) == 0 || len(l.Rules) > maxLifecycleRules {
		return malformedXML()
	}
	seen := map[string]bool{}
	for i := range l.Rules {
		var f ruleFacts
		if err := parseXML([]byte("<Rule>"+l.Rules[i].Inner+"</Rule>"), &f); err != nil {
			return err
		}
		switch {
		case f.Status != "Enabled" && f.Status != "Disabled", (f.Filter == nil) == (f.Prefix == nil):
			return malformedXML()
		case !f.acts():
			return invalidRequest("At least one action needs to be specified in a rule")
		case len(f.ID) > 255 || seen[f.ID] && f.ID != "":
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		seen[f.ID] = true
		if f.ID == "" { // S3 names rules that come without a name
			l.Rules[i].Inner = "<ID>" + randomHex(16) + "</ID>" + l.Rules[i].Inner
		}
	}
	return nil
}

func (s *Server) putLifecycle(c *call) error {
	var ask lifecycleXML
	return s.change(c, &ask, func(info *bucketInfo) error {
		if err := ask.check(); err != nil {
			return err
		}
		info.Lifecycle = ask.Rules
		return nil
	})
}

func (s *Server) getLifecycle(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	rules := b.configured().Lifecycle
	if len(rules) == 0 {
		return apiErr(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	}
	return c.writeXML(http.StatusOK, lifecycleXML{Rules: rules})
}
