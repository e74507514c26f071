package s3suite

// Features are the points where stores differ from S3, or S3 from itself. Each says what the store does;
// what no field allows, every store must do as S3 does.
type Features struct {
	Settings        bool   // remembers server-side encryption and storage class
	NestedKeys      bool   // holds both a and a/b
	AnyKey          bool   // control characters, "..", double slashes and 1,024 bytes without a slash in keys
	EncodesKeys     bool   // lists keys percent-encoded when asked (encoding-type=url)
	UploadPaging    bool   // goes on listing uploads at the NextUploadIdMarker that it gave
	CompletesTwice  bool   // a repeated CompleteMultipartUpload answers as the first did, not NoSuchUpload
	VersionPaging   bool   // goes on listing versions at the NextVersionIdMarker that it gave
	MarkerIsAbsent  bool   // If-None-Match holds over a delete marker
	NullMarkers     bool   // tells the delete marker "null" from the versions below it
	TellsDefault    bool   // HEAD tells of a retention that the bucket's default gave
	LockNeedsSum    bool   // refuses to lock what comes without a checksum
	Archives        bool   // has archive classes
	Lifecycle       bool   // keeps lifecycle rules
	LifecycleAtOnce bool   // does what rules say when it is due, not within days
	BucketSettings  bool   // keeps default encryption and public access block
	UploadsByKey    bool   // lists open uploads by a whole key only, not by what keys begin with
	AbortsTwice     bool   // a repeated AbortMultipartUpload answers as the first did, not NoSuchUpload
	IgnoresSize     bool   // completes an upload that is not as long as it says (MpuObjectSize)
	AnyRegion       bool   // takes a signature for whatever region
	UnknownKeyCode  string // the error for an access key that nobody has
	BadSumCode      string // the error for a body with another checksum than its own
	OtherSumCode    string // the error for a part with another kind of checksum than its upload's
	LockedCode      string // the error for what a lock forbids
}

// Ours is what the server of this repository does: S3's own answers.
func Ours() Features {
	return Features{
		Settings: true, NestedKeys: true, AnyKey: true, EncodesKeys: true, UploadPaging: true, VersionPaging: true,
		MarkerIsAbsent: true, NullMarkers: true, TellsDefault: true, LockNeedsSum: true, Archives: true,
		Lifecycle: true, LifecycleAtOnce: true, BucketSettings: true,
		UnknownKeyCode: "InvalidAccessKeyId", BadSumCode: "BadDigest", OtherSumCode: "InvalidRequest", LockedCode: "AccessDenied",
	}
}

// Versity is what versitygw 1.8 does on a POSIX folder, where keys are paths.
func Versity() Features {
	return Features{
		CompletesTwice: true, UnknownKeyCode: "XAdminUserNotFound",
		BadSumCode: "BadDigest", OtherSumCode: "InvalidRequest", LockedCode: "AccessDenied",
	}
}

// MinIO is what MinIO of February 2026 does on a folder. Of storage classes it knows its own names only, and of
// lifecycle rules those that lead to a tier which was set up before.
func MinIO() Features {
	return Features{
		EncodesKeys: true, UploadsByKey: true, AbortsTwice: true, IgnoresSize: true, AnyRegion: true,
		UnknownKeyCode: "InvalidAccessKeyId", BadSumCode: "XAmzContentChecksumMismatch",
		OtherSumCode: "InvalidArgument", LockedCode: "InvalidRequest",
	}
}
