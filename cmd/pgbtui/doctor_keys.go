package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// doctorKeys are the keys of the store as doctor sees them. Rule: a key that may exist and cannot be used here is
// hidden, so that another one is never tried in its place.
type doctorKeys struct {
	stores *stores
	job    config.Job
}

// dutyOfRole is whose key has a role.
func dutyOfRole(role iam.Role) duty {
	switch role {
	case iam.Writer:
		return writer
	case iam.Keeper:
		return keeper
	case iam.Prover:
		return prover
	case iam.Copier:
		return copier
	case iam.Restorer, iam.Doctor, iam.Bucket, iam.Metrics:
	}
	return "" // people's
}

// Open reaches the bucket with a role's key; somebody waits for the answer.
func (k *doctorKeys) Open(ctx context.Context, role iam.Role) (*s3.Bucket, error) {
	return client{stores: k.stores, access: access{duty: dutyOfRole(role), waitedFor: true}}.bucket(ctx, k.job)
}

// Hidden is why a role's key cannot be used here, or "".
func (k *doctorKeys) Hidden(role iam.Role) string {
	env := k.stores.env
	switch {
	case env.getenv("CREDENTIALS_DIRECTORY") != "" && role != iam.Writer:
		return "this unit is given the backups' key alone"
	case env.keyHidden(dutyOfRole(role)):
		return "the " + string(role) + "'s key may be in a file that this user cannot look for"
	}
	return ""
}

// Caller asks AWS whose key it is; of another store it asks nobody.
func (k *doctorKeys) Caller(ctx context.Context, role iam.Role) (string, error) {
	env := k.stores.env
	bucket, err := k.Open(ctx, role)
	if err != nil || bucket.Endpoint() != "" && env.getenv("AWS_ENDPOINT_URL_STS") == "" {
		return "", err
	}
	return s3.Caller(ctx, s3.Access{
		Region: bucket.Region(), Profile: k.job.S3.Profile,
		CredentialsFile: cmp.Or(env.storeKey(dutyOfRole(role)), k.job.S3.CredentialsFile),
	})
}

// keyHidden reports whether a duty may have a key of its own that this user cannot look for.
func (e *environment) keyHidden(as duty) bool {
	if e.secretOfUnits(string(as)) == "" || e.getenv("CREDENTIALS_DIRECTORY") != "" {
		return false
	}
	_, err := os.Stat(e.secretOfUnits(string(as)))
	return errors.Is(err, fs.ErrPermission)
}
