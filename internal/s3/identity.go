package s3

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Whose key requests are signed with, and where the SDK had it from. No secret is told: of the key its ID alone.

// Identity is what the SDK's chain found.
type Identity struct {
	KeyID   string
	Origin  Origin
	File    string    // of OriginFile
	Expires time.Time // zero: never
}

// Origin is where a key came from.
type Origin string

// The origins that are told apart.
const (
	OriginFile        Origin = "file"
	OriginEnvironment Origin = "environment"
	OriginInstance    Origin = "instance" // the instance's role, by its metadata service
	OriginOther       Origin = "other"    // single sign-on, a process, a container, …
)

// Identity asks the SDK's chain, which may ask a service of AWS.
func (b *Bucket) Identity(ctx context.Context) (Identity, error) {
	c, err := b.credentials.Retrieve(ctx)
	if err != nil {
		return Identity{}, b.fail(ctx, "find a key for", b.Location(), err)
	}
	id := Identity{KeyID: c.AccessKeyID, Origin: OriginOther}
	if c.CanExpire {
		id.Expires = c.Expires.UTC()
	}
	switch name, file, _ := strings.Cut(c.Source, ": "); name {
	case "SharedConfigCredentials":
		id.Origin, id.File = OriginFile, file
	case "EnvConfigCredentials":
		id.Origin = OriginEnvironment
	case "EC2RoleProvider":
		id.Origin = OriginInstance
	}
	return id, nil
}

// Caller is the ARN of whoever has a key, by AWS's own word (GetCallerIdentity, which needs no right).
func Caller(ctx context.Context, of Access) (arn string, err error) {
	cfg, err := LoadConfig(ctx, of)
	if err != nil {
		return "", fault.New(fault.Config, "s3: load the AWS configuration",
			"Correct the AWS_* variables, the profile or the shared configuration file.", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callerTimeout)
	defer cancel()
	out, err := sts.NewFromConfig(cfg, func(o *sts.Options) { o.RetryMaxAttempts = probeAttempts }).
		GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		secrets := &seenCredentials{from: cfg.Credentials}
		_, _ = secrets.Retrieve(ctx) // so that an error that quotes them does not tell them
		return "", (&Bucket{credentials: secrets}).fail(ctx, "ask AWS whose key it is", "", err)
	}
	return aws.ToString(out.Arn), nil
}

// callerTimeout: hosts that reach S3 by an endpoint of their own network often do not reach this service.
const callerTimeout = 10 * time.Second

// Host is the name that requests go to.
func (b *Bucket) Host() string {
	if b.endpoint != "" {
		_, rest, _ := strings.Cut(b.endpoint, "://")
		host, _, _ := strings.Cut(rest, "/")
		return host
	}
	suffix := ".amazonaws.com"
	if strings.HasPrefix(b.region, "cn-") {
		suffix += ".cn"
	}
	return b.opts.Bucket + ".s3." + b.region + suffix
}

// Encrypted reports whether requests go over TLS.
func (b *Bucket) Encrypted() bool { return !strings.HasPrefix(b.endpoint, "http://") }
