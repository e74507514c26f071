package s3server

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// maxXMLBody is enough for 10,000 parts with checksums, or 1,000 keys of 1,024 bytes escaped.
const maxXMLBody = 8 << 20

// xmlDocument marshals a value of this package's own types, which cannot fail.
func xmlDocument(v any) []byte {
	out := bytes.NewBufferString(xml.Header)
	if err := xml.NewEncoder(out).Encode(v); err != nil {
		panic("s3server: marshal answer: " + err.Error())
	}
	return out.Bytes()
}

func (c *call) writeXML(status int, v any) error {
	body := xmlDocument(v)
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // a client that left is no fault of ours
	return nil
}

// parseXML reads one document whole: what follows its root must be space.
func parseXML(body []byte, into any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(into); err != nil {
		return malformedXML()
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		text, isText := token.(xml.CharData)
		if _, isComment := token.(xml.Comment); err != nil || !(isComment || (isText && len(bytes.TrimSpace(text)) == 0)) {
			return malformedXML()
		}
	}
}

// sumsXML are checksums in answers and requests, at most one filled.
type sumsXML struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func newSumsXML(sums map[algorithm]string, kind string) sumsXML {
	return sumsXML{
		ChecksumCRC32: sums[algCRC32], ChecksumCRC32C: sums[algCRC32C], ChecksumCRC64NVME: sums[algCRC64NVME],
		ChecksumSHA1: sums[algSHA1], ChecksumSHA256: sums[algSHA256], ChecksumType: kind,
	}
}

func (s sumsXML) of(a algorithm) string {
	return map[algorithm]string{
		algCRC32: s.ChecksumCRC32, algCRC32C: s.ChecksumCRC32C, algCRC64NVME: s.ChecksumCRC64NVME,
		algSHA1: s.ChecksumSHA1, algSHA256: s.ChecksumSHA256,
	}[a]
}

type ownerXML struct {
	ID          string
	DisplayName string
}

// deleteRequest is the body of DeleteObjects.
type deleteRequest struct {
	XMLName xml.Name `xml:"Delete"`
	Quiet   bool
	Objects []deleteEntry `xml:"Object"`
}

type deleteEntry struct {
	Key       string
	VersionID string `xml:"VersionId"`
	ETag      string
}

const maxDeletes = 1000

func parseDelete(body []byte) (deleteRequest, error) {
	var d deleteRequest
	if err := parseXML(body, &d); err != nil {
		return d, err
	}
	if len(d.Objects) == 0 || len(d.Objects) > maxDeletes {
		return d, malformedXML()
	}
	return d, nil
}

// completeRequest is the body of CompleteMultipartUpload.
type completeRequest struct {
	XMLName xml.Name       `xml:"CompleteMultipartUpload"`
	Parts   []completePart `xml:"Part"`
}

type completePart struct {
	PartNumber int
	ETag       string
	sumsXML
}

func parseComplete(body []byte) (completeRequest, error) {
	var r completeRequest
	if err := parseXML(body, &r); err != nil {
		return r, err
	}
	if len(r.Parts) == 0 || len(r.Parts) > maxParts {
		return r, malformedXML()
	}
	for i, p := range r.Parts {
		if p.PartNumber < 1 || p.PartNumber > maxParts {
			return r, invalidArgument("PartNumber must be >= 1")
		}
		if i > 0 && p.PartNumber <= r.Parts[i-1].PartNumber {
			return r, apiErr(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	return r, nil
}
