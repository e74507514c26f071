package s3

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// locked opens a bucket with object lock, made in store.
func locked(t *testing.T, store s3suite.Store) *Bucket {
	t.Helper()
	quietEnvironment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", store.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", store.SecretKey)
	_, err := store.Client(t).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("locked"), ObjectLockEnabledForBucket: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := tryOpen(t, Options{Bucket: "locked", Endpoint: store.Endpoint, Region: store.Region, PartSizeMin: 5 << 20, MaxAttempts: 3, MaxBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLocksHoldOnEveryStore(t *testing.T) {
	for name, start := range map[string]func(testing.TB) s3suite.Store{
		"ours":      func(t testing.TB) s3suite.Store { return s3suite.StartOurs(t) },
		"versitygw": s3suite.StartVersity,
	} {
		t.Run(name, func(t *testing.T) {
			b := locked(t, start(t))
			p, err := b.Protection(t.Context())
			if err != nil || p.Versioning != VersioningEnabled || !p.ObjectLock || p.Default.Mode != "" {
				t.Fatalf("%+v, %v", p, err)
			}
			lock := Lock{Mode: LockCompliance, Until: time.Now().AddDate(0, 0, 2).UTC().Truncate(time.Second)}
			if _, err := b.Put(t.Context(), "set/small", []byte("x"), PutOptions{Lock: lock, IfNoneMatch: true}); err != nil {
				t.Fatal(err)
			}
			u, err := b.Upload(t.Context(), "set/large", UploadOptions{Lock: lock})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Write(someBytes(6 << 20)); err != nil {
				t.Fatal(err)
			}
			if _, err := u.Complete(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"set/small", "set/large"} {
				head, err := b.Head(t.Context(), key)
				if err != nil || head.LockMode != lock.Mode || !head.RetainUntil.Equal(lock.Until) {
					t.Errorf("%s: %+v, %v", key, head, err)
				}
			}
			hidesAndKeeps(t, b, []string{"set/small", "set/large"})
		})
	}
}

// hidesAndKeeps asserts that Delete leaves nothing to see and everything in place.
func hidesAndKeeps(t *testing.T, b *Bucket, keys []string) {
	t.Helper()
	if gone, err := b.Delete(t.Context(), keys); err != nil || len(gone) != len(keys) {
		t.Fatalf("%q, %v", gone, err)
	}
	if left := keysOf(t, b, ""); len(left) != 0 {
		t.Errorf("still listed: %q", left)
	}
	var versions, markers int
	for v, err := range b.Versions(t.Context(), "set/") {
		switch {
		case err != nil:
			t.Fatal(err)
		case v.Marker && v.Latest && v.Size == 0:
			markers++
		case !v.Marker && !v.Latest && v.Size > 0 && v.VersionID != "":
			versions++
		default:
			t.Errorf("%+v", v)
		}
	}
	if versions != len(keys) || markers != len(keys) {
		t.Errorf("%d versions and %d markers", versions, markers)
	}
}

func TestALockThatTheBucketCannotHoldIsAConfigurationError(t *testing.T) {
	srv := startServer(t, s3server.WithVersions())
	b := openAt(t, srv)
	lock := Lock{Mode: LockGovernance, Until: time.Now().AddDate(0, 0, 1)}
	_, err := b.Put(t.Context(), "k", []byte("x"), PutOptions{Lock: lock, IfNoneMatch: true})
	wantCode(t, err, fault.Config)
	wantIs(t, err, ErrNoObjectLock)
	_, err = b.Upload(t.Context(), "k", UploadOptions{Lock: lock})
	wantCode(t, err, fault.Config)
	wantIs(t, err, ErrNoObjectLock)
	if p, err := b.Protection(t.Context()); err != nil || p.ObjectLock || p.Versioning != VersioningEnabled {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestALockThatIsOverBeforeItBeginsBlamesTheClock(t *testing.T) {
	b := openAt(t, startServer(t, s3server.WithObjectLock()))
	_, err := b.Put(t.Context(), "k", []byte("x"), PutOptions{Lock: Lock{Mode: LockGovernance, Until: time.Now().AddDate(-1, 0, 0)}})
	wantCode(t, err, fault.NotPermitted)
	wantIs(t, err, errRetainUntil)
}

func TestABucketsDefaultRetentionIsToldAndTakesEveryWrite(t *testing.T) {
	srv := startServer(t, s3server.WithDefaultRetention("GOVERNANCE", 7))
	b := openAt(t, srv)
	p, err := b.Protection(t.Context())
	if err != nil || p.Default != (DefaultRetention{Mode: LockGovernance, Days: 7}) {
		t.Errorf("%+v, %v", p, err)
	}
	// S3 takes nothing into such a bucket that no checksum vouches for.
	unknown := s3server.Fault{Kind: s3server.Answer, Status: 400, Code: "InvalidArgument", Message: "unknown checksum algorithm"}
	for _, stores := range []string{"CRC64NVME", "MD5"} {
		if stores == "MD5" {
			srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Times: 1, Fault: unknown})
		}
		mustPut(t, b, "small", []byte("x"))
		u := startUpload(t, b, UploadOptions{})
		if _, err := u.Write(someBytes(2 * smallPart)); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Complete(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"small", "dump"} {
			if head, err := b.Head(t.Context(), key); err != nil || head.LockMode != LockGovernance || time.Until(head.RetainUntil) < 6*24*time.Hour {
				t.Errorf("%s, %s: %+v, %v", stores, key, head, err)
			}
		}
	}
}

func TestAStoreWithoutTheseCallsProtectsNothing(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, op := range []s3server.Op{s3server.OpGetBucketVersioning, s3server.OpGetObjectLock, s3server.OpGetLifecycle, s3server.OpListObjectVersions} {
		srv.Inject(s3server.Rule{Op: op, Fault: s3server.Fault{Kind: s3server.Answer, Status: 501, Code: "NotImplemented"}})
	}
	if p, err := b.Protection(t.Context()); err != nil || p != (Protection{Versioning: VersioningOff}) {
		t.Errorf("%+v, %v", p, err)
	}
	if rules, err := b.Lifecycle(t.Context()); err != nil || rules != nil {
		t.Errorf("%+v, %v", rules, err)
	}
	for v, err := range b.Versions(t.Context(), "") {
		t.Errorf("%+v, %v", v, err)
	}
	srv.ClearFaults()
	srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	_, err := b.Protection(t.Context())
	wantCode(t, err, fault.NotPermitted)
	_, err = b.Lifecycle(t.Context())
	wantCode(t, err, fault.NotPermitted)
}

func TestLifecycleRulesAreRead(t *testing.T) {
	store := s3suite.StartOurs(t)
	b := locked(t, store)
	if rules, err := b.Lifecycle(t.Context()); err != nil || len(rules) != 0 {
		t.Fatalf("%+v, %v", rules, err)
	}
	narrow := &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("p/"), ObjectSizeGreaterThan: aws.Int64(7), Tags: []types.Tag{{Key: aws.String("kind"), Value: aws.String("dump")}}}}
	_, err := store.Client(t).PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String("locked"), LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{
			{
				ID: aws.String("one"), Status: types.ExpirationStatusEnabled, Filter: narrow,
				Transitions:                    []types.Transition{{Days: aws.Int32(30), StorageClass: types.TransitionStorageClassGlacierIr}},
				Expiration:                     &types.LifecycleExpiration{Days: aws.Int32(90)},
				NoncurrentVersionExpiration:    &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(5), NewerNoncurrentVersions: aws.Int32(2)},
				AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(3)},
			},
			{
				ID: aws.String("two"), Status: types.ExpirationStatusDisabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
				Expiration: &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)},
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := b.Lifecycle(t.Context())
	if err != nil || len(rules) != 2 {
		t.Fatalf("%+v, %v", rules, err)
	}
	one := rules[0]
	if one.ID != "one" || !one.Enabled || one.Prefix != "p/" || !one.Narrow || one.OverBytes != 7 || one.UnderBytes != 0 || one.Tags["kind"] != "dump" || one.ExpireDays != 90 || one.NoncurrentDays != 5 ||
		one.NoncurrentKept != 2 || one.AbortDays != 3 || len(one.Transitions) != 1 || one.Transitions[0] != (Transition{Class: "GLACIER_IR", Days: 30}) {
		t.Errorf("%+v", one)
	}
	if two := rules[1]; two.Enabled || !two.ExpireMarkers || two.Narrow || two.Prefix != "" {
		t.Errorf("%+v", two)
	}
}

func TestVersionsAreReadByPage(t *testing.T) {
	srv := startServer(t, s3server.WithVersions())
	b := openAt(t, srv, func(o *Options) { o.IdleTimeout = time.Minute }) // a thousand files may take a slow disk long
	for range 4 {
		mustPut(t, b, "a b+c/数据", []byte("x"))
	}
	if _, err := b.Delete(t.Context(), []string{"a b+c/数据"}); err != nil {
		t.Fatal(err)
	}
	many := make([]string, deleteBatch)
	for i := range many {
		many[i] = fmt.Sprint("m/", i)
	}
	if _, err := b.Delete(t.Context(), many); err != nil { // markers of nothing
		t.Fatal(err)
	}
	seen := map[string]int{}
	for v, err := range b.Versions(t.Context(), "") {
		if seen[v.Key]++; err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1+len(many) || seen["a b+c/数据"] != 5 {
		t.Errorf("%d keys, %d versions and markers of the first", len(seen), seen["a b+c/数据"])
	}
	if pages := len(srv.Requests(s3server.OpListObjectVersions)); pages < 2 {
		t.Errorf("%d pages", pages)
	}
	srv.Inject(s3server.Rule{Op: s3server.OpListObjectVersions, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	for _, err := range b.Versions(t.Context(), "") {
		wantCode(t, err, fault.NotPermitted)
	}
}
