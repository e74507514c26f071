package s3server

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// copyObject copies within the server, up to S3's 5 GiB.
func (s *Server) copyObject(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	from, src, err := s.copySource(c)
	if err != nil {
		return err
	}
	defer from.release(src)
	o := &object{
		Key: c.key, ETag: src.ETag, Size: src.Size, Modified: s.now(), Settings: src.Settings, Sum: src.Sum, SumType: src.SumType,
	}
	set, err := c.settings()
	if err != nil {
		return err
	}
	if o.Lock, err = c.askedLock(); err != nil {
		return err
	}
	if err := b.mayLock(c, o.Lock); err != nil {
		return err
	}
	if strings.EqualFold(c.r.Header.Get("X-Amz-Metadata-Directive"), "REPLACE") {
		o.Settings = set
	} else if from == b && src.Key == c.key && set.Class == src.Class {
		return invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	o.Class, o.SSE, o.KMSKey = set.Class, set.SSE, set.KMSKey
	if o.Segments, err = copyData(from, b, src); err != nil {
		return err
	}
	if err := b.commit(o, writeConditions{}, nil); err != nil {
		b.discard(o.Segments...)
		return err
	}
	o.describe(c.w.Header())
	b.named(c.w.Header(), o.Version)
	return c.writeXML(http.StatusOK, struct {
		XMLName      xml.Name `xml:"CopyObjectResult"`
		ETag         string
		LastModified string
		sumsXML
	}{ETag: quote(o.ETag), LastModified: xmlTime(o.Modified), sumsXML: newSumsXML(o.Sum, o.SumType)})
}

// copySource acquires the object that X-Amz-Copy-Source names.
func (s *Server) copySource(c *call) (*bucket, *object, error) {
	raw, version, _ := strings.Cut(c.r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	source, err := url.PathUnescape(raw)
	name, key, ok := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if err != nil || !ok {
		return nil, nil, invalidArgument("Invalid copy source object key")
	}
	from, err := s.store.bucket(name)
	if err != nil {
		return nil, nil, err
	}
	src, err := from.acquire(key, version)
	if err != nil {
		return nil, nil, err
	}
	if from.stateOf(src, s.now()).archived || src.Size > maxPutBytes {
		from.release(src)
		return nil, nil, invalidRequest("The specified copy source is archived or larger than the maximum allowable size for a copy source: %d", int64(maxPutBytes))
	}
	return from, src, nil
}

// xmlTimeForm is the form of times in answers.
const xmlTimeForm = "2006-01-02T15:04:05.000Z"

func xmlTime(t time.Time) string { return t.UTC().Format(xmlTimeForm) }

// copyData copies an object's bytes into one data file of another bucket, or the same.
func copyData(from, to *bucket, o *object) ([]segment, error) {
	seg := segment{File: randomHex(16), Size: o.Size}
	f, err := os.OpenFile(to.dataPath(seg.File), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err = errors.Join(from.read(f, o, 0, o.Size), f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	return []segment{seg}, nil
}
