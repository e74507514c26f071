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
		return verdict{fault.Integrity, nil, "check network, proxy and the store, then run again"}
	case badTLS(err):
		return verdict{fault.Unavailable, nil, certificateRemedy(err)}
	case unanswered(err):
		return verdict{fault.Unavailable, nil, networkRemedy(err)}
	}
	return verdict{fault.Failed, nil, ""}
}

func (b *Bucket) byCode(code string) (verdict, bool) {
	switch code {
	case "NoSuchBucket":
		return verdict{fault.NotFound, ErrNotFound, "check the name of the bucket, " + visible(b.opts.Bucket) + ", or create it"}, true
	case "NoSuchKey", "NotFound", "NoSuchVersion":
		return verdict{fault.NotFound, ErrNotFound, "check the name with `pgbtui list`"}, true
	case "NoSuchUpload":
		return verdict{fault.Failed, nil, "the upload was aborted from outside; run again"}, true
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "StorageFull":
		return verdict{fault.NoSpace, nil, "make room in the store or raise its quota"}, true
	case "SlowDown", "RequestLimitExceeded", "TooManyRequests", "Throttling", "ThrottlingException", "SlowDownRead", "SlowDownWrite":
		return verdict{fault.Temporary, nil, "the store asks to slow down; retry later"}, true
	case "ConditionalRequestConflict", "OperationAborted":
		return verdict{fault.Temporary, nil, "another write of the same key is under way; retry later"}, true
	case "PreconditionFailed":
		return verdict{fault.Integrity, ErrChanged, "somebody else wrote this key; look who"}, true
	case "InvalidObjectState":
		return verdict{fault.Refused, ErrArchived, "thaw it with `aws s3api restore-object`, wait, then retry"}, true
	case "InvalidRange":
		return verdict{fault.Integrity, nil, "the object is shorter than it should be; verify the set"}, true
	case "InvalidStorageClass":
		return verdict{fault.Config, nil, "set s3.storage_class to one that the store knows, or remove it"}, true
	case "InvalidBucketName":
		return verdict{fault.Config, nil, "correct the bucket's name"}, true
	case "BadRequest":
		return verdict{fault.Unavailable, nil, "the request was not understood: check the endpoint, and the proxies on the way to it"}, true
	case "EntityTooLarge":
		return verdict{fault.Failed, nil, "the store allows no object or part of this size"}, true
	}
	if slices.Contains(damagedInTransit(), code) {
		return verdict{fault.Integrity, nil, "bytes are changed on the way to the store; check network, proxy and memory"}, true
	}
	return verdict{}, false
}

// byCredentials covers everything that a different key, policy or clock would mend.
func byCredentials(err error) (verdict, bool) {
	no := func(remedy string) (verdict, bool) { return verdict{fault.NotPermitted, nil, remedy}, true }
	switch codeOf(err) {
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden":
		return no("grant the identity this action on the bucket (IAM policy, bucket policy, KMS key policy)")
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return no("the session credentials have expired: log in again or write a new token where they are read from; an instance role renews itself")
	case "InvalidAccessKeyId", "InvalidToken", "UnrecognizedClientException", "NotSignedUp":
		return no("the store does not know this access key; check which credentials are used")
	case "SignatureDoesNotMatch":
		return no("check the secret key, and that no proxy rewrites the request")
	case "RequestTimeTooSkewed", "RequestExpired":
		return no("this host's clock differs from the store's; set it (timedatectl status)")
	case "":
		if strings.Contains(err.Error(), "get identity") {
			return no("no AWS credentials were found: set s3.credentials_file, AWS_* variables or an instance role")
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
	remedy := "the bucket is not in region " + b.region + "; set s3.region or AWS_REGION to the bucket's"
	if region != "" && region != b.region {
		remedy = "the bucket is in region " + visible(region) + ", not " + b.region + ": set s3.region or AWS_REGION"
	}
	return verdict{fault.Config, nil, remedy}, true
}

func byStatus(status int) (verdict, bool) {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return verdict{fault.NotPermitted, nil, "check which credentials are used and what they may do"}, true
	case status == http.StatusNotFound:
		return verdict{fault.NotFound, ErrNotFound, "check bucket and key"}, true
	case status == http.StatusPreconditionFailed:
		return verdict{fault.Integrity, ErrChanged, "somebody else wrote this key; look who"}, true
	case status == http.StatusInsufficientStorage:
		return verdict{fault.NoSpace, nil, "make room in the store or raise its quota"}, true
	case status == http.StatusTooManyRequests:
		return verdict{fault.Temporary, nil, "the store asks to slow down; retry later"}, true
	case status == http.StatusNotImplemented:
		return verdict{fault.Failed, nil, "the store does not support what was asked of it"}, true
	case status >= 500:
		return verdict{fault.Unavailable, nil, "the store is in trouble; retry later"}, true
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
