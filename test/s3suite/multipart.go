package s3suite

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const minPart = 5 << 20

// begun is a multipart upload under way.
type begun struct {
	s     *session
	key   *string
	id    *string
	alg   types.ChecksumAlgorithm
	parts []types.CompletedPart
	body  []byte
}

func (s *session) begin(name string, change ...func(*s3.CreateMultipartUploadInput)) *begun {
	s.Helper()
	in := &s3.CreateMultipartUploadInput{Bucket: &s.Bucket, Key: s.key(name)}
	for _, f := range change {
		f(in)
	}
	out, err := s.c.CreateMultipartUpload(s.ctx, in)
	s.ok(err)
	return &begun{s: s, key: in.Key, id: out.UploadId, alg: in.ChecksumAlgorithm}
}

func (b *begun) part(number int32, body []byte) (*s3.UploadPartOutput, error) {
	return b.s.c.UploadPart(b.s.ctx, &s3.UploadPartInput{
		Bucket: &b.s.Bucket, Key: b.key, UploadId: b.id, PartNumber: &number, Body: bytes.NewReader(body), ChecksumAlgorithm: b.alg,
	})
}

// add uploads the next part.
func (b *begun) add(body []byte) {
	b.s.Helper()
	number := int32(len(b.parts) + 1)
	out, err := b.part(number, body)
	b.s.ok(err)
	b.body = append(b.body, body...)
	done := types.CompletedPart{PartNumber: &number, ETag: out.ETag}
	switch b.alg {
	case types.ChecksumAlgorithmSha256:
		done.ChecksumSHA256 = out.ChecksumSHA256
	case types.ChecksumAlgorithmCrc64nvme:
		done.ChecksumCRC64NVME = out.ChecksumCRC64NVME
	}
	b.parts = append(b.parts, done)
}

func (b *begun) complete(change ...func(*s3.CompleteMultipartUploadInput)) (*s3.CompleteMultipartUploadOutput, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &b.s.Bucket, Key: b.key, UploadId: b.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: b.parts},
	}
	for _, f := range change {
		f(in)
	}
	return b.s.c.CompleteMultipartUpload(b.s.ctx, in)
}

func (b *begun) abort() error {
	_, err := b.s.c.AbortMultipartUpload(b.s.ctx, &s3.AbortMultipartUploadInput{Bucket: &b.s.Bucket, Key: b.key, UploadId: b.id})
	return err
}

func multipart(s *session) {
	s.sub("makes one object of its parts", wholeUpload)
	s.sub("takes the last of two same parts", func(s *session) {
		b := s.begin("a")
		_, err := b.part(1, []byte("old"))
		s.ok(err)
		b.add([]byte("new"))
		_, err = b.complete()
		s.ok(err)
		s.holds("a", []byte("new"))
	})
	s.sub("abort leaves nothing", func(s *session) {
		b := s.begin("a")
		b.add([]byte("x"))
		s.ok(b.abort())
		_, err := b.part(2, []byte("y"))
		s.fails(err, "NoSuchUpload")
		_, err = b.complete()
		s.fails(err, "NoSuchUpload")
		s.absent("a")
		same(s, "open uploads", len(s.openUploads(1000, s.key("a"))), 0)
	})
	s.sub("If-None-Match on complete keeps the first", func(s *session) {
		s.mustPut("a", []byte("first"))
		b := s.begin("a")
		b.add([]byte("second"))
		_, err := b.complete(func(in *s3.CompleteMultipartUploadInput) { in.IfNoneMatch = aws.String("*") })
		s.fails(err, "PreconditionFailed")
		s.holds("a", []byte("first"))
		s.ok(b.abort())
	})
	s.sub("one of many racing completes wins", racingCompletes)
	s.sub("again after it is complete", func(s *session) {
		b := s.begin("a")
		b.add([]byte("x"))
		_, err := b.complete()
		s.ok(err)
		if _, err = b.complete(); !s.Features.CompletesTwice {
			s.fails(err, "NoSuchUpload")
		}
		s.holds("a", []byte("x"))
	})
}

func wholeUpload(s *session) {
	b := s.begin("a", func(in *s3.CreateMultipartUploadInput) {
		in.Metadata, in.ContentType = map[string]string{"run": "7"}, aws.String("application/x-dump")
	})
	b.add(noise(minPart))
	b.add(noise(minPart + 1))
	b.add(noise(1000))
	s.absent("a")
	out, err := b.complete()
	s.ok(err)
	s.holds("a", b.body)
	head, err := s.head("a")
	s.ok(err)
	same(s, "size", *head.ContentLength, int64(len(b.body)))
	same(s, "etag", *head.ETag, *out.ETag)
	same(s, "metadata", head.Metadata["run"], "7")
	same(s, "type", aws.ToString(head.ContentType), "application/x-dump")
	same(s, "etag tells the parts", strings.HasSuffix(strings.Trim(*out.ETag, `"`), "-3"), true)
	for _, r := range [][2]int{{minPart - 10, minPart + 10}, {minPart, 2*minPart + 5}, {2*minPart - 1, len(b.body)}} {
		spec := fmt.Sprintf("bytes=%d-%d", r[0], r[1]-1)
		_, got, err := s.get("a", func(in *s3.GetObjectInput) { in.Range = &spec })
		s.ok(err)
		same(s, spec, bytes.Equal(got, b.body[r[0]:r[1]]), true)
	}
}

// racingCompletes lets uploads of one key end at once, each only if none was before.
func racingCompletes(s *session) {
	var all []*begun
	for i := range 8 {
		b := s.begin("a")
		b.add([]byte{byte('a' + i)})
		all = append(all, b)
	}
	var wg sync.WaitGroup
	var won atomic.Int32
	for _, b := range all {
		wg.Go(func() {
			_, err := b.complete(func(in *s3.CompleteMultipartUploadInput) { in.IfNoneMatch = aws.String("*") })
			if err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	same(s, "winners", won.Load(), 1)
	for _, b := range all {
		_ = b.abort() // the winner's is gone
	}
}

func multipartRules(s *session) {
	s.sub("parts but the last have 5 MiB", func(s *session) {
		b := s.begin("a")
		b.add(noise(minPart - 1))
		b.add([]byte("end"))
		_, err := b.complete()
		s.fails(err, "EntityTooSmall")
		s.ok(b.abort())
	})
	s.sub("parts come in order", func(s *session) {
		b := s.begin("a")
		b.add(noise(minPart))
		b.add(noise(minPart))
		slices.Reverse(b.parts)
		_, err := b.complete()
		s.fails(err, "InvalidPartOrder")
		s.ok(b.abort())
	})
	s.sub("parts exist and have their ETag", func(s *session) {
		b := s.begin("a")
		b.add([]byte("x"))
		good := b.parts[0]
		b.parts[0].ETag = aws.String(`"00000000000000000000000000000000"`)
		_, err := b.complete()
		s.fails(err, "InvalidPart")
		b.parts = []types.CompletedPart{good, {PartNumber: aws.Int32(9), ETag: good.ETag}}
		_, err = b.complete()
		s.fails(err, "InvalidPart", "EntityTooSmall")
		s.absent("a")
		b.parts = []types.CompletedPart{good}
		_, err = b.complete()
		s.ok(err)
	})
	s.sub("part numbers end at 10,000", func(s *session) {
		b := s.begin("a")
		_, err := b.part(10_000, []byte("x"))
		s.ok(err)
		_, err = b.part(10_001, []byte("x"))
		s.fails(err, "InvalidArgument")
		s.status(err, http.StatusBadRequest)
		s.ok(b.abort())
	})
	s.sub("an unknown upload says so", func(s *session) {
		b := s.begin("a")
		s.ok(b.abort())
		if err := b.abort(); s.Features.AbortsTwice {
			s.ok(err)
		} else {
			s.fails(err, "NoSuchUpload")
		}
	})
}

func multipartChecksums(s *session) {
	crc := func(in *s3.CreateMultipartUploadInput) {
		in.ChecksumAlgorithm, in.ChecksumType = types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	}
	s.sub("the whole object's CRC64NVME is checked", func(s *session) {
		b := s.begin("a", crc)
		b.add(noise(minPart))
		b.add(noise(123_457))
		whole := sum(b.alg, b.body)
		_, err := b.complete(func(in *s3.CompleteMultipartUploadInput) { in.ChecksumCRC64NVME = aws.String(sum(b.alg, nil)) })
		s.fails(err, s.Features.BadSumCode)
		s.absent("a")
		if !s.Features.IgnoresSize {
			_, err = b.complete(func(in *s3.CompleteMultipartUploadInput) { in.MpuObjectSize = aws.Int64(int64(len(b.body)) - 1) })
			s.fails(err, "InvalidRequest")
		}
		out, err := b.complete(func(in *s3.CompleteMultipartUploadInput) {
			in.ChecksumCRC64NVME, in.ChecksumType, in.MpuObjectSize = &whole, types.ChecksumTypeFullObject, aws.Int64(int64(len(b.body)))
		})
		s.ok(err)
		same(s, "answered", aws.ToString(out.ChecksumCRC64NVME), whole)
		head, err := s.head("a", withSums)
		s.ok(err)
		same(s, "kept", told(head, b.alg), whole)
		same(s, "type", head.ChecksumType, types.ChecksumTypeFullObject)
	})
	s.sub("SHA256 is of the parts", compositeSHA256)
	s.sub("a wrong one of a part is refused", func(s *session) {
		b := s.begin("a", crc)
		wrong := sum(b.alg, []byte("other"))
		_, err := s.c.UploadPart(s.ctx, &s3.UploadPartInput{
			Bucket: &s.Bucket, Key: b.key, UploadId: b.id, PartNumber: aws.Int32(1), Body: strings.NewReader("x"), ChecksumCRC64NVME: &wrong,
		})
		s.fails(err, s.Features.BadSumCode)
		s.ok(b.abort())
	})
	s.sub("a part with another algorithm is refused", func(s *session) {
		b := s.begin("a", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256 })
		b.alg = types.ChecksumAlgorithmCrc32
		_, err := b.part(1, []byte("x"))
		s.fails(err, s.Features.OtherSumCode)
		s.ok(b.abort())
	})
}

func compositeSHA256(s *session) {
	b := s.begin("a", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256 })
	b.add(noise(minPart))
	b.add([]byte("end"))
	_, err := b.complete()
	s.ok(err)
	h := newHash(b.alg)
	for _, part := range [][]byte{b.body[:minPart], b.body[minPart:]} {
		one := newHash(b.alg)
		one.Write(part)
		h.Write(one.Sum(nil))
	}
	head, err := s.head("a", withSums)
	s.ok(err)
	same(s, "checksum", told(head, b.alg), base64Of(h.Sum(nil))+"-2")
	same(s, "type", head.ChecksumType, types.ChecksumTypeComposite)
	s.holds("a", b.body)
}
