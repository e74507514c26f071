package s3

import (
	"crypto/md5" //nolint:gosec // see md5Of
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"
)

// Metadata that every write carries. The token is random per write: by it alone a write whose
// answer was lost is told from an equal one by somebody else.
const (
	metaToken  = "pgbtui-write" //nolint:gosec // the name of a header; its value is no credential
	metaSHA256 = "sha256"
)

// Object is what the store says about a key. A list fills Key, Size, ETag, StorageClass,
// LastModified; a write leaves LastModified empty; Head and Get fill everything the store gives.
type Object struct {
	Key          string
	Size         int64 // bytes
	ETag         string
	VersionID    string // "" where the bucket has no versions
	SHA256       string // hex: computed when writing, else what the writer left in the metadata
	CRC64NVME    string // base64, of the whole object, as S3 writes it; "" if the store keeps none
	StorageClass string // "" is STANDARD
	SSE          string // as the store answered; "" = it did not say
	ContentType  string
	LastModified time.Time
	Metadata     map[string]string // lower-case keys

	Archived      bool      // cannot be read before a thaw
	Restoring     bool      // a thaw is under way
	RestoredUntil time.Time // a thawed copy is readable until then
	Expires       time.Time // a lifecycle rule deletes it then; zero = none
	RetainUntil   time.Time // object lock; zero = none, or the right to see it is missing
	LockMode      LockMode  // "" without RetainUntil
	LegalHold     bool
}

func objectFromHead(key string, out *s3.HeadObjectOutput) Object {
	o := Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag),
		VersionID: aws.ToString(out.VersionId), CRC64NVME: wholeChecksum(out.ChecksumCRC64NVME, out.ChecksumType),
		StorageClass: string(out.StorageClass), SSE: string(out.ServerSideEncryption),
		ContentType: aws.ToString(out.ContentType), LastModified: aws.ToTime(out.LastModified),
		Metadata: lowerKeys(out.Metadata), RetainUntil: aws.ToTime(out.ObjectLockRetainUntilDate),
		LockMode:  lockMode(string(out.ObjectLockMode)),
		LegalHold: out.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn,
	}
	o.SHA256 = o.Metadata[metaSHA256]
	o.Expires = expiryDate(aws.ToString(out.Expiration))
	o.thaw(aws.ToString(out.Restore), string(out.ArchiveStatus))
	return o
}

func objectFromGet(key string, out *s3.GetObjectOutput) Object {
	return objectFromHead(key, &s3.HeadObjectOutput{
		ContentLength: out.ContentLength, ETag: out.ETag, VersionId: out.VersionId,
		ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumType: out.ChecksumType,
		StorageClass: out.StorageClass, ServerSideEncryption: out.ServerSideEncryption,
		ContentType: out.ContentType, LastModified: out.LastModified, Metadata: out.Metadata,
		ObjectLockRetainUntilDate: out.ObjectLockRetainUntilDate, ObjectLockMode: out.ObjectLockMode,
		ObjectLockLegalHoldStatus: out.ObjectLockLegalHoldStatus,
		Expiration:                out.Expiration, Restore: out.Restore,
	})
}

// thaw reads x-amz-restore and x-amz-archive-status ("HeadObject" in the S3 API reference):
// `ongoing-request="true"` or `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`.
func (o *Object) thaw(restore, archive string) {
	cold := o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE" || archive != ""
	o.Restoring = strings.Contains(restore, `ongoing-request="true"`)
	o.RestoredUntil = expiryDate(restore)
	o.Archived = cold && o.RestoredUntil.IsZero()
}

// expiryDate is the expiry-date in a header such as `expiry-date="…", rule-id="…"`, or zero.
func expiryDate(header string) time.Time {
	_, rest, _ := strings.Cut(header, `expiry-date="`)
	date, _, _ := strings.Cut(rest, `"`)
	at, err := time.Parse(time.RFC1123, date)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// wholeChecksum drops a checksum of checksums ("…-12"), which says nothing without the parts.
func wholeChecksum(sum *string, kind types.ChecksumType) string {
	if kind == types.ChecksumTypeComposite || strings.Contains(aws.ToString(sum), "-") {
		return ""
	}
	return aws.ToString(sum)
}

func lowerKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}

// withToken is the caller's metadata and a fresh token; sha is left out when not yet known.
func withToken(m map[string]string, sha string) (meta map[string]string, token string) {
	meta = maps.Clone(m)
	if meta == nil {
		meta = map[string]string{}
	}
	token = rand.Text()
	meta[metaToken] = token
	if sha != "" {
		meta[metaSHA256] = sha
	}
	return meta, token
}

func crcOf(body []byte) string { return encodeCRC(crc64nvme.Checksum(body)) }

func encodeCRC(sum uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum))
}

// md5Of is Content-MD5, by which stores without CRC64NVME check a body. It guards no secret.
func md5Of(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // see above
	return base64.StdEncoding.EncodeToString(sum[:])
}

func shaOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// bytesOf and countOf are numbers of a store's answer that nothing makes negative: what is summed
// and compared with them elsewhere relies on that.
func bytesOf(n *int64) int64 { return max(0, aws.ToInt64(n)) }

func countOf(n *int32) int { return max(0, int(aws.ToInt32(n))) }
