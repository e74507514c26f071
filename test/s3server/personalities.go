package s3server

import (
	"net/http"
	"time"
)

// Personality is a store by its habits, as far as its maker or its users tell of them, and no more: it is this
// server all the same. What nobody tells of is as on Amazon S3.
type Personality struct {
	Name    string
	Title   string // as people call the store
	Source  string // where the habits are told, and as of when
	Region  string // what a client signs for
	SSENone bool   // s3.sse: none is needed there
	Habits  Habits
}

// Personalities are those that the program is tried with.
func Personalities() []Personality {
	return []Personality{
		cloudflare(), backblaze(), ceph(), hetzner(), wasabi(), scaleway(), minio2022(), minio2023(), gateway(), clockOff(),
	}
}

// PersonalityNamed is one of them.
func PersonalityNamed(name string) (Personality, bool) {
	for _, p := range Personalities() {
		if p.Name == name {
			return p, true
		}
	}
	return Personality{}, false
}

// WithPersonality makes the server behave as a store of another make.
func WithPersonality(p Personality) Option { return With(p.Apply) }

// Apply makes the options those of a server that behaves so.
func (p Personality) Apply(o *Options) {
	o.Habits = p.Habits
	if p.Region != "" {
		o.Region = p.Region
	}
}

// unimplemented are calls that a store does not have.
func unimplemented(ops ...Op) []Refusal {
	var refused []Refusal
	for _, op := range ops {
		refused = append(refused, Refusal{
			Op: op, Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This operation is not implemented.",
		})
	}
	return refused
}

// namedHeader is a header that a store refuses by name.
func namedHeader(name string) Refusal {
	return Refusal{
		Header: name, Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: "Header 'HEADER' is not implemented",
	}
}

// noConditions refuse conditional writes without a word about which header is meant.
func noConditions() []Refusal {
	var refused []Refusal
	for _, op := range []Op{OpPutObject, OpCompleteMultipart, OpDeleteObject} {
		for _, header := range []string{"if-none-match", "if-match"} {
			refused = append(refused, Refusal{
				Op: op, Header: header, Status: http.StatusNotImplemented, Code: "NotImplemented",
				Message: "A header you provided implies functionality that is not implemented",
			})
		}
	}
	return refused
}

// trailing is a body whose checksum comes behind it, which older stores take for a part of the body.
func trailing() Refusal {
	return Refusal{
		Header: "x-amz-content-sha256", Value: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
		Status: http.StatusBadRequest, Code: "XAmzContentSHA256Mismatch",
	}
}

func checksumHeaders() []string {
	return []string{"x-amz-checksum-*", "x-amz-sdk-checksum-*", "x-amz-trailer"}
}

func cloudflare() Personality {
	return Personality{
		Name: "r2", Title: "Cloudflare R2",
		Source: "developers.cloudflare.com/r2/api/s3/api and /r2/objects/multipart-objects, 2025 to 2026",
		Region: "auto", SSENone: true,
		Habits: Habits{
			Regions: []string{"us-east-1"}, EqualParts: true,
			Refuses: append(unimplemented(OpGetBucketVersioning, OpGetObjectLock, OpListObjectVersions,
				OpGetObjectRetention, OpPutObjectRetention, OpGetObjectLegalHold, OpPutObjectLegalHold),
				namedHeader("x-amz-server-side-encryption"), namedHeader("x-amz-server-side-encryption-aws-*"),
				namedHeader("x-amz-object-lock-*"), namedHeader("x-amz-expected-bucket-owner")),
		},
	}
}

func backblaze() Personality {
	refuses := append(noConditions(), trailing())
	for _, name := range checksumHeaders() {
		refuses = append(refuses, Refusal{
			Header: name, Status: http.StatusBadRequest, Code: "InvalidArgument",
			Message: "Unsupported header 'HEADER' received for this API call.",
		})
	}
	return Personality{
		Name: "b2", Title: "Backblaze B2",
		Source: "backblaze.com/docs/cloud-storage-s3-compatible-api, 2025; answers as its users quoted them, 2024 to 2026",
		Region: "eu-central-003", Habits: Habits{Refuses: refuses, NoSums: true, Hides: checksumHeaders()},
	}
}

func ceph() Personality {
	return Personality{
		Name: "ceph", Title: "Ceph RGW up to 18 (Reef)",
		Source: "docs.ceph.com/en/tentacle/radosgw/s3; CRC64NVME came in February 2025 (ceph pull request 61878)",
		Region: "default", Habits: rgw(),
	}
}

// rgw keeps no checksums, says no words, and takes its time for the lists of a large bucket.
func rgw() Habits {
	return Habits{
		Ignores: checksumHeaders(), Hides: checksumHeaders(), NoSums: true, NoWords: true, MissingIsFailed: true,
		Refuses: []Refusal{trailing()}, ListDelay: 20 * time.Millisecond,
	}
}

func hetzner() Personality {
	habits := rgw()
	habits.Refuses = append(habits.Refuses, Refusal{
		Header: "x-amz-server-side-encryption", Status: http.StatusBadRequest, Code: "InvalidEncryptionAlgorithmError",
	})
	return Personality{
		Name: "hetzner", Title: "Hetzner Object Storage",
		Source: "docs.hetzner.com/storage/object-storage/supported-actions, September 2024; it is a Ceph RGW",
		Region: "fsn1", SSENone: true, Habits: habits,
	}
}

func wasabi() Personality {
	return Personality{
		Name: "wasabi", Title: "Wasabi",
		Source: "docs.wasabi.com/docs/rest-api-introduction, 2025; it has no word on conditional writes, " +
			"so that they are taken for ignored",
		Region: "eu-central-1",
		Habits: Habits{
			Ignores: append(checksumHeaders(), "if-none-match", "if-match"), Hides: checksumHeaders(), NoSums: true,
			Refuses: []Refusal{trailing()},
		},
	}
}

func scaleway() Personality {
	return Personality{
		Name: "scaleway", Title: "Scaleway Object Storage",
		Source: "scaleway.com/en/docs/object-storage/api-cli/multipart-uploads, 2025",
		Region: "nl-ams", Habits: Habits{MaxParts: 1000},
	}
}

func oldMinIO() Habits {
	unknown := Refusal{
		Value: "CRC64NVME", Status: http.StatusBadRequest, Code: "InvalidArgument", Message: "Invalid checksum provided.",
	}
	var refuses []Refusal
	for _, header := range []string{"x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm"} {
		unknown.Header = header
		refuses = append(refuses, unknown)
	}
	refuses = append(refuses, Refusal{
		Header: "x-amz-server-side-encryption", Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: "Server side encryption specified but KMS is not configured",
	})
	return Habits{Refuses: refuses, WholeKeyUploads: true, EmptiedStay: true}
}

func minio2022() Personality {
	habits := oldMinIO()
	habits.Refuses = append(habits.Refuses, trailing())
	habits.Ignores = []string{"if-none-match", "if-match"}
	return Personality{
		Name: "minio-2022", Title: "MinIO before February 2023",
		Source: "docs.min.io (list of uploads by the whole key), minio issue 17810 (emptied folders), " +
			"minio-go pull request 1772 (conditions); min.io on encryption (none without a KMS)",
		SSENone: true,
		Habits:  habits,
	}
}

func minio2023() Personality {
	habits := oldMinIO()
	habits.FailedCondition = http.StatusNotModified
	return Personality{
		Name: "minio-2023", Title: "MinIO of 2023 to April 2024",
		Source:  "as before, and minio issue 19442 (a condition that does not hold is answered with 304)",
		SSENone: true,
		Habits:  habits,
	}
}

func gateway() Personality {
	return Personality{
		Name: "gateway", Title: "a small gateway",
		Source: "no one product: calls that small S3 servers leave out",
		Habits: Habits{
			Refuses: append(noConditions(), unimplemented(OpListMultipartUploads, OpListParts, OpDeleteObjects,
				OpGetBucketVersioning, OpGetObjectLock, OpListObjectVersions, OpGetLifecycle)...),
			EmptiedStay: true,
		},
	}
}

func clockOff() Personality {
	return Personality{
		Name: "clock", Title: "a store whose clock is ten minutes slow",
		Source: "no one product: Amazon S3 takes requests up to fifteen minutes off",
		Habits: Habits{ClockOff: -10 * time.Minute},
	}
}
