package s3server

import (
	"crypto/sha1" // one of the checksums that S3 offers; guards nothing secret
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"math/bits"
	"net/http"
	"strings"

	"github.com/minio/crc64nvme"
)

// algorithm is one of S3's checksum algorithms, by the name that XML and headers use.
type algorithm string

const (
	algCRC32     algorithm = "CRC32"
	algCRC32C    algorithm = "CRC32C"
	algCRC64NVME algorithm = "CRC64NVME"
	algSHA1      algorithm = "SHA1"
	algSHA256    algorithm = "SHA256"
)

// How an object's checksum covers its parts.
const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

func algorithms() []algorithm {
	return []algorithm{algCRC32, algCRC32C, algCRC64NVME, algSHA1, algSHA256}
}

func parseAlgorithm(name string) (algorithm, error) {
	for _, a := range algorithms() {
		if strings.EqualFold(name, string(a)) {
			return a, nil
		}
	}
	return "", invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
}

// header is the header, and trailer, that carries the checksum.
func (a algorithm) header() string {
	return http.CanonicalHeaderKey("x-amz-checksum-" + strings.ToLower(string(a)))
}

func (a algorithm) isCRC() bool { return a == algCRC32 || a == algCRC32C || a == algCRC64NVME }

func (a algorithm) hash() hash.Hash {
	switch a {
	case algCRC32:
		return crc32.NewIEEE()
	case algCRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case algCRC64NVME:
		return crc64nvme.New()
	case algSHA1:
		return sha1.New()
	default: // algSHA256
		return sha256.New()
	}
}

// valid reports whether value has the form of such a checksum.
func (a algorithm) valid(value string) bool {
	raw, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(raw) == a.hash().Size()
}

// checksumType checks the type asked for, or gives the algorithm's own default.
func (a algorithm) checksumType(asked string) (string, error) {
	switch {
	case asked == "" && a == algCRC64NVME:
		return fullObject, nil
	case asked == "":
		return composite, nil
	case asked == fullObject && a.isCRC(), asked == composite && a != algCRC64NVME:
		return asked, nil
	}
	return "", invalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", asked, strings.ToLower(string(a)))
}

// compositeSum is the checksum of the parts' checksums, with the number of parts.
func (a algorithm) compositeSum(parts []string) (string, error) {
	h := a.hash()
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p)
		if err != nil {
			return "", fmt.Errorf("s3server: combine checksums: %w", err)
		}
		h.Write(raw)
	}
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts)), nil
}

// combine is the CRC of a then b, from their CRCs and b's length, without reading either again.
func (a algorithm) combine(crcA, crcB string, lenB int64) (string, error) {
	rawA, errA := base64.StdEncoding.DecodeString(crcA)
	rawB, errB := base64.StdEncoding.DecodeString(crcB)
	if errA != nil || errB != nil || len(rawA) != a.hash().Size() || len(rawB) != len(rawA) {
		return "", fmt.Errorf("s3server: combine checksums: malformed %s", a)
	}
	var out []byte
	switch a {
	case algCRC64NVME:
		const reversedNVME = 0x9a6c9329ac4bc9b5
		sum := shiftCRC(binary.BigEndian.Uint64(rawA), lenB, reversedNVME) ^ binary.BigEndian.Uint64(rawB)
		out = binary.BigEndian.AppendUint64(nil, sum)
	case algCRC32, algCRC32C:
		poly := uint64(crc32.IEEE)
		if a == algCRC32C {
			poly = crc32.Castagnoli
		}
		sum := shiftCRC(uint64(binary.BigEndian.Uint32(rawA)), lenB, poly) ^ uint64(binary.BigEndian.Uint32(rawB))
		out = binary.BigEndian.AppendUint32(nil, uint32(sum))
	default:
		return "", fmt.Errorf("s3server: combine checksums: %s is not a CRC", a)
	}
	return base64.StdEncoding.EncodeToString(out), nil
}

// shiftCRC advances a reflected CRC register over n zero bytes, in log(n) squarings of the matrix
// that advances it by one bit. Column i of a matrix is the image of bit i.
func shiftCRC(crc uint64, n int64, poly uint64) uint64 {
	var step [64]uint64
	step[0] = poly
	for i := 1; i < 64; i++ {
		step[i] = 1 << (i - 1)
	}
	for range 3 { // from one bit to one byte
		step = squareMatrix(&step)
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			crc = timesMatrix(&step, crc)
		}
		step = squareMatrix(&step)
	}
	return crc
}

func timesMatrix(m *[64]uint64, v uint64) (out uint64) {
	for ; v != 0; v &= v - 1 {
		out ^= m[bits.TrailingZeros64(v)]
	}
	return out
}

func squareMatrix(m *[64]uint64) (out [64]uint64) {
	for i := range m {
		out[i] = timesMatrix(m, m[i])
	}
	return out
}
