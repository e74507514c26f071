package s3server

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// remembered are the plain headers that S3 keeps with an object.
func remembered() []string {
	return []string{
		"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
	}
}

const maxMetaBytes = 2048

// settings reads what the request says of the object besides its bytes.
func (c *call) settings() (Settings, error) {
	h := c.r.Header
	s := Settings{
		Headers: map[string]string{}, Meta: map[string]string{}, Class: h.Get("X-Amz-Storage-Class"),
		SSE: h.Get("X-Amz-Server-Side-Encryption"), KMSKey: h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"),
	}
	for _, name := range remembered() {
		if v := h.Get(name); v != "" {
			s.Headers[name] = v
		}
	}
	s.Headers["Content-Encoding"] = withoutChunked(s.Headers["Content-Encoding"])
	if s.Headers["Content-Encoding"] == "" {
		delete(s.Headers, "Content-Encoding")
	}
	return s, c.checkSettings(&s)
}

func (c *call) checkSettings(s *Settings) error {
	if err := c.refuseUnbuilt(); err != nil {
		return err
	}
	switch s.Class {
	case "", "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR":
	default:
		return apiErr(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
	}
	switch {
	case !slices.Contains([]string{"", "AES256", "aws:kms", "aws:kms:dsse"}, s.SSE):
		return apiErr(http.StatusBadRequest, "InvalidEncryptionAlgorithmError", "The encryption method specified is not supported")
	case s.KMSKey != "" && !strings.HasPrefix(s.SSE, "aws:kms"):
		return invalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	case s.SSE == "":
		s.SSE = "AES256" // S3 encrypts everything since January 2023
	}
	total := 0
	for name, values := range c.r.Header {
		if short, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			s.Meta[short] = strings.Join(values, ",")
			total += len(short) + len(s.Meta[short])
		}
	}
	if total > maxMetaBytes {
		return apiErr(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	return nil
}

// refuseUnbuilt refuses headers whose silent loss would be a lie.
func (c *call) refuseUnbuilt() error {
	for name := range c.r.Header {
		lower := strings.ToLower(name)
		switch {
		case lower == "x-amz-tagging", lower == "x-amz-website-redirect-location", lower == "x-amz-write-offset-bytes",
			strings.HasPrefix(lower, "x-amz-server-side-encryption-customer-"), strings.HasPrefix(lower, "x-amz-grant-"):
			return notImplemented(lower)
		}
	}
	return nil
}

// withoutChunked strips aws-chunked, which is of the transfer, from a content encoding.
func withoutChunked(encoding string) string {
	var kept []string
	for _, e := range strings.Split(encoding, ",") {
		if e = strings.TrimSpace(e); e != "" && e != "aws-chunked" {
			kept = append(kept, e)
		}
	}
	return strings.Join(kept, ",")
}

// describe writes the encryption headers that every answer about an object carries.
func (s Settings) describe(h http.Header) {
	h.Set("X-Amz-Server-Side-Encryption", s.SSE)
	if s.KMSKey != "" {
		h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", s.KMSKey)
	}
}

// describeFully writes everything that GET and HEAD tell.
func (o *object) describeFully(h http.Header) {
	o.describe(h)
	h.Set("Content-Type", "binary/octet-stream")
	for name, v := range o.Headers {
		h.Set(name, v)
	}
	for name, v := range o.Meta {
		h.Set("X-Amz-Meta-"+name, headerSafe(v))
	}
	if o.Class != "" && o.Class != "STANDARD" {
		h.Set("X-Amz-Storage-Class", o.Class)
	}
	h.Set("ETag", quote(o.ETag))
	h.Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
}

// headerSafe encodes metadata that is not ASCII by RFC 2047, as S3 does.
func headerSafe(v string) string { return mime.QEncoding.Encode("utf-8", v) }

// describeSums writes the checksum that S3 remembers.
func (o *object) describeSums(h http.Header) {
	for a, v := range o.Sum {
		h.Set(a.header(), v)
		h.Set("X-Amz-Checksum-Type", o.SumType)
	}
}

// thaw is a restored copy of an archived object.
type thaw struct {
	Ready, Expires time.Time
}

// archived reports whether the bytes cannot be read now. Guarded by the bucket's mutex.
func (o *object) archived(now time.Time) bool {
	if o.Class != "GLACIER" && o.Class != "DEEP_ARCHIVE" && o.Tier == "" {
		return false
	}
	return o.Restore == nil || now.Before(o.Restore.Ready) || now.After(o.Restore.Expires)
}
