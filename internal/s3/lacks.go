package s3

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/smithy-go"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What other stores lack of Amazon S3 (docs/stores.md) is learned from their refusals, and remembered for as long
// as the Bucket lives, so that each costs one request. Rules: only what a store takes without is learned from;
// a refusal without a word, as Ceph's, may mean anything that the request had, so that it is tried without.

// ErrUploadsUnlisted is in the chain when the store has no list of unfinished uploads.
var ErrUploadsUnlisted = errors.New("the store cannot list unfinished uploads")

// lacks is what was learned.
type lacks struct {
	checksums atomic.Bool // refuses whatever is named x-amz-checksum-…
	batches   atomic.Bool // deletes one key a request
	deletesIf atomic.Bool // has no conditions on deletions
	denies    atomic.Bool // its policy denies deletions on conditions, too
}

// checksumRefused reports whether the store may have refused CRC64NVME, as opposed to a body that did not match
// it. It is for requests that can be repeated without.
func checksumRefused(err error) bool {
	status := statusOf(err)
	if status != http.StatusBadRequest && status != http.StatusNotImplemented ||
		slices.Contains(damagedInTransit(), codeOf(err)) {
		return false
	}
	return says(err, "checksum") || refusedAHeader(err)
}

// refusedAHeader reports whether the store refused something that the request had, and did not say what.
func refusedAHeader(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "NotImplemented":
		return !strings.Contains(strings.ToLower(api.ErrorMessage()), "x-amz-")
	case "InvalidArgument", "InvalidRequest":
		return slices.Contains([]string{"", "UnknownError", api.ErrorCode()}, api.ErrorMessage())
	}
	return false
}

// conditionFailedBy reports whether a write was turned down since its condition does not hold: MinIO of 2023 says 304
// where the others say 412.
func conditionFailedBy(err error) bool {
	status := statusOf(err)
	return status == http.StatusPreconditionFailed || status == http.StatusNotModified
}

// byParts recognises stores that take fewer parts, or parts of one size only.
func byParts(err error) (verdict, bool) {
	status := statusOf(err)
	switch {
	case status == http.StatusBadRequest && says(err, "part number"):
		return verdict{
			code: fault.Config, remedy: "Set s3.max_parts to the number of parts that the store allows, for example 1000.",
		}, true
	case status == http.StatusBadRequest && says(err, "must have the same length", "same size"):
		return verdict{code: fault.Config, remedy: "Set s3.equal_parts: true, since the store wants parts of one size."}, true
	}
	return verdict{}, false
}
