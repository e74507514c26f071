package s3

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

func TestWhatABucketSaysOfAccessAndEncryptionIsRead(t *testing.T) {
	store := s3suite.StartOurs(t)
	b := locked(t, store)
	if e, err := b.Encryption(t.Context()); err != nil || e != (Encryption{Known: true, Algorithm: "AES256"}) {
		t.Errorf("%+v, %v", e, err)
	}
	if p, err := b.PublicAccess(t.Context()); err != nil || p != (PublicAccess{Known: true}) || p.Blocked() {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := b.Policy(t.Context()); err != nil || p != "" {
		t.Errorf("%q, %v", p, err)
	}
	bucket, c := aws.String("locked"), store.Client(t)
	yes := aws.Bool(true)
	_, keyErr := c.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
		Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{BucketKeyEnabled: yes, ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
				SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("alias/backups"),
			}}},
		},
	})
	_, blockErr := c.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{
		Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: yes, IgnorePublicAcls: yes, BlockPublicPolicy: yes, RestrictPublicBuckets: yes,
		},
	})
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
	_, policyErr := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &policy})
	if err := errors.Join(keyErr, blockErr, policyErr); err != nil {
		t.Fatal(err)
	}
	if e, err := b.Encryption(t.Context()); err != nil || e != (Encryption{Known: true, Algorithm: "aws:kms", KMSKeyID: "alias/backups", BucketKey: true}) {
		t.Errorf("%+v, %v", e, err)
	}
	if p, err := b.PublicAccess(t.Context()); err != nil || !p.Blocked() {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := b.Policy(t.Context()); err != nil || p != policy {
		t.Errorf("%q, %v", p, err)
	}
}

// ofAccess asks for each of these settings.
func ofAccess(ctx context.Context, b *Bucket) []error {
	_, encryption := b.Encryption(ctx)
	_, access := b.PublicAccess(ctx)
	_, policy := b.Policy(ctx)
	return []error{encryption, access, policy}
}

func TestASettingThatTheStoreDoesNotKnowIsNotOneThatTheBucketLacks(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, status := range []int{405, 501} {
		srv.ClearFaults()
		srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Status: status, Code: "NotImplemented"}})
		if e, err := b.Encryption(t.Context()); err != nil || e.Known {
			t.Errorf("%d: %+v, %v", status, e, err)
		}
		if p, err := b.PublicAccess(t.Context()); err != nil || p.Known {
			t.Errorf("%d: %+v, %v", status, p, err)
		}
		if p, err := b.Policy(t.Context()); err != nil || p != "" {
			t.Errorf("%d: %q, %v", status, p, err)
		}
	}
	srv.ClearFaults()
	srv.Inject(s3server.Rule{Op: s3server.OpGetEncryption, Fault: s3server.Fault{
		Kind: s3server.Answer, Status: 404, Code: "ServerSideEncryptionConfigurationNotFoundError",
	}})
	if e, err := b.Encryption(t.Context()); err != nil || e != (Encryption{Known: true}) {
		t.Errorf("%+v, %v", e, err)
	}
	srv.ClearFaults()
	srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	for _, err := range ofAccess(t.Context(), b) {
		wantCode(t, err, fault.NotPermitted)
	}
}
