package s3server

import (
	"encoding/xml"
	"net/http"
	"strconv"
)

func (s *Server) createUpload(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	set, err := c.settings()
	if err != nil {
		return err
	}
	u := &upload{Key: c.key, Initiated: s.now(), Settings: set}
	if u.Lock, err = c.askedLock(); err != nil {
		return err
	}
	if err := b.mayLock(c, u.Lock); err != nil {
		return err
	}
	asked := c.r.Header.Get("X-Amz-Checksum-Type")
	if name := c.r.Header.Get("X-Amz-Checksum-Algorithm"); name != "" {
		if u.Algorithm, err = parseAlgorithm(name); err != nil {
			return err
		}
		if u.SumType, err = u.Algorithm.checksumType(asked); err != nil {
			return err
		}
	} else if asked != "" {
		return invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	}
	if err := b.newUpload(u); err != nil {
		return err
	}
	set.describe(c.w.Header())
	if u.Algorithm != "" {
		c.w.Header().Set("X-Amz-Checksum-Algorithm", string(u.Algorithm))
		c.w.Header().Set("X-Amz-Checksum-Type", u.SumType)
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadID string `xml:"UploadId"`
	}{Bucket: c.bucket, Key: c.key, UploadID: u.ID})
}

func (s *Server) uploadPart(c *call) error {
	b, u, err := s.findUpload(c)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > s.opt.Habits.mostParts() {
		return invalidArgument("Part number must be an integer between 1 and %d, inclusive", s.opt.Habits.mostParts())
	}
	if c.r.Header.Get("X-Amz-Copy-Source") != "" {
		return notImplemented("UploadPartCopy")
	}
	if err := b.mayLock(c, u.Lock); err != nil {
		return err
	}
	p, err := s.receivePart(c, b, u, number)
	if err != nil {
		return err
	}
	if err := b.addPart(u, p); err != nil {
		b.discard(p.Segment)
		return err
	}
	h := c.w.Header()
	u.describe(h)
	for a, v := range p.Sums {
		if u.Algorithm == "" && len(p.Sums) > 1 && a == algCRC64NVME {
			continue // computed for the whole object; the caller asked for the other
		}
		h.Set(a.header(), v)
	}
	h.Set("ETag", quote(p.ETag))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) findUpload(c *call) (*bucket, *upload, error) {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return nil, nil, err
	}
	u, err := b.upload(c.query.Get("uploadId"), c.key)
	return b, u, err
}

// receivePart stores the body as a part that its upload does not name yet.
func (s *Server) receivePart(c *call, b *bucket, u *upload, number int) (part, error) {
	alg, _ := u.algorithm()
	in, err := c.newPayload(alg)
	if err != nil {
		return part{}, err
	}
	got := in.algorithm()
	if u.Algorithm != "" && got != u.Algorithm && (got != "" || u.SumType == composite) {
		return part{}, checksumMismatch(string(u.Algorithm), string(got))
	}
	seg, what, err := b.write(in)
	if err != nil {
		return part{}, err
	}
	return part{
		Number: number, ETag: newETag(u.SSE, what.md5), Segment: seg, Modified: s.now(), Sums: what.sums,
	}, nil
}

func (s *Server) abortUpload(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	if err := b.abort(c.query.Get("uploadId"), c.key); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

type uploadXML struct {
	Key               string
	UploadID          string `xml:"UploadId"`
	Initiator, Owner  ownerXML
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

// listUploads pages through uploads; a delimiter is not built.
func (s *Server) listUploads(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	if c.query.Get("delimiter") != "" {
		return notImplemented("ListMultipartUploads with a delimiter")
	}
	ask, err := c.listAsk("max-uploads")
	if err != nil {
		return err
	}
	encode, err := c.encoding()
	if err != nil {
		return err
	}
	keyMarker, idMarker := c.query.Get("key-marker"), c.query.Get("upload-id-marker")
	page, more := b.uploadPage(ask.prefix, keyMarker, idMarker, ask.max)
	out := struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket             string
		KeyMarker          string
		UploadIDMarker     string `xml:"UploadIdMarker"`
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
		Prefix             string
		EncodingType       string `xml:",omitempty"`
		MaxUploads         int
		IsTruncated        bool
		Upload             []uploadXML
	}{
		Bucket: c.bucket, KeyMarker: encode(keyMarker), UploadIDMarker: idMarker, Prefix: encode(ask.prefix),
		EncodingType: c.query.Get("encoding-type"), MaxUploads: ask.max, IsTruncated: more,
	}
	owner := ownerXML{s.opt.Owner, s.opt.Owner}
	for _, u := range page {
		if s.opt.Habits.WholeKeyUploads && u.Key != ask.prefix {
			continue
		}
		out.Upload = append(out.Upload, uploadXML{
			Key: encode(u.Key), UploadID: u.ID, Initiator: owner, Owner: owner, StorageClass: classOrStandard(u.Class),
			Initiated: xmlTime(u.Initiated), ChecksumAlgorithm: string(u.Algorithm), ChecksumType: u.SumType,
		})
		if more {
			out.NextKeyMarker, out.NextUploadIDMarker = encode(u.Key), u.ID
		}
	}
	return c.writeXML(http.StatusOK, out)
}

type partXML struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	sumsXML
}

func (s *Server) listParts(c *call) error {
	b, u, err := s.findUpload(c)
	if err != nil {
		return err
	}
	ask, err := c.listAsk("max-parts")
	if err != nil {
		return err
	}
	marker := 0
	if text := c.query.Get("part-number-marker"); text != "" {
		if marker, err = strconv.Atoi(text); err != nil || marker < 0 {
			return invalidArgument("Argument part-number-marker must be an integer")
		}
	}
	owner := ownerXML{s.opt.Owner, s.opt.Owner}
	out := struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		Initiator, Owner     ownerXML
		StorageClass         string
		PartNumberMarker     int
		NextPartNumberMarker int `xml:",omitempty"`
		MaxParts             int
		IsTruncated          bool
		ChecksumAlgorithm    string `xml:",omitempty"`
		ChecksumType         string `xml:",omitempty"`
		Part                 []partXML
	}{
		Bucket: c.bucket, Key: c.key, UploadID: u.ID, Initiator: owner, Owner: owner, StorageClass: classOrStandard(u.Class),
		PartNumberMarker: marker, MaxParts: ask.max, ChecksumAlgorithm: string(u.Algorithm), ChecksumType: u.SumType,
	}
	for _, p := range b.sortedParts(u) {
		if p.Number <= marker {
			continue
		}
		if len(out.Part) == ask.max {
			out.IsTruncated, out.NextPartNumberMarker = ask.max > 0, marker
			break
		}
		out.Part = append(out.Part, partXML{p.Number, xmlTime(p.Modified), quote(p.ETag), p.Segment.Size, newSumsXML(p.Sums, "")})
		marker = p.Number
	}
	return c.writeXML(http.StatusOK, out)
}
