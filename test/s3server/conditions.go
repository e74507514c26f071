package s3server

import (
	"net/http"
	"strings"
	"time"
)

// writeConditions are If-None-Match: * and If-Match of PutObject and CompleteMultipartUpload
// ("Conditional requests" in the S3 user guide).
type writeConditions struct {
	absent bool
	match  string // ETag without quotes; "" for none
}

func (c *call) writeConditions() (writeConditions, error) {
	none, match := c.r.Header.Get("If-None-Match"), c.r.Header.Get("If-Match")
	switch {
	case none != "" && none != "*":
		return writeConditions{}, notImplemented("If-None-Match other than *")
	case none != "" && match != "":
		return writeConditions{}, notImplemented("If-None-Match and If-Match together")
	}
	return writeConditions{absent: none == "*", match: unquote(match)}, nil
}

// check judges the object that a write would replace; old is nil when there is none.
func (w writeConditions) check(old *object, g *guard) error {
	switch {
	case w.absent && old != nil:
		return preconditionFailed("If-None-Match")
	case w.match != "" && old == nil:
		return noSuchKey()
	case w.match != "" && w.match != "*" && old.ETag != w.match:
		return preconditionFailed("If-Match")
	case (w.absent || w.match != "") && g != nil && g.raced:
		return conflict()
	}
	return nil
}

// readConditions judges a GET or HEAD by the headers of RFC 9110, in its order.
func readConditions(h http.Header, o *object) error {
	match, none := h.Get("If-Match"), h.Get("If-None-Match")
	since, hasSince := headerTime(h, "If-Modified-Since")
	until, hasUntil := headerTime(h, "If-Unmodified-Since")
	modified := o.Modified.Truncate(time.Second)
	switch {
	case match != "" && !matchesETag(match, o.ETag):
		return preconditionFailed("If-Match")
	case match == "" && hasUntil && modified.After(until):
		return preconditionFailed("If-Unmodified-Since")
	case none != "" && matchesETag(none, o.ETag), none == "" && hasSince && !modified.After(since):
		return apiErr(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return nil
}

func headerTime(h http.Header, name string) (time.Time, bool) {
	at, err := http.ParseTime(h.Get(name))
	return at, err == nil
}

func matchesETag(list, etag string) bool {
	for _, one := range strings.Split(list, ",") {
		if one = unquote(strings.TrimSpace(one)); one == "*" || one == etag {
			return true
		}
	}
	return false
}

func unquote(etag string) string { return strings.Trim(strings.TrimPrefix(etag, "W/"), `"`) }

func quote(etag string) string { return `"` + etag + `"` }
