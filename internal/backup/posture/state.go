// Package posture is what the bucket of some jobs is set to, what it should be set to for them, and the way from one
// to the other.
//
// Rules: nothing is put that was not shown as a change first; what others configured stays, and serves where it does
// what is wanted; nothing that cannot be taken back, such as object lock, is ever put.
package posture

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Part is one kind of setting.
type Part string

// The parts.
const (
	Versioning   Part = "versioning"
	Encryption   Part = "encryption"
	PublicAccess Part = "public-access"
	Lifecycle    Part = "lifecycle"
)

// Parts are all of them, in the order in which they are shown.
func Parts() []Part { return []Part{Versioning, Encryption, PublicAccess, Lifecycle} }

// State is what a bucket is set to.
type State struct {
	Protection   s3.Protection
	Encryption   s3.Encryption
	PublicAccess s3.PublicAccess
	Lifecycle    s3.LifecycleDocument

	Policy    string // the bucket's own, as JSON; "" = none
	PolicyErr error  // why it could not be read: it is only shown
}

// directoryBucket is the end of the names of S3 Express buckets ("Directory bucket naming rules").
const directoryBucket = "--x-s3"

// Read asks the bucket for everything but the parts that are left out.
func Read(ctx context.Context, b *s3.Bucket, without []Part) (State, error) {
	if strings.HasSuffix(strings.Trim(b.Location(), "/"), directoryBucket) {
		return State{}, fault.New(fault.Config, b.Location()+" is a directory bucket",
			"Use a general purpose bucket: a directory bucket lies in one zone, and has neither versions nor object lock "+
				"nor archive classes.", nil)
	}
	var state State
	var err error
	// Which old versions a lifecycle rule meets depends on versioning, so that this is always read.
	if state.Protection, err = b.Protection(ctx); err != nil {
		return state, err
	}
	if !slices.Contains(without, Encryption) {
		if state.Encryption, err = b.Encryption(ctx); err != nil {
			return state, err
		}
	}
	if !slices.Contains(without, PublicAccess) {
		if state.PublicAccess, err = b.PublicAccess(ctx); err != nil {
			return state, err
		}
	}
	if !slices.Contains(without, Lifecycle) {
		if state.Lifecycle, err = b.LifecycleDocument(ctx); err != nil {
			return state, err
		}
	}
	state.Policy, state.PolicyErr = b.Policy(ctx)
	return state, nil
}

// same reports whether nothing of what a plan goes by has changed.
func (s State) same(other State) bool {
	return s.Protection == other.Protection && s.Encryption == other.Encryption && s.PublicAccess == other.PublicAccess &&
		s.Lifecycle.Equal(other.Lifecycle)
}

func encryptionText(e s3.Encryption) string {
	switch {
	case e.Algorithm == "":
		return "none"
	case e.KMSKeyID != "":
		return e.Algorithm + " with key " + e.KMSKeyID
	}
	return e.Algorithm
}

func publicText(p s3.PublicAccess) string {
	if p.Blocked() {
		return "blocked"
	}
	blocks := 0
	for _, on := range []bool{p.BlockPublicACLs, p.IgnorePublicACLs, p.BlockPublicPolicy, p.RestrictPublicBuckets} {
		if on {
			blocks++
		}
	}
	return fmt.Sprintf("%d of 4 blocks on", blocks)
}

// LockText is the bucket's object lock in words.
func (s State) LockText() string {
	switch d := s.Protection.Default; {
	case !s.Protection.ObjectLock:
		return "off"
	case d.Mode == "":
		return "on, without a default retention"
	case d.Years > 0:
		return fmt.Sprintf("on, each version %s for %d years", d.Mode, d.Years)
	default:
		return fmt.Sprintf("on, each version %s for %d days", d.Mode, d.Days)
	}
}

// VersioningText is the state of versioning.
func (s State) VersioningText() string { return string(s.Protection.Versioning) }

// EncryptionText is the default encryption.
func (s State) EncryptionText() string {
	if !s.Encryption.Known {
		return "not known to the store"
	}
	return encryptionText(s.Encryption)
}

// PublicAccessText is the public access block.
func (s State) PublicAccessText() string {
	if !s.PublicAccess.Known {
		return "not known to the store"
	}
	return publicText(s.PublicAccess)
}
