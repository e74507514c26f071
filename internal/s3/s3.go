// Package s3 stores and fetches the objects of backup sets: a streamed upload of unknown length,
// small conditional puts, reads that survive broken connections, listing and deleting.
//
// Rules it keeps: keys are whole keys, the caller owns prefixes; nothing is logged; every error
// reads `s3: verb key: cause`, carries an exit code and a remedy (package fault), and holds no
// secret; a write whose answer was lost is looked up before it is called failed or done.
package s3

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Defaults of Options, and what Amazon S3 allows ("Amazon S3 multipart upload limits").
const (
	defaultPartSize    = 5 << 20 // the least that S3 takes
	largestPart        = 5 << 30
	defaultMaxParts    = 10_000
	defaultMaxAttempts = 10
	defaultMaxBackoff  = 20 * time.Second
	defaultIdleTimeout = 2 * time.Minute
)

// SSENone as Options.SSE asks the store for no encryption of its own.
const SSENone = "none"

// Options says which bucket, and how to talk to it. Empty fields are the AWS SDK's own chain:
// AWS_REGION, AWS_ENDPOINT_URL(_S3), AWS_CA_BUNDLE, shared files, instance role.
type Options struct {
	Bucket          string
	Region          string // default: the SDK's; us-east-1 on a custom endpoint
	Endpoint        string // URL; "" = AWS_ENDPOINT_URL(_S3), else AWS itself
	PathStyle       bool   // always so on a custom endpoint
	CredentialsFile string // AWS shared credentials file; wins over AWS_ACCESS_KEY_ID
	Profile         string
	SSE             string // "AES256" (default), "aws:kms" or SSENone
	KMSKeyID        string // for "aws:kms"; "" = the account's default key
	StorageClass    string // of uploads; default STANDARD_IA, on a custom endpoint none
	AllowPlainHTTP  bool   // http:// to anything but loopback is refused without it

	ExpectedBucketOwner string // AWS account ID; requests to a bucket of another account fail

	PartSizeMin int64         // bytes; default 5 MiB
	PartSizeMax int64         // bytes; bounds memory, and with MaxParts the largest object; default 5 GiB
	MaxParts    int           // default 10,000; some stores allow 1,000
	EqualParts  bool          // all parts but the last have one size, which Cloudflare R2 demands; always so there
	Bandwidth   int64         // bytes a second that all uploads together send; 0: no limit
	MaxAttempts int           // tries of one request; default AWS_MAX_ATTEMPTS, else 10
	MaxBackoff  time.Duration // longest wait between tries; default 20 s
	IdleTimeout time.Duration // a connection on which nothing moves for this long is given up; default 2 min

	dial func(ctx context.Context, network, addr string) (net.Conn, error) // of tests; nil: TCP
}

// Bucket is one bucket of one store. It is safe for concurrent use. Close it when done.
type Bucket struct {
	client      *s3.Client
	transport   closer
	credentials *seenCredentials
	opts        Options
	region      string
	endpoint    string // "" on AWS
	unsigned    bool   // payloads need no signature: TLS or loopback protects them
	lacks       lacks

	sender http.RoundTripper // what requests go through that the SDK does not make
	signer *v4.Signer
	brief  brief
}

type closer interface{ CloseIdleConnections() }

// Open resolves options, environment and shared files. It does not talk to the store: see Probe.
// Errors are fault.Config.
func Open(ctx context.Context, opts Options) (*Bucket, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	cfg, err := LoadConfig(ctx, Access{Region: opts.Region, CredentialsFile: opts.CredentialsFile, Profile: opts.Profile})
	if err != nil {
		return nil, fault.New(fault.Config, "s3: load the AWS configuration",
			"Correct the AWS_* variables, the profile or the shared configuration file.", err)
	}
	if opts.MaxAttempts == 0 {
		opts.MaxAttempts = cfg.RetryMaxAttempts
	}
	opts = opts.withDefaults()
	transport := newTransport(cfg.HTTPClient, opts)
	b := &Bucket{
		opts: opts, transport: transport, credentials: &seenCredentials{from: cfg.Credentials}, sender: transport,
		signer: v4.NewSigner(),
	}
	b.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.HTTPClient = newHTTPClient(transport)
		o.Retryer = newRetryer(opts)
		o.RetryMaxAttempts = opts.MaxAttempts // else AWS_MAX_ATTEMPTS would win
		o.Credentials = b.credentials
		// Checksums are given explicitly where stores agree on them; the SDK's default of CRC32
		// trailers breaks stores that do not know them.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		b.resolve(o)
	})
	return b, b.checkPlace()
}

// resolve settles endpoint, region and addressing, which depend on what the SDK found.
func (b *Bucket) resolve(o *s3.Options) {
	if b.opts.Endpoint != "" {
		o.BaseEndpoint = &b.opts.Endpoint
	}
	if b.endpoint = aws.ToString(o.BaseEndpoint); b.endpoint == "" {
		o.BaseEndpoint = nil
		o.UsePathStyle = b.opts.PathStyle
		if b.opts.StorageClass == "" {
			b.opts.StorageClass = "STANDARD_IA"
		}
	} else {
		o.UsePathStyle = true
		if o.Region == "" {
			o.Region = "us-east-1"
		}
		b.opts.EqualParts = b.opts.EqualParts || isR2(b.endpoint)
	}
	b.region = o.Region
}

// isR2 knows Cloudflare R2 by the host names that it documents.
func isR2(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && strings.HasSuffix(strings.ToLower(u.Hostname()), ".r2.cloudflarestorage.com")
}

func (o Options) check() error {
	bad := func(what, remedy string) error { return fault.New(fault.Config, "s3: "+what, remedy, nil) }
	switch {
	case o.Bucket == "":
		return bad("no bucket is configured", "Set s3.bucket or S3_BUCKET.")
	case o.SSE != "" && o.SSE != "AES256" && o.SSE != "aws:kms" && o.SSE != SSENone:
		return bad("unknown sse "+visible(o.SSE), "Set sse to AES256, aws:kms or none.")
	case o.KMSKeyID != "" && o.SSE != "aws:kms":
		return bad("a KMS key is configured, but sse is not aws:kms", "Set sse: aws:kms, or remove the key.")
	case o.MaxParts < 0 || o.MaxParts > defaultMaxParts:
		return bad("the number of parts must be 1 to 10000", "Correct the number of parts.")
	case o.Bandwidth < 0:
		return bad("the bandwidth is negative", "Correct the bandwidth.")
	case o.PartSizeMax != 0 && o.PartSizeMax < o.PartSizeMin:
		return bad("the largest part is smaller than the smallest", "Correct the part sizes.")
	}
	if o.CredentialsFile == "" {
		return nil
	}
	f, err := os.Open(o.CredentialsFile)
	if err != nil {
		return fault.New(fault.Config, "s3: read the credentials file",
			"Correct the path, or let this user read it.", err)
	}
	return f.Close()
}

func (o Options) withDefaults() Options {
	o.SSE = orDefault(o.SSE, "AES256")
	o.PartSizeMin = orDefault(o.PartSizeMin, defaultPartSize)
	o.PartSizeMax = orDefault(o.PartSizeMax, max(largestPart, o.PartSizeMin))
	o.MaxParts = orDefault(o.MaxParts, defaultMaxParts)
	o.MaxAttempts = orDefault(o.MaxAttempts, defaultMaxAttempts)
	o.MaxBackoff = orDefault(o.MaxBackoff, defaultMaxBackoff)
	o.IdleTimeout = orDefault(o.IdleTimeout, defaultIdleTimeout)
	return o
}

func orDefault[T comparable](v, or T) T {
	var zero T
	if v == zero {
		return or
	}
	return v
}

// Access is whose key is used, and in which region. Empty fields are the AWS SDK's own chain.
type Access struct {
	Region          string
	CredentialsFile string // AWS shared credentials file; wins over AWS_ACCESS_KEY_ID
	Profile         string
}

// LoadConfig is the SDK's configuration for a service of AWS, be it S3 or another.
func LoadConfig(ctx context.Context, of Access) (aws.Config, error) {
	load := []func(*awsconfig.LoadOptions) error{
		// The SDK puts AWS_CA_BUNDLE only into a client of this type.
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient()),
		awsconfig.WithLogger(logging.Nop{}), // the SDK's own goes to stderr
	}
	profile := of.Profile
	if of.CredentialsFile != "" {
		load = append(load, awsconfig.WithSharedCredentialsFiles([]string{of.CredentialsFile}))
		// Without a profile set in code, AWS_ACCESS_KEY_ID would win over the file.
		profile = orDefault(profile, orDefault(os.Getenv("AWS_PROFILE"), "default"))
	}
	if profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(profile))
	}
	if of.Region != "" {
		load = append(load, awsconfig.WithRegion(of.Region))
	}
	return awsconfig.LoadDefaultConfig(ctx, load...)
}

// Location is the bucket as people write it: "s3://bucket/".
func (b *Bucket) Location() string { return "s3://" + b.opts.Bucket + "/" }

// Bucket is its name.
func (b *Bucket) Bucket() string { return b.opts.Bucket }

// Endpoint is the custom endpoint's URL, or "" on AWS.
func (b *Bucket) Endpoint() string { return b.endpoint }

// Region is the region that requests are signed for.
func (b *Bucket) Region() string { return b.region }

// UploadClass is the storage class that uploads get; "" leaves it to the store.
func (b *Bucket) UploadClass() string { return b.opts.StorageClass }

// Bandwidth is how many bytes a second uploads may send; 0: there is no limit.
func (b *Bucket) Bandwidth() int64 { return b.opts.Bandwidth }

// Close gives up idle connections. The Bucket must not be used afterwards.
func (b *Bucket) Close() { b.transport.CloseIdleConnections() }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
