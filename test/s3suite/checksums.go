package s3suite

import (
	"bytes"
	"crypto/md5"  // Content-MD5 is MD5
	"crypto/sha1" // one of S3's checksums
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"
)

func newHash(a types.ChecksumAlgorithm) hash.Hash {
	switch a {
	case types.ChecksumAlgorithmCrc32:
		return crc32.NewIEEE()
	case types.ChecksumAlgorithmCrc32c:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case types.ChecksumAlgorithmCrc64nvme:
		return crc64nvme.New()
	case types.ChecksumAlgorithmSha1:
		return sha1.New()
	}
	return sha256.New()
}

func sum(a types.ChecksumAlgorithm, body []byte) string {
	h := newHash(a)
	h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func checksumAlgorithms() []types.ChecksumAlgorithm {
	return []types.ChecksumAlgorithm{
		types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme,
		types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256,
	}
}

// claim sets the one checksum field of a put.
func claim(in *s3.PutObjectInput, a types.ChecksumAlgorithm, value string) {
	*map[types.ChecksumAlgorithm]**string{
		types.ChecksumAlgorithmCrc32: &in.ChecksumCRC32, types.ChecksumAlgorithmCrc32c: &in.ChecksumCRC32C,
		types.ChecksumAlgorithmCrc64nvme: &in.ChecksumCRC64NVME, types.ChecksumAlgorithmSha1: &in.ChecksumSHA1,
		types.ChecksumAlgorithmSha256: &in.ChecksumSHA256,
	}[a] = &value
}

// told is the one checksum field of a HEAD.
func told(out *s3.HeadObjectOutput, a types.ChecksumAlgorithm) string {
	return aws.ToString(map[types.ChecksumAlgorithm]*string{
		types.ChecksumAlgorithmCrc32: out.ChecksumCRC32, types.ChecksumAlgorithmCrc32c: out.ChecksumCRC32C,
		types.ChecksumAlgorithmCrc64nvme: out.ChecksumCRC64NVME, types.ChecksumAlgorithmSha1: out.ChecksumSHA1,
		types.ChecksumAlgorithmSha256: out.ChecksumSHA256,
	}[a])
}

func withSums(in *s3.HeadObjectInput) { in.ChecksumMode = types.ChecksumModeEnabled }

func checksums(s *session) {
	for _, a := range checksumAlgorithms() {
		s.sub(string(a)+" is checked and kept", func(s *session) { keepsChecksum(s, a) })
		if strings.HasPrefix(s.Endpoint, "https:") { // over which alone the SDK sends trailers
			s.sub(string(a)+" in a trailer", func(s *session) { takesTrailer(s, a) })
		}
	}
	s.sub("of MD5 are checked", func(s *session) {
		body := []byte("some bytes")
		right := md5.Sum(body)
		for value, good := range map[string]bool{
			base64.StdEncoding.EncodeToString(right[:]): true, base64.StdEncoding.EncodeToString(make([]byte, 16)): false,
		} {
			_, err := s.put("a", body, func(in *s3.PutObjectInput) { in.ContentMD5 = &value })
			if good {
				s.ok(err)
			} else {
				s.fails(err, "BadDigest")
			}
		}
	})
	s.sub("of the signed payload are checked", signedPayload)
}

func keepsChecksum(s *session, a types.ChecksumAlgorithm) {
	body := noise(70_000)
	_, err := s.put("wrong", body, func(in *s3.PutObjectInput) { claim(in, a, sum(a, []byte("other"))) })
	s.fails(err, s.Features.BadSumCode)
	s.absent("wrong")
	_, err = s.put("right", body, func(in *s3.PutObjectInput) { claim(in, a, sum(a, body)) })
	s.ok(err)
	head, err := s.head("right", withSums)
	s.ok(err)
	same(s, "checksum", told(head, a), sum(a, body))
	same(s, "type", head.ChecksumType, types.ChecksumTypeFullObject)
	head, err = s.head("right")
	s.ok(err)
	same(s, "checksum that nobody asked for", told(head, a), "")
	s.holds("right", body)
}

// takesTrailer sends a body that cannot be read twice, so that the SDK puts its checksum behind it.
func takesTrailer(s *session, a types.ChecksumAlgorithm) {
	for _, size := range []int{0, 1, 65_536, 300_001} {
		body := noise(size)
		_, err := s.put("a", nil, func(in *s3.PutObjectInput) {
			in.Body, in.ContentLength, in.ChecksumAlgorithm = io.NopCloser(bytes.NewReader(body)), aws.Int64(int64(size)), a
		})
		s.ok(err)
		s.holds("a", body)
		head, err := s.head("a", withSums)
		s.ok(err)
		same(s, "checksum", told(head, a), sum(a, body))
	}
}

// signedPayload sends other bytes than those whose hash was signed.
func signedPayload(s *session) {
	for sent, want := range map[string]int{"the right bytes": http.StatusOK, "the wrong bytes": http.StatusBadRequest} {
		signed := sha256.Sum256([]byte("the right bytes"))
		request, err := http.NewRequestWithContext(s.ctx, http.MethodPut, s.Endpoint+"/"+s.Bucket+"/"+s.prefix+"a", strings.NewReader(sent))
		s.ok(err)
		s.answers(request, signed[:], want)
	}
}

// answers signs a raw request with a payload hash and wants a status.
func (s *session) answers(request *http.Request, payload []byte, want int) {
	s.Helper()
	hash := hexOf(payload)
	request.Header.Set("X-Amz-Content-Sha256", hash)
	creds := aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}
	s.ok(v4.NewSigner().SignHTTP(s.ctx, creds, request, hash, "s3", s.Region, now()))
	answer, err := s.http().Do(request)
	s.ok(err)
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != want {
		s.Errorf("want status %d, got %d: %s", want, answer.StatusCode, text)
	}
}
