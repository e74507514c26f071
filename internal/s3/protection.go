package s3

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Versioning is whether a bucket keeps what is overwritten or deleted.
type Versioning string

// The states of versioning.
const (
	VersioningOff       Versioning = "off" // never was on
	VersioningEnabled   Versioning = "enabled"
	VersioningSuspended Versioning = "suspended" // old versions stay, new ones replace each other
)

// Protection is what a bucket does by itself against loss.
type Protection struct {
	Versioning Versioning
	ObjectLock bool             // a retention may be asked for
	Default    DefaultRetention // what every new version gets; zero = none
}

// DefaultRetention is for so many days or years, one of them 0.
type DefaultRetention struct {
	Mode        LockMode
	Days, Years int
}

// Protection asks for versioning and object lock. A store that knows neither is one without.
func (b *Bucket) Protection(ctx context.Context) (Protection, error) {
	p := Protection{Versioning: VersioningOff}
	versioning, err := b.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts))
	switch {
	case unknownToStore(err):
	case err != nil:
		return p, b.fail(ctx, "ask for versioning of", b.Location(), err)
	default:
		switch versioning.Status {
		case types.BucketVersioningStatusEnabled:
			p.Versioning = VersioningEnabled
		case types.BucketVersioningStatusSuspended:
			p.Versioning = VersioningSuspended
		}
	}
	return p, b.askObjectLock(ctx, &p)
}

func (b *Bucket) askObjectLock(ctx context.Context, p *Protection) error {
	out, err := b.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts))
	if codeOf(err) == "ObjectLockConfigurationNotFoundError" || unknownToStore(err) {
		return nil
	}
	if err != nil {
		return b.fail(ctx, "ask for object lock of", b.Location(), err)
	}
	config := out.ObjectLockConfiguration
	if config == nil {
		return nil
	}
	p.ObjectLock = config.ObjectLockEnabled == types.ObjectLockEnabledEnabled
	if config.Rule != nil && config.Rule.DefaultRetention != nil {
		d := config.Rule.DefaultRetention
		p.Default = DefaultRetention{Mode: lockMode(string(d.Mode)), Days: countOf(d.Days), Years: countOf(d.Years)}
	}
	return nil
}

// unknownToStore reports whether the store does not have this call at all.
func unknownToStore(err error) bool {
	status := statusOf(err)
	return status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed
}
