package s3

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// verdict is what an answer means for the run: exit code, sentinel and remedy.
type verdict struct {
	code     fault.Code
	sentinel error
	remedy   string
}

// classify reads err by the store's code ("Error responses" in the Amazon S3 API reference, and
// MinIO's), then by HTTP status, then as a failure of the network.
func (b *Bucket) classify(err error) verdict {
	if v, ok := b.byPlace(err); ok {
		return v
	}
	if v, ok := b.byOwner(err); ok {
		return v
	}
	if v, ok := byCredentials(err); ok {
		return v
	}
	if v, ok := byParts(err); ok {
		return v
	}
	if v, ok := b.byCode(codeOf(err)); ok {
		return v
	}
	if v, ok := byStatus(statusOf(err)); ok {
		return v
	}
	switch {
	case errors.Is(err, errDifferent):
		return verdict{code: fault.Integrity, remedy: "Check the network, the proxy and the store, then run again."}
	case badTLS(err):
		return verdict{code: fault.Unavailable, remedy: certificateRemedy(err)}
	case unanswered(err):
		return verdict{code: fault.Unavailable, remedy: networkRemedy(err)}
	}
	return verdict{code: fault.Failed}
}

func (b *Bucket) byCode(code string) (verdict, bool) {
	switch code {
	case "NoSuchBucket":
		return verdict{
			code: fault.NotFound, sentinel: ErrNotFound,
			remedy: "Check the name of the bucket, " + visible(b.opts.Bucket) + ", or create it.",
		}, true
	case "NoSuchKey", "NotFound", "NoSuchVersion":
		return verdict{code: fault.NotFound, sentinel: ErrNotFound, remedy: "Check the name with `pgbtui list`."}, true
	case "NoSuchUpload":
		return verdict{code: fault.Failed, remedy: "Run again: somebody else aborted this upload."}, true
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "StorageFull":
		return verdict{code: fault.NoSpace, remedy: "Free space in the store, or raise its quota."}, true
	case "SlowDown", "RequestLimitExceeded", "TooManyRequests", "Throttling", "ThrottlingException", "SlowDownRead",
		"SlowDownWrite":
		return verdict{code: fault.Temporary, remedy: "Retry later: the store asks for fewer requests."}, true
	case "ConditionalRequestConflict", "OperationAborted":
		return verdict{code: fault.Temporary, remedy: "Retry later: another write of the same key is under way."}, true
	case "PreconditionFailed":
		return verdict{code: fault.Integrity, sentinel: ErrChanged, remedy: "Find out who else writes this key."}, true
	case "InvalidObjectState":
		return verdict{
			code: fault.Refused, sentinel: ErrArchived, remedy: "Thaw the set with `pgbtui thaw ID`, wait, then retry.",
		}, true
	case "InvalidRange":
		return verdict{code: fault.Integrity, remedy: "Verify the set: the object is shorter than it should be."}, true
	case "InvalidStorageClass":
		return verdict{code: fault.Config, remedy: "Set s3.storage_class to one that the store knows, or remove it."}, true
	case "InvalidBucketName":
		return verdict{code: fault.Config, remedy: "Correct the bucket's name."}, true
	case "BadRequest":
		return verdict{
			code:   fault.Unavailable,
			remedy: "Check the endpoint, and the proxies on the way to it: the request was not understood.",
		}, true
	case "EntityTooLarge":
		return verdict{code: fault.Failed, remedy: "Use a store that allows objects and parts of this size."}, true
	}
	if slices.Contains(damagedInTransit(), code) {
		return verdict{
			code:   fault.Integrity,
			remedy: "Check the network, the proxy and this host's memory: bytes change on the way to the store.",
		}, true
	}
	return verdict{}, false
}

// byCredentials covers everything that another key, policy or clock would fix.
func byCredentials(err error) (verdict, bool) {
	no := func(remedy string) (verdict, bool) { return verdict{code: fault.NotPermitted, remedy: remedy}, true }
	switch codeOf(err) {
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden":
		return no("Grant the identity this action on the bucket (IAM policy, bucket policy, KMS key policy).")
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return no("Log in again, or write a new token where the credentials are read from: they have expired. An " +
			"instance role renews itself.")
	case "InvalidAccessKeyId", "InvalidToken", "UnrecognizedClientException", "NotSignedUp":
		return no("Check which credentials are used: the store does not know this access key.")
	case "SignatureDoesNotMatch":
		return no("Check the secret key, and that no proxy rewrites the request.")
	case "RequestTimeTooSkewed", "RequestExpired":
		return no("Set this host's clock (timedatectl status): it differs from the store's.")
	case "":
		if strings.Contains(err.Error(), "get identity") {
			return no("Set s3.credentials_file, AWS_* variables or an instance role: no AWS credentials were found.")
		}
	}
	return verdict{}, false
}

// byPlace recognises a bucket that lives in another region.
func (b *Bucket) byPlace(err error) (verdict, bool) {
	status := statusOf(err)
	region := headerOf(err, "x-amz-bucket-region")
	switch codeOf(err) {
	case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
		"InvalidRegionName": // Cloudflare R2, whose region is auto
	default:
		if status != http.StatusMovedPermanently && (status != http.StatusBadRequest || region == "" || region == b.region) {
			return verdict{}, false
		}
	}
	remedy := "Set s3.region or AWS_REGION to the bucket's: it is not in region " + b.region + "."
	if region != "" && region != b.region {
		remedy = "Set s3.region or AWS_REGION: the bucket is in region " + visible(region) + ", not " + b.region + "."
	}
	return verdict{code: fault.Config, remedy: remedy}, true
}

func byStatus(status int) (verdict, bool) {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return verdict{code: fault.NotPermitted, remedy: "Check which credentials are used and what they may do."}, true
	case status == http.StatusNotFound:
		return verdict{code: fault.NotFound, sentinel: ErrNotFound, remedy: "Check the bucket and the key."}, true
	case status == http.StatusPreconditionFailed:
		return verdict{code: fault.Integrity, sentinel: ErrChanged, remedy: "Find out who else writes this key."}, true
	case status == http.StatusInsufficientStorage:
		return verdict{code: fault.NoSpace, remedy: "Free space in the store, or raise its quota."}, true
	case status == http.StatusTooManyRequests:
		return verdict{code: fault.Temporary, remedy: "Retry later: the store asks for fewer requests."}, true
	case status == http.StatusNotImplemented:
		return verdict{code: fault.Failed, remedy: "Use a store that supports this request."}, true
	case status >= 500:
		return verdict{code: fault.Unavailable, remedy: "Retry later: the store has a problem."}, true
	}
	return verdict{}, false
}

// unanswered reports whether no usable answer came back, so that a write may have happened or not.
func unanswered(err error) bool {
	if badTLS(err) {
		return false
	}
	var sent interface{ ConnectionError() bool }
	var timeout interface{ Timeout() bool }
	return errors.As(err, &sent) && sent.ConnectionError() ||
		errors.As(err, &timeout) && timeout.Timeout() ||
		cutShort(err)
}

// mayHaveHappened is unanswered, or a failure inside the store.
func mayHaveHappened(err error) bool {
	return unanswered(err) || statusOf(err) >= 500 && statusOf(err) != http.StatusNotImplemented
}
