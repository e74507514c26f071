package s3server

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// What lifecycle rules do. Amazon S3 looks once a day and takes its time; here every request to the bucket first does
// what is due by the server's clock, so that a test moves the clock and sees the result.

// tidyEvery keeps a burst of requests from looking at everything each time.
const tidyEvery = time.Second

// tidy does what the bucket's rules say of everything that is due.
func (b *bucket) tidy(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if since := now.Sub(b.tidied); len(b.info.Lifecycle) == 0 || since >= 0 && since < tidyEvery {
		return nil
	}
	b.tidied = now
	for _, f := range b.facts() {
		if err := b.follow(f, now); err != nil {
			return fmt.Errorf("s3server: lifecycle rule %s: %w", f.ID, err)
		}
	}
	return nil
}

// facts are the rules that are enabled and mean something here.
func (b *bucket) facts() []ruleFacts {
	var out []ruleFacts
	for _, r := range b.info.Lifecycle {
		var f ruleFacts
		if err := parseXML([]byte("<Rule>"+r.Inner+"</Rule>"), &f); err != nil || f.Status != "Enabled" {
			continue // it was checked when it was put
		}
		if _, none := f.scope(); !none {
			out = append(out, f)
		}
	}
	return out
}

func (b *bucket) follow(f ruleFacts, now time.Time) error {
	for _, key := range slices.Sorted(maps.Keys(b.history)) {
		for i, o := range slices.Clone(b.history[key]) {
			if err := b.followFor(f, o, i, now); err != nil {
				return err
			}
		}
	}
	scope, _ := f.scope()
	if f.AbortIncompleteMultipartUpload == nil {
		return nil
	}
	for _, u := range slices.Collect(maps.Values(b.uploads)) {
		if strings.HasPrefix(u.Key, scope.Prefix) && !dueAfter(u.Initiated, f.AbortIncompleteMultipartUpload.DaysAfterInitiation).After(now) {
			if err := b.endUpload(u, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// followFor does what a rule says of one version, the i-th newest of its key.
func (b *bucket) followFor(f ruleFacts, o *object, i int, now time.Time) error {
	scope, _ := f.scope()
	switch {
	case !scope.means(o):
		return nil
	case o.Marker:
		if e := f.Expiration; e != nil && e.ExpiredObjectDeleteMarker && len(b.history[o.Key]) == 1 {
			return b.removeForGood(o)
		}
	case i > 0:
		return b.followNoncurrent(f, o, i, now)
	}
	if i > 0 || o.Marker {
		return nil
	}
	if e := f.Expiration; e != nil && !e.ExpiredObjectDeleteMarker && !dueAt(o.Modified, e.Days, e.Date).After(now) {
		if b.info.Versioning != "" {
			return b.insert(&object{Key: o.Key, Marker: true, Modified: now})
		}
		return b.removeForGood(o)
	}
	for _, t := range f.Transition {
		if !dueAt(o.Modified, t.Days, t.Date).After(now) && b.moves(f, o, t.StorageClass) {
			if err := b.move(o, t.StorageClass); err != nil {
				return err
			}
			o = b.find(o.Key, o.Version)
		}
	}
	return nil
}

// followNoncurrent counts from when the version above was stored, which is at history[i-1].
func (b *bucket) followNoncurrent(f ruleFacts, o *object, i int, now time.Time) error {
	at := slices.Index(b.history[o.Key], o)
	if at < 1 { // the version above went just now
		return nil
	}
	since := b.history[o.Key][at-1].Modified
	if e := f.NoncurrentVersionExpiration; e != nil && i > e.NewerNoncurrentVersions &&
		!dueAfter(since, e.NoncurrentDays).After(now) && !o.Lock.holds(now) {
		return b.removeForGood(o)
	}
	for _, t := range f.NoncurrentVersionTransition {
		if !dueAfter(since, t.NoncurrentDays).After(now) && b.moves(f, o, t.StorageClass) {
			return b.move(o, t.StorageClass)
		}
	}
	return nil
}

func (b *bucket) removeForGood(o *object) error {
	if err := os.Remove(b.objectPath(o)); err != nil {
		return err
	}
	b.forget(o)
	b.show(o.Key)
	return nil
}

// coldness is the order in which rules move objects; they never move one back.
func coldness(class string) int {
	return slices.Index([]string{
		"STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE",
	}, class)
}

// moves reports whether a rule that is due moves an object into a class.
func (b *bucket) moves(f ruleFacts, o *object, class string) bool {
	from := o.Class
	if from == "" {
		from = "STANDARD"
	}
	scope, _ := f.scope()
	sized := scope.ObjectSizeGreaterThan != nil || scope.ObjectSizeLessThan != nil
	archive := class == "GLACIER" || class == "DEEP_ARCHIVE"
	const small = 128 << 10
	tooSmall := o.Size < small && !sized && (b.info.LifecycleMinimum != minimumVaries || !archive)
	return coldness(from) < coldness(class) && !tooSmall
}

// move puts another object in the version's place, since whoever reads the old one does so without the lock.
func (b *bucket) move(o *object, class string) error {
	next := *o
	next.Class, next.readers = class, 0
	if err := writeJSON(b.objectPath(&next), &next); err != nil {
		return err
	}
	versions := b.history[o.Key]
	versions[slices.Index(versions, o)] = &next
	if b.objects[o.Key] == o {
		b.objects[o.Key] = &next
	}
	return nil
}

func (s ruleScope) means(o *object) bool {
	return strings.HasPrefix(o.Key, s.Prefix) &&
		(s.ObjectSizeGreaterThan == nil || o.Size > *s.ObjectSizeGreaterThan) &&
		(s.ObjectSizeLessThan == nil || o.Size < *s.ObjectSizeLessThan)
}

// dueAfter is the midnight after some days, as S3 counts ("Lifecycle rules: based on an object's age").
func dueAfter(from time.Time, days int) time.Time {
	at := from.UTC().AddDate(0, 0, days)
	midnight := at.Truncate(24 * time.Hour)
	if midnight.Before(at) {
		midnight = midnight.AddDate(0, 0, 1)
	}
	return midnight
}

// dueAt is dueAfter, or a date if there is one.
func dueAt(from time.Time, days int, date time.Time) time.Time {
	if !date.IsZero() {
		return date
	}
	return dueAfter(from, days)
}

// expiryOf is X-Amz-Expiration: when a rule deletes the object, and which.
func (b *bucket) expiryOf(o *object) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.facts() {
		if scope, _ := f.scope(); f.Expiration != nil && !f.Expiration.ExpiredObjectDeleteMarker && scope.means(o) {
			at := dueAt(o.Modified, f.Expiration.Days, f.Expiration.Date)
			return fmt.Sprintf("expiry-date=%q, rule-id=%q", at.UTC().Format(http.TimeFormat), f.ID)
		}
	}
	return ""
}
