package posture_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"codeberg.org/pgbtui/pgbtui/internal/backup/posture"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

func open(t *testing.T, store s3suite.Store) *s3.Bucket {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", store.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", store.SecretKey)
	b, err := s3.Open(t.Context(), s3.Options{
		Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region, MaxAttempts: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func job(name string) config.Job {
	return config.Job{
		Name: name, Instance: "db1", Database: name, S3: config.S3{Prefix: "postgresql", SSE: "AES256"},
		Keep: config.Keep{Daily: 400}, Transition: config.Transition{Class: "GLACIER_IR", Days: 60},
	}
}

func plan(t *testing.T, b *s3.Bucket, jobs []config.Job, without ...posture.Part) posture.Plan {
	t.Helper()
	state, err := posture.Read(t.Context(), b, without)
	if err != nil {
		t.Fatal(err)
	}
	p, err := posture.For(state, jobs, without)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// theirs are rules of somebody else, with everything that a rule can have.
func theirs() []types.LifecycleRule {
	day := aws.Time(time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC))
	return []types.LifecycleRule{
		{
			ID: aws.String("all of it"), Status: types.ExpirationStatusEnabled,
			Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{
				Prefix: aws.String("logs/"), ObjectSizeGreaterThan: aws.Int64(10), ObjectSizeLessThan: aws.Int64(1 << 40),
				Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("<b> & c")}},
			}},
			Transitions: []types.Transition{
				{Days: aws.Int32(0), StorageClass: types.TransitionStorageClassIntelligentTiering},
				{Days: aws.Int32(90), StorageClass: types.TransitionStorageClassGlacier},
			},
			NoncurrentVersionTransitions: []types.NoncurrentVersionTransition{{NoncurrentDays: aws.Int32(3), NewerNoncurrentVersions: aws.Int32(2), StorageClass: types.TransitionStorageClassGlacierIr}},
			NoncurrentVersionExpiration:  &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(5), NewerNoncurrentVersions: aws.Int32(2)},
		},
		{ID: aws.String("old form"), Status: types.ExpirationStatusDisabled, Prefix: aws.String("x/"), Expiration: &types.LifecycleExpiration{Date: day}},
		{ID: aws.String("pgbtui postgresql/db10/ dumps"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("postgresql/db10/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(9)}},
	}
}

func put(t *testing.T, store s3suite.Store, rules []types.LifecycleRule) {
	t.Helper()
	_, err := store.Client(t).PutBucketLifecycleConfiguration(t.Context(), &awss3.PutBucketLifecycleConfigurationInput{
		Bucket: &store.Bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
		TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSizeVariesByStorageClass,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, store s3suite.Store) *awss3.GetBucketLifecycleConfigurationOutput {
	t.Helper()
	out, err := store.Client(t).GetBucketLifecycleConfiguration(t.Context(), &awss3.GetBucketLifecycleConfigurationInput{Bucket: &store.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPlanThatIsAppliedLeavesNothingToChange(t *testing.T) {
	store := s3suite.StartOurs(t)
	put(t, store, theirs())
	b, jobs := open(t, store), []config.Job{job("shop"), job("other")}
	p := plan(t, b, jobs)
	if len(p.Changes) != 5 || len(p.Others) != 3 {
		t.Fatalf("%+v", p)
	}
	if err := p.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	left, err := posture.Confirm(t.Context(), b, jobs, nil)
	if err != nil || len(left.Changes) != 0 {
		t.Errorf("%+v, %v", left.Changes, err)
	}
	after := stored(t, store)
	if diff := cmp.Diff(theirs(), after.Rules[:3], cmpopts.IgnoreUnexported(
		types.LifecycleRule{}, types.LifecycleRuleFilter{}, types.LifecycleRuleAndOperator{}, types.Tag{}, types.Transition{},
		types.NoncurrentVersionTransition{}, types.NoncurrentVersionExpiration{}, types.LifecycleExpiration{},
	)); diff != "" {
		t.Errorf("rules of somebody else changed:\n%s", diff)
	}
	if after.TransitionDefaultMinimumObjectSize != types.TransitionDefaultMinimumObjectSizeVariesByStorageClass || len(after.Rules) != 6 {
		t.Errorf("%+v", after)
	}
	if p := left.State.Protection; p.ObjectLock {
		t.Error("object lock was turned on")
	}
}

func TestNothingIsPutIntoABucketThatSomebodyElseChanges(t *testing.T) {
	store := s3suite.StartOurs(t)
	put(t, store, theirs())
	b := open(t, store)
	p := plan(t, b, []config.Job{job("shop")})
	put(t, store, theirs()[:2])
	if err := p.Apply(t.Context(), b); fault.CodeOf(err) != fault.Temporary || !strings.Contains(err.Error(), "were changed since the plan") {
		t.Errorf("%v", err)
	}
	// Between the plan's last look and the put.
	before := p.State.Lifecycle
	if err := b.PutLifecycle(t.Context(), before, before); fault.CodeOf(err) != fault.Temporary || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("%v", err)
	}
	if rules := stored(t, store).Rules; len(rules) != 2 {
		t.Errorf("%d rules", len(rules))
	}
	if got := plan(t, b, []config.Job{job("shop")}).State.Protection.Versioning; got != s3.VersioningOff {
		t.Errorf("versioning is %s", got)
	}
}

func TestADocumentWithWhatNobodyHereKnowsIsNotPut(t *testing.T) {
	r := s3server.Start(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodGet && q.URL.Query().Has("lifecycle") {
			_, _ = io.WriteString(w, "<LifecycleConfiguration><Rule><ID>x</ID><Status>Enabled</Status>"+
				"<Filter><Prefix></Prefix></Filter><DelMarkerExpiration><Days>3</Days></DelMarkerExpiration></Rule></LifecycleConfiguration>")
			return
		}
		r.ServeHTTP(w, q)
	}))
	t.Cleanup(other.Close)
	b := open(t, s3suite.Store{Endpoint: other.URL, AccessKey: r.AccessKey, SecretKey: r.SecretKey, Region: r.Region, Bucket: r.Bucket})
	p := plan(t, b, []config.Job{job("shop")})
	if strange := p.State.Lifecycle.Strange(); len(strange) != 1 || strange[0] != "DelMarkerExpiration" {
		t.Fatalf("%q", strange)
	}
	err := p.Apply(t.Context(), b)
	if fault.CodeOf(err) != fault.Refused || !strings.Contains(err.Error(), "DelMarkerExpiration") {
		t.Errorf("%v", err)
	}
	if n := len(r.Requests(s3server.OpPutLifecycle)); n != 0 {
		t.Errorf("%d documents were put", n)
	}
}

func TestWhatAStoreDoesNotKnowIsANoteAndNoChange(t *testing.T) {
	r := s3server.Start(t)
	b := open(t, s3suite.Store{Endpoint: r.Endpoint, AccessKey: r.AccessKey, SecretKey: r.SecretKey, Region: r.Region, Bucket: r.Bucket})
	for _, op := range []s3server.Op{s3server.OpGetEncryption, s3server.OpGetPublicAccess, s3server.OpGetPolicy} {
		r.Inject(s3server.Rule{Op: op, Fault: s3server.Fault{Kind: s3server.Answer, Status: 501, Code: "NotImplemented"}})
	}
	p := plan(t, b, []config.Job{job("shop")})
	if p.Has(posture.Encryption) || p.Has(posture.PublicAccess) || len(p.Notes) != 2 {
		t.Errorf("%+v", p)
	}
	r.ClearFaults()
	r.Inject(s3server.Rule{Op: s3server.OpGetEncryption, Fault: s3server.Fault{Kind: s3server.Answer, Status: 404, Code: "ServerSideEncryptionConfigurationNotFoundError"}})
	if p := plan(t, b, []config.Job{job("shop")}); !p.Has(posture.Encryption) {
		t.Errorf("%+v", p)
	}
}

func TestARuleOfSomebodyElseServesWhereItCoversTheFolder(t *testing.T) {
	store := s3suite.StartOurs(t)
	b, one := open(t, store), job("shop")
	one.Transition = config.Transition{}
	rule := func(prefix string, days int32) types.LifecycleRule {
		return types.LifecycleRule{
			ID: aws.String("r" + prefix), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: &prefix},
			AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: &days},
			NoncurrentVersionExpiration:    &types.NoncurrentVersionExpiration{NoncurrentDays: &days},
			Expiration:                     &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)},
		}
	}
	for prefix, want := range map[string]bool{"": false, "postgresql/": false, "postgresql/db1/": false, "postgresql/db1/shop/": true, "postgresql/db10/": true} {
		put(t, store, []types.LifecycleRule{rule(prefix, 3)})
		if p := plan(t, b, []config.Job{one}); p.Has(posture.Lifecycle) != want {
			t.Errorf("%q: %+v", prefix, p.Changes)
		}
	}
	off := rule("", 3)
	off.Status = types.ExpirationStatusDisabled
	put(t, store, []types.LifecycleRule{off})
	if p := plan(t, b, []config.Job{one}); !p.Has(posture.Lifecycle) {
		t.Error("a disabled rule served")
	}
}

// Two configurations whose folders lie in one another: neither takes the other's rules for its own.
func TestRulesOfNestedPrefixesAreTwoPeoples(t *testing.T) {
	store := s3suite.StartOurs(t)
	b := open(t, store)
	outer, inner := job("c"), job("shop")
	outer.S3.Prefix, outer.Instance = "a", "b"
	inner.S3.Prefix, inner.Instance = "a/b", "c"
	spaced := job("shop")
	spaced.S3.Prefix, spaced.Instance = "a/b/ x", strings.Repeat("long", 70)
	for _, j := range []config.Job{outer, inner, spaced} {
		if err := plan(t, b, []config.Job{j}).Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, j := range []config.Job{outer, inner, spaced} {
		if p := plan(t, b, []config.Job{j}); len(p.Changes) != 0 {
			t.Errorf("%s: %+v", j.S3.Prefix, p.Changes)
		}
	}
}
