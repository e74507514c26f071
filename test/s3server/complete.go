package s3server

import (
	"crypto/md5" // ETags are MD5 by S3's definition
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// completeUpload makes one object of the named parts. Nothing is copied: the object keeps the parts' files.
func (s *Server) completeUpload(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	cond, err := c.writeConditions()
	if err != nil {
		return err
	}
	g := b.watch(c.key)
	defer b.unwatch(g)
	body, err := c.small(maxXMLBody, false)
	if err != nil {
		return err
	}
	ask, err := parseComplete(body)
	if err != nil {
		return err
	}
	o, err := b.complete(completion{
		id: c.query.Get("uploadId"), key: c.key, cond: cond, guard: g, again: s.opt.RepeatComplete,
		build: func(u *upload) (*object, error) { return s.assemble(c, u, ask) },
	})
	if err != nil {
		return err
	}
	o.describe(c.w.Header())
	b.named(c.w.Header(), o.Version)
	return c.writeXML(http.StatusOK, struct {
		XMLName  xml.Name `xml:"CompleteMultipartUploadResult"`
		Location string
		Bucket   string
		Key      string
		ETag     string
		sumsXML
	}{
		Location: "http://" + c.r.Host + "/" + c.bucket + "/" + uriEncode(c.key, true),
		Bucket:   c.bucket, Key: c.key, ETag: quote(o.ETag), sumsXML: newSumsXML(o.Sum, o.SumType),
	})
}

// assemble checks the request against the upload and builds the object.
func (s *Server) assemble(c *call, u *upload, ask completeRequest) (*object, error) {
	parts, err := s.chosenParts(u, ask)
	if err != nil {
		return nil, err
	}
	o := &object{Key: u.Key, Modified: s.now(), Settings: u.Settings, Lock: u.Lock, Sum: map[algorithm]string{}, UploadID: u.ID}
	etags := md5.New()
	for _, p := range parts {
		o.Size += p.Segment.Size
		o.Segments = append(o.Segments, p.Segment)
		raw, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, err
		}
		etags.Write(raw)
	}
	o.ETag = fmt.Sprintf("%s-%d", hex.EncodeToString(etags.Sum(nil)), len(parts))
	if s.opt.Habits.NoSums {
		return o, nil
	}
	alg, kind := u.algorithm()
	o.SumType = kind
	if o.Sum[alg], err = wholeSum(alg, kind, parts); err != nil {
		return nil, err
	}
	return o, c.checkComplete(o, alg)
}

// chosenParts are the upload's parts that the request names, each as the request describes it.
func (s *Server) chosenParts(u *upload, ask completeRequest) ([]part, error) {
	var parts []part
	for i, want := range ask.Parts {
		have, ok := u.Parts[want.PartNumber]
		if !ok || have.ETag != unquote(want.ETag) {
			return nil, invalidPart(want.PartNumber)
		}
		if u.SumType == composite && want.of(u.Algorithm) == "" {
			return nil, invalidRequest("The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.", strings.ToLower(string(u.Algorithm)), want.PartNumber)
		}
		for _, a := range algorithms() {
			if value := want.of(a); value != "" && have.Sums[a] != value {
				return nil, invalidPart(want.PartNumber)
			}
		}
		if i < len(ask.Parts)-1 && have.Segment.Size < s.opt.MinPartBytes {
			return nil, apiErr(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size: part %d has %d bytes, at least %d are needed", want.PartNumber, have.Segment.Size, s.opt.MinPartBytes)
		}
		parts = append(parts, have)
	}
	return parts, s.opt.Habits.checkParts(parts)
}

func invalidPart(number int) *apiError {
	return apiErr(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag or checksum may not match the part's: part %d", number)
}

// wholeSum is the object's checksum, from those of its parts.
func wholeSum(alg algorithm, kind string, parts []part) (string, error) {
	if kind == composite {
		sums := make([]string, len(parts))
		for i, p := range parts {
			sums[i] = p.Sums[alg]
		}
		return alg.compositeSum(sums)
	}
	sum := parts[0].Sums[alg]
	for _, p := range parts[1:] {
		var err error
		if sum, err = alg.combine(sum, p.Sums[alg], p.Segment.Size); err != nil {
			return "", err
		}
	}
	return sum, nil
}

// checkComplete compares the object with what the headers say of it.
func (c *call) checkComplete(o *object, alg algorithm) error {
	h := c.r.Header
	if size := h.Get("X-Amz-Mp-Object-Size"); size != "" && size != strconv.FormatInt(o.Size, 10) {
		return invalidRequest("The provided 'x-amz-mp-object-size' header does not match what was computed: %d", o.Size)
	}
	if kind := h.Get("X-Amz-Checksum-Type"); kind != "" && kind != o.SumType {
		return invalidRequest("The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", o.SumType)
	}
	for _, a := range algorithms() {
		value := h.Get(a.header())
		if value == "" {
			continue
		}
		if a != alg {
			return checksumMismatch(string(alg), string(a))
		}
		bare, _, _ := strings.Cut(o.Sum[a], "-")
		if value != o.Sum[a] && (o.SumType == fullObject || value != bare) {
			return badDigest(string(a))
		}
	}
	return nil
}
