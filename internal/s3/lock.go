package s3

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Object lock ("Locking objects with Object Lock" in the S3 user guide): a version under a retention
// cannot be deleted or overwritten before its end. Deleting its key only hides it.

// LockMode is how strict a retention is.
type LockMode string

// The modes. Governance can be lifted by whoever has s3:BypassGovernanceRetention, compliance by nobody.
const (
	LockGovernance LockMode = "governance"
	LockCompliance LockMode = "compliance"
)

// Lock is a retention that a write asks for. The zero Lock asks for none: then the bucket's default holds.
type Lock struct {
	Mode  LockMode
	Until time.Time
}

// ErrNoObjectLock is in the chain when a retention was asked of a bucket that has no object lock.
var ErrNoObjectLock = errors.New("the bucket has no object lock")

// headers are the two fields of a request.
func (l Lock) headers() (types.ObjectLockMode, *time.Time) {
	if l.Mode == "" {
		return "", nil
	}
	return types.ObjectLockMode(strings.ToUpper(string(l.Mode))), &l.Until
}

func lockMode(word string) LockMode { return LockMode(strings.ToLower(word)) }

// lockRefused is what a store means that turned down the retention itself.
func lockRefused(err error) (verdict, bool) {
	if status := statusOf(err); status != http.StatusBadRequest && status != http.StatusNotImplemented {
		return verdict{}, false
	}
	switch {
	case says(err, "retain until"):
		return verdict{
			code: fault.NotPermitted, sentinel: errRetainUntil, remedy: "Set this host's clock (timedatectl status).",
		}, true
	case says(err, "object lock configuration", "object-lock", "objectlock"):
		return noObjectLock(), true
	}
	return verdict{}, false
}

func noObjectLock() verdict {
	return verdict{
		code: fault.Config, sentinel: ErrNoObjectLock,
		remedy: "Turn object lock on for the bucket (it needs versioning), or remove s3.object_lock.",
	}
}

var errRetainUntil = errors.New("the store says that the end of the retention is past already")
