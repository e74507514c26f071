package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// LifecycleRule is what the store does by itself to objects below a prefix. Days count from an object's
// creation, those of noncurrent versions from when they were replaced or hidden; 0 means never.
type LifecycleRule struct {
	ID      string
	Enabled bool
	Prefix  string
	Narrow  bool // only for objects of some tags or sizes below the prefix, which are:

	OverBytes  int64             // larger ones; 0 = any
	UnderBytes int64             // smaller ones; 0 = any
	Tags       map[string]string // those with all of these

	ExpireDays     int
	ExpireAt       time.Time // instead of days; zero = none
	ExpireMarkers  bool      // delete markers with nothing below them go
	NoncurrentDays int
	NoncurrentKept int // the newest noncurrent versions that stay all the same
	AbortDays      int // of multipart uploads that nobody completed

	Transitions []Transition
}

// Transition moves objects into another storage class.
type Transition struct {
	Class      string
	Days       int
	At         time.Time // instead of days; zero = none
	Noncurrent bool      // of noncurrent versions only
}

// Lifecycle reads the bucket's lifecycle rules, none where the store has or knows none.
func (b *Bucket) Lifecycle(ctx context.Context) ([]LifecycleRule, error) {
	document, err := b.LifecycleDocument(ctx)
	return document.Rules(), err
}

// narrow reads what of the objects below the prefix a filter means.
func (r *LifecycleRule) narrow(f *types.LifecycleRuleFilter) {
	over, under := f.ObjectSizeGreaterThan, f.ObjectSizeLessThan
	var tags []types.Tag
	if f.Tag != nil {
		tags = []types.Tag{*f.Tag}
	}
	if f.And != nil {
		r.Prefix = aws.ToString(f.And.Prefix)
		over, under = f.And.ObjectSizeGreaterThan, f.And.ObjectSizeLessThan
		tags = f.And.Tags
	}
	r.OverBytes, r.UnderBytes = bytesOf(over), bytesOf(under)
	r.Narrow = over != nil || under != nil || len(tags) > 0
	for _, t := range tags {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
}

func lifecycleRule(r types.LifecycleRule) LifecycleRule {
	out := LifecycleRule{
		ID: aws.ToString(r.ID), Enabled: r.Status == types.ExpirationStatusEnabled,
		Prefix: aws.ToString(r.Prefix), //nolint:staticcheck // old rules have it instead of a filter
	}
	if f := r.Filter; f != nil {
		out.Prefix = orDefault(aws.ToString(f.Prefix), out.Prefix)
		out.narrow(f)
	}
	if e := r.Expiration; e != nil {
		out.ExpireDays = countOf(e.Days)
		out.ExpireAt = aws.ToTime(e.Date)
		out.ExpireMarkers = aws.ToBool(e.ExpiredObjectDeleteMarker)
	}
	if n := r.NoncurrentVersionExpiration; n != nil {
		out.NoncurrentDays, out.NoncurrentKept = countOf(n.NoncurrentDays), countOf(n.NewerNoncurrentVersions)
	}
	if a := r.AbortIncompleteMultipartUpload; a != nil {
		out.AbortDays = countOf(a.DaysAfterInitiation)
	}
	for _, t := range r.Transitions {
		out.Transitions = append(out.Transitions,
			Transition{Class: string(t.StorageClass), Days: countOf(t.Days), At: aws.ToTime(t.Date)})
	}
	for _, t := range r.NoncurrentVersionTransitions {
		out.Transitions = append(out.Transitions,
			Transition{Class: string(t.StorageClass), Days: countOf(t.NoncurrentDays), Noncurrent: true})
	}
	return out
}
