package s3server

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"time"
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

// ruleFacts are what a rule says.
type ruleFacts struct {
	XMLName    xml.Name    `xml:"Rule"`
	ID         string      `xml:"ID"`
	Status     string      `xml:"Status"`
	Filter     *ruleFilter `xml:"Filter"`
	Prefix     *string     `xml:"Prefix"`
	Expiration *struct {
		Days                      int
		Date                      time.Time
		ExpiredObjectDeleteMarker bool
	} `xml:"Expiration"`
	Transition []struct {
		Days         int
		Date         time.Time
		StorageClass string
	} `xml:"Transition"`
	NoncurrentVersionExpiration *struct {
		NoncurrentDays, NewerNoncurrentVersions int
	} `xml:"NoncurrentVersionExpiration"`
	NoncurrentVersionTransition []struct {
		NoncurrentDays int
		StorageClass   string
	} `xml:"NoncurrentVersionTransition"`
	AbortIncompleteMultipartUpload *struct {
		DaysAfterInitiation int
	} `xml:"AbortIncompleteMultipartUpload"`
}

type ruleFilter struct {
	ruleScope
	Tag *struct{}
	And *struct {
		ruleScope
		Tag []struct{}
	}
}

// ruleScope is which objects are meant. Objects here have no tags, so that a rule for some means none.
type ruleScope struct {
	Prefix                string
	ObjectSizeGreaterThan *int64
	ObjectSizeLessThan    *int64
}

// scope is which objects a rule is about; none if it wants tags.
func (f ruleFacts) scope() (of ruleScope, none bool) {
	switch {
	case f.Prefix != nil:
		return ruleScope{Prefix: *f.Prefix}, false
	case f.Filter == nil || f.Filter.Tag != nil:
		return of, true
	case f.Filter.And != nil:
		return f.Filter.And.ruleScope, len(f.Filter.And.Tag) > 0
	}
	return f.Filter.ruleScope, false
}

// acts reports whether a rule does anything at all.
func (f ruleFacts) acts() bool {
	return f.Expiration != nil || len(f.Transition) > 0 || f.NoncurrentVersionExpiration != nil ||
		len(f.NoncurrentVersionTransition) > 0 || f.AbortIncompleteMultipartUpload != nil
}

const maxLifecycleRules = 1000

// What rules without a size do not move, by a header of the document.
const (
	minimumHeader = "X-Amz-Transition-Default-Minimum-Object-Size"
	minimum128K   = "all_storage_classes_128K"
	minimumVaries = "varies_by_storage_class" // only the archive classes take smaller ones
)

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
	minimum := cmp.Or(c.r.Header.Get(minimumHeader), minimum128K)
	return s.change(c, &ask, func(info *bucketInfo) error {
		if err := ask.check(); err != nil {
			return err
		}
		if minimum != minimum128K && minimum != minimumVaries {
			return invalidArgument("Invalid transition default minimum object size")
		}
		info.Lifecycle, info.LifecycleMinimum = ask.Rules, minimum
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
	c.w.Header().Set(minimumHeader, b.configured().LifecycleMinimum)
	return c.writeXML(http.StatusOK, lifecycleXML{Rules: rules})
}
