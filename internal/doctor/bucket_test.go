package doctor_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// owner is the SDK's client of whoever may change the bucket.
func (p *patient) owner() *awss3.Client {
	return awss3.New(awss3.Options{
		BaseEndpoint: &p.store.Endpoint, Region: p.store.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(p.store.AccessKey, p.store.SecretKey, ""),
	})
}

func (p *patient) lifecycle(rules ...types.LifecycleRule) {
	p.t.Helper()
	for i := range rules {
		rules[i].Status = types.ExpirationStatusEnabled
		rules[i].Filter = &types.LifecycleRuleFilter{Prefix: aws.String("postgresql/")}
	}
	_, err := p.owner().PutBucketLifecycleConfiguration(p.t.Context(), &awss3.PutBucketLifecycleConfigurationInput{
		Bucket: &p.store.Bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestABucketsSettingsAreJudgedByWhatTheyAreAndWhatTheJobWants(t *testing.T) {
	moved := func(class types.TransitionStorageClass, days int32) types.LifecycleRule {
		return types.LifecycleRule{ID: aws.String("PostgreSQLBackupLifecycle"), Transitions: []types.Transition{{Days: &days, StorageClass: class}}}
	}
	for _, c := range []struct {
		what  string
		opts  []s3server.Option
		ill   func(p *patient)
		check string
		want  doctor.Result
		says  string
	}{
		{"no versions", nil, nil, "bucket.versioning", doctor.Warn, "put-bucket-versioning"},
		{"versions", []s3server.Option{s3server.WithVersions()}, nil, "bucket.versioning", doctor.OK, ""},
		{"no lock, none wanted", nil, nil, "bucket.object-lock", doctor.OK, ""},
		{"no lock, one wanted", nil, locked, "bucket.object-lock", doctor.Fail, "put-object-lock-configuration"},
		{"a lock that is wanted", []s3server.Option{s3server.WithObjectLock()}, locked, "bucket.object-lock", doctor.OK, ""},
		{"a default lock", []s3server.Option{s3server.WithDefaultRetention("GOVERNANCE", 7)}, nil, "bucket.object-lock", doctor.OK, "7 days"},
		{"no rule", nil, nil, "bucket.lifecycle", doctor.OK, "no rule"},
		{"the article's rule", nil, func(p *patient) {
			p.job.Keep.Days = 120
			p.lifecycle(moved("GLACIER", 90))
		}, "bucket.lifecycle", doctor.Fail, "with their manifests"},
		{"an expiration", nil, func(p *patient) {
			p.lifecycle(types.LifecycleRule{ID: aws.String("old"), Expiration: &types.LifecycleExpiration{Days: aws.Int32(7)}})
		}, "bucket.lifecycle", doctor.Fail, "deletes sets after 7 days"},
		{"a class that is paid for longer", nil, func(p *patient) { p.lifecycle(moved("GLACIER_IR", 10)) }, "bucket.lifecycle", doctor.Warn, "paid for 90 days"},
		{"versions that never go", []s3server.Option{s3server.WithVersions()}, nil, "bucket.old-versions", doctor.Warn, "NoncurrentVersionExpiration"},
		{"versions that go", []s3server.Option{s3server.WithVersions()}, func(p *patient) {
			p.lifecycle(types.LifecycleRule{ID: aws.String("v"), NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(30)}})
		}, "bucket.old-versions", doctor.OK, ""},
		{"no versions to go", nil, nil, "bucket.old-versions", doctor.OK, "keeps no versions"},
		{"uploads that stay", nil, nil, "bucket.uploads", doctor.Warn, "AbortIncompleteMultipartUpload"},
		{"uploads that go", nil, func(p *patient) {
			p.lifecycle(types.LifecycleRule{ID: aws.String("u"), AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)}})
		}, "bucket.uploads", doctor.OK, ""},
		{"a class for longer than retention", nil, func(p *patient) { p.job.S3.StorageClass = "GLACIER_IR" }, "bucket.class", doctor.Warn, "90 days"},
		{"an archive class", nil, func(p *patient) { p.job.S3.StorageClass = "DEEP_ARCHIVE" }, "bucket.class", doctor.Warn, "thawed"},
		{"a class that fits", nil, func(p *patient) { p.job.S3.StorageClass = "STANDARD" }, "bucket.class", doctor.OK, ""},
		{"a directory bucket", []s3server.Option{s3server.WithBucket("backups--euc1-az1--x-s3")}, func(p *patient) {
			p.job.S3.Bucket = p.store.Bucket
		}, "bucket.kind", doctor.Fail, "one zone"},
		{"an ordinary one", nil, nil, "bucket.kind", doctor.OK, ""},
		{"no public access block", nil, nil, "bucket.public-access", doctor.Warn, "put-public-access-block"},
		{"a whole one", nil, blocked, "bucket.public-access", doctor.OK, ""},
		{"no encryption", nil, bare, "bucket.encryption", doctor.Warn, "put-bucket-encryption"},
		{"none at all", nil, func(p *patient) { bare(p); p.job.S3.SSE = "none" }, "bucket.encryption", doctor.Fail, "neither"},
		{"encryption", nil, encrypted, "bucket.encryption", doctor.OK, "AES256"},
		{"no policy", nil, nil, "bucket.policy", doctor.OK, "it has none"},
		{"a policy that wants TLS, over plain http", nil, policy(`{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`), "bucket.policy", doctor.Warn, "aws:SecureTransport"},
		{"a policy on conditional writes", nil, policy(`{"Sid":"Once","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*","Condition":{"Null":{"s3:if-none-match":"true"}}}`), "bucket.policy", doctor.Warn, "Once"},
		{"a policy against everybody", nil, policy(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":["s3:Get*"],"Resource":"*"}`), "bucket.policy", doctor.Fail, "number 1"},
		{"a policy against somebody", nil, policy(`{"Sid":"One","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::1:user/x"},"NotAction":["s3:List*"],"Resource":"*"}`), "bucket.policy", doctor.Warn, "some callers"},
		{"a policy that allows", nil, policy(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}`), "bucket.policy", doctor.OK, "denies nothing"},
		{"another account expected", nil, func(p *patient) { p.job.S3.ExpectedOwner = s3server.DefaultOwner }, "bucket.owner", doctor.OK, "compares"},
		{"a store that compares no accounts", []s3server.Option{s3server.With(func(o *s3server.Options) { o.AnyOwner = true })}, func(p *patient) {
			p.job.S3.ExpectedOwner = s3server.DefaultOwner
		}, "bucket.owner", doctor.Fail, "ignores"},
		{"no account named, at another store", nil, nil, "bucket.owner", doctor.OK, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := newPatient(t, c.opts...)
			if c.ill != nil {
				c.ill(p)
			}
			f := p.one(c.check)
			if f.Result != c.want || !strings.Contains(f.Seen+f.Remedy, c.says) {
				t.Errorf("%+v", f)
			}
			if f.Result != doctor.OK && f.Remedy == "" {
				t.Error("no remedy")
			}
		})
	}
}

func locked(p *patient) { p.job.ObjectLock = config.ObjectLock{Mode: "governance", Days: 7} }

// bare is a bucket without an encryption of its own, as none at AWS is since 2023.
func bare(p *patient) {
	p.store.Inject(s3server.Rule{Op: s3server.OpGetEncryption, Fault: s3server.Fault{
		Kind: s3server.Answer, Status: 404, Code: "ServerSideEncryptionConfigurationNotFoundError",
	}})
}

func blocked(p *patient) {
	p.t.Helper()
	yes := aws.Bool(true)
	_, err := p.owner().PutPublicAccessBlock(p.t.Context(), &awss3.PutPublicAccessBlockInput{
		Bucket: &p.store.Bucket,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes,
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func encrypted(p *patient) {
	p.t.Helper()
	_, err := p.owner().PutBucketEncryption(p.t.Context(), &awss3.PutBucketEncryptionInput{
		Bucket: &p.store.Bucket,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		}}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// policy gives the bucket a policy of one statement.
func policy(statement string) func(p *patient) {
	return func(p *patient) {
		p.t.Helper()
		_, err := p.owner().PutBucketPolicy(p.t.Context(), &awss3.PutBucketPolicyInput{
			Bucket: &p.store.Bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`),
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// Without the rights of the doctor nothing is called well, and the statement lets it look.
func TestWhatNoKeyMayAskForIsNotKnownAndTheStatementLetsItBeAsked(t *testing.T) {
	p := newPatient(t)
	tried := map[string]bool{
		"s3:ListBucket":                  true, // in TestEachRightThatIsMissingIsFoundAndItsStatementMendsIt
		"s3:GetAccountPublicAccessBlock": true, // in TestTheAccountsPublicAccessBlockCounts
	}
	for _, c := range []struct {
		right  string
		checks []string
	}{
		{"s3:GetBucketVersioning", []string{"bucket.versioning", "bucket.object-lock"}}, // both are asked for at once
		{"s3:GetBucketObjectLockConfiguration", []string{"bucket.versioning", "bucket.object-lock"}},
		{"s3:GetLifecycleConfiguration", []string{"bucket.lifecycle", "bucket.old-versions", "bucket.uploads"}},
		{"s3:GetEncryptionConfiguration", []string{"bucket.encryption"}},
		{"s3:GetBucketPublicAccessBlock", []string{"bucket.public-access"}},
		{"s3:GetBucketPolicy", []string{"bucket.policy"}},
	} {
		tried[c.right] = true
		for _, check := range c.checks {
			short := without(p.own(iam.Doctor), c.right)
			p.grant(iam.Restorer, short)
			p.grant(iam.Writer, short)
			f := p.one(check)
			if f.Result != doctor.Unknown || f.Statement == nil || !slices.Equal(f.Statement.Action, []string{c.right}) {
				t.Errorf("%s without %s: %+v", check, c.right, f)
				continue
			}
			p.grant(iam.Restorer, append(short, *f.Statement))
			if f := p.one(check); f.Result == doctor.Unknown {
				t.Errorf("%s: the statement for %s does not let it look: %+v", check, c.right, f)
			}
		}
	}
	for _, s := range p.own(iam.Doctor) {
		for _, right := range s.Action {
			if !tried[right] {
				t.Errorf("nothing takes %s away and gives it back", right)
			}
		}
	}
}

// The bucket's own block leaves something open: the account's may close it, and who may not ask is told how.
func TestTheAccountsPublicAccessBlockCounts(t *testing.T) {
	const open = "<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>"
	for _, c := range []struct {
		what, answer string
		status       int
		want         doctor.Result
		says         string
		statement    bool
	}{
		{"closed", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>" +
			"<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>", 200, doctor.OK, "the account's block", false},
		{"open", "<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>", 404, doctor.Warn, "could make backups public", false},
		{"denied", "<Error><Code>AccessDenied</Code></Error>", 403, doctor.Unknown, "not told", true},
	} {
		t.Run(c.what, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			}))
			t.Cleanup(server.Close)
			t.Setenv("AWS_ENDPOINT_URL_S3_CONTROL", server.URL)
			p := newPatient(t)
			p.job.S3.ExpectedOwner = s3server.DefaultOwner
			f := p.one("bucket.public-access")
			if f.Result != c.want || !strings.Contains(f.Seen, c.says) || (f.Statement != nil) != c.statement {
				t.Errorf("%+v", f)
			}
			if !c.statement {
				return
			}
			if !allows(t, *f.Statement, "s3:GetAccountPublicAccessBlock", "*") {
				t.Errorf("%+v", f.Statement)
			}
			c.status, c.answer = 200, open // as S3 answers whoever has that right
			if f := p.one("bucket.public-access"); f.Result != doctor.Warn {
				t.Errorf("%+v", f)
			}
		})
	}
}

// allows reports whether a statement, pasted into a policy, gives a right.
func allows(t *testing.T, s iam.Statement, right, resource string) bool {
	t.Helper()
	text, err := json.Marshal(iam.Policy{Version: "2012-10-17", Statement: []iam.Statement{s}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := s3server.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Allows(right, resource)
}

// No test reaches AWS, and nothing is asked for this: it is judged by the endpoint alone.
func TestABucketAtAWSWhoseAccountNobodyNamesIsTold(t *testing.T) {
	p := newPatient(t)
	b, err := s3.Open(t.Context(), s3.Options{Bucket: "backups", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	f := record(doctor.OwnerFinding(t.Context(), p.job, b))[0]
	if f.Result != doctor.Warn || !strings.Contains(f.Remedy, "s3.expected_bucket_owner") {
		t.Errorf("%+v", f)
	}
}
