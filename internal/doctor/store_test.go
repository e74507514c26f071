package doctor_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestWhatAStoreLacksIsToldAndNotFailed(t *testing.T) {
	for check, habits := range map[string]s3server.Habits{
		"s3.conditional-writes": {Ignores: []string{"if-match", "if-none-match"}},
		"s3.checksums":          {NoSums: true, Ignores: []string{"x-amz-checksum-*"}, Hides: []string{"x-amz-checksum-*"}},
		"s3.upload-list":        {WholeKeyUploads: true},
	} {
		p := newPatient(t, s3server.With(func(o *s3server.Options) { o.Habits = habits }))
		if f := p.one(check); f.Result != doctor.Warn || f.Remedy == "" {
			t.Errorf("%s: %+v", check, f)
		}
	}
	p := newPatient(t)
	p.grant(iam.Writer, without(p.own(iam.Writer), "s3:PutObject"))
	for _, check := range []string{"s3.conditional-writes", "s3.checksums"} {
		if f := p.one(check); f.Result != doctor.Unknown {
			t.Errorf("nothing could be put, and %s is %+v", check, f)
		}
	}
}

func TestWhetherTheStoreMindsTheConditionOfADeletionIsTriedWithAKeyThatMayDelete(t *testing.T) {
	const check = "s3.conditional-deletes"
	refuses := s3server.Habits{Refuses: []s3server.Refusal{{
		Op: s3server.OpDeleteObject, Header: "if-match", Status: http.StatusNotImplemented, Code: "NotImplemented",
	}}}
	for what, c := range map[string]struct {
		habits s3server.Habits
		short  []iam.Role // who may not delete
		want   doctor.Result
	}{
		"minds":                       {want: doctor.OK},
		"minds, and the keeper tries": {short: []iam.Role{iam.Writer}, want: doctor.OK},
		"ignores":                     {habits: s3server.Habits{Ignores: []string{"if-match"}}, want: doctor.Warn},
		"ignores, the keeper's":       {habits: s3server.Habits{Ignores: []string{"if-match"}}, short: []iam.Role{iam.Writer}, want: doctor.Warn},
		"refuses":                     {habits: refuses, want: doctor.Warn},
		"nobody may delete":           {short: []iam.Role{iam.Writer, iam.Keeper}, want: doctor.Unknown},
	} {
		t.Run(what, func(t *testing.T) {
			p := newPatient(t, s3server.With(func(o *s3server.Options) { o.Habits = c.habits }))
			for _, role := range c.short {
				p.grant(role, without(p.own(role), "s3:DeleteObject"))
			}
			f := p.one(check)
			if f.Result != c.want || c.want != doctor.OK && f.Remedy == "" {
				t.Errorf("%+v", f)
			}
			if len(c.short) == 0 {
				if left := p.left(); len(left) != 0 {
					t.Errorf("left are %q", left)
				}
			}
		})
	}
	// In a bucket with versions, a deletion of what is gone would leave a marker.
	p := newPatient(t, s3server.WithVersions(), s3server.With(func(o *s3server.Options) {
		o.Habits = s3server.Habits{Ignores: []string{"if-match"}}
	}))
	p.one(check)
	deleted := len(p.store.Requests(s3server.OpDeleteObject)) + len(p.store.Requests(s3server.OpDeleteObjects))
	if objects := 3; deleted > objects {
		t.Errorf("%d deletions of %d objects", deleted, objects)
	}
}

func TestTheWayToTheStoreIsLookedAtStepByStep(t *testing.T) {
	p := newPatient(t)
	for _, check := range []string{"s3.dns", "s3.tls", "s3.reach", "s3.clock", "s3.key"} {
		if f := p.one(check); f.Result != doctor.OK {
			t.Errorf("%+v", f)
		}
	}
	p.now = func() time.Time { return time.Now().Add(10 * time.Minute) }
	if f := p.one("s3.clock"); f.Result != doctor.Fail || !strings.Contains(f.Seen, "ahead") {
		t.Errorf("%+v", f)
	}
	p = newPatient(t)
	p.job.S3.Bucket = "another"
	if f := p.one("s3.reach"); f.Result != doctor.Fail || !strings.Contains(f.Seen, "no such bucket") {
		t.Errorf("%+v", f)
	}
	p = newPatient(t)
	p.job.S3.Endpoint = "https://store.invalid"
	if f := p.one("s3.dns"); f.Result != doctor.Fail || !strings.Contains(f.Remedy, "resolvectl query store.invalid") {
		t.Errorf("%+v", f)
	}
	if r := p.examine("s3.writer"); len(r.Findings) != 0 {
		t.Errorf("it was not reached, and %+v", r.Findings)
	}
}

func TestARegionThatIsNotTheBucketsIsNamed(t *testing.T) {
	p := newPatient(t)
	p.job.S3.Region = "eu-central-1"
	if f := p.one("s3.reach"); f.Result != doctor.Fail || !strings.Contains(f.Remedy, "not in region eu-central-1") {
		t.Errorf("%+v", f)
	}
}

func TestCertificatesAreJudgedByWhoSignedThemAndWhenTheyEnd(t *testing.T) {
	p := newPatient(t, s3server.WithTLS())
	if f := p.one("s3.tls"); f.Result != doctor.Fail || !strings.Contains(f.Remedy, "AWS_CA_BUNDLE") {
		t.Errorf("nobody knows who signed it, and %+v", f)
	}
	t.Setenv("AWS_CA_BUNDLE", p.store.CAFile)
	if f := p.one("s3.tls"); f.Result != doctor.Warn || !strings.Contains(f.Remedy, "renewed") {
		t.Errorf("it ends tomorrow, and %+v", f)
	}
	long := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(long.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: long.Certificate().Raw})
	if err := os.WriteFile(bundle, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if f := doctorOf(t, p, long.URL); f.Result != doctor.OK {
		t.Errorf("%+v", f)
	}
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(t.TempDir(), "absent"))
	if f := p.one("s3.tls"); f.Result != doctor.Fail {
		t.Errorf("the bundle is not there, and %+v", f)
	}
	p = newPatient(t, s3server.WithTLSUntil(time.Now().Add(-time.Hour)))
	t.Setenv("AWS_CA_BUNDLE", p.store.CAFile)
	if f := p.one("s3.tls"); f.Result != doctor.Fail || !strings.Contains(f.Remedy, "timedatectl") {
		t.Errorf("it has ended, and %+v", f)
	}
	if f := doctorOf(t, p, "http://192.0.2.1:9"); f.Result != doctor.Warn {
		t.Errorf("plain http to another host: %+v", f)
	}
}

// doctorOf judges the scheme of another endpoint, which is not reached for that.
func doctorOf(t *testing.T, p *patient, endpoint string) doctor.Finding {
	t.Helper()
	p.open = map[iam.Role]*s3.Bucket{}
	b, err := s3.Open(t.Context(), s3.Options{Bucket: "x", Region: "us-east-1", Endpoint: endpoint, AllowPlainHTTP: true, MaxAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	p.open[iam.Writer], p.open[iam.Restorer], p.open[iam.Prover], p.open[iam.Keeper] = b, b, b, b
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	r := doctor.Examine(ctx, p.world(), "s3.tls")
	record(r.Findings)
	if len(r.Findings) != 1 {
		t.Fatalf("%+v", r.Findings)
	}
	return r.Findings[0]
}

func TestAFileIsReadableByAUserOnlyWhereEveryFolderLetsItThrough(t *testing.T) {
	need.Root(t)
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("/var/tmp", "readable") //nolint:usetesting // another user must get there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	uid, gid := number(t, nobody.Uid), number(t, nobody.Gid)
	for _, c := range []struct {
		dir, file  os.FileMode
		owner, grp int
		want       bool
	}{
		{0o755, 0o644, 0, 0, true},
		{0o700, 0o644, 0, 0, false},
		{0o755, 0o640, 0, 0, false},
		{0o755, 0o640, 0, gid, true},
		{0o755, 0o600, uid, 0, true},
		{0o755, 0o044, uid, 0, false}, // the owner has only what the owner's bits say
	} {
		if err := os.Chown(file, c.owner, c.grp); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.file); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, c.dir); err != nil {
			t.Fatal(err)
		}
		if got, err := doctor.ReadableBy("nobody", file); err != nil || got != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
	if got, err := doctor.ReadableBy("nobody", filepath.Join(dir, "absent")); err != nil || got {
		t.Errorf("absent: %v, %v", got, err)
	}
}

func number(t *testing.T, text string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// metadata is an instance's metadata service, with a role, whose answers to a PUT have so many hops.
func metadata(t *testing.T, hops int) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var set error
		err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, hops) })
		return firstError(err, set)
	}}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			_, _ = io.WriteString(w, "token")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			_, _ = io.WriteString(w, "backups")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/backups"):
			_, _ = io.WriteString(w, `{"Code":"Success","AccessKeyId":"key-of-writer","SecretAccessKey":"secret-of-writer","Token":"",`+
				`"Expiration":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String()
}

func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAMetadataServiceThatGivesNoTokenLeavesTheLimitOpen(t *testing.T) {
	p := newPatient(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata(t, 64))
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	b, err := s3.Open(t.Context(), s3.Options{Bucket: p.job.S3.Bucket, Region: "us-east-1", Endpoint: p.store.Endpoint})
	if err == nil {
		_, err = b.Identity(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	p.open[iam.Writer] = b
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1") // it is gone since
	if f := p.one("s3.metadata-hops"); f.Result != doctor.Unknown {
		t.Errorf("%+v", f)
	}
}

func TestHowFarTheMetadataServiceAnswersIsTried(t *testing.T) {
	for hops, want := range map[int]doctor.Result{1: doctor.OK, 2: doctor.Warn, 64: doctor.Warn} {
		p := newPatient(t)
		if f := p.one("s3.metadata-hops"); f.Result != doctor.OK || !strings.Contains(f.Seen, "no instance role") {
			t.Errorf("%+v", f)
		}
		t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
		t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata(t, hops))
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		b, err := s3.Open(t.Context(), s3.Options{Bucket: p.job.S3.Bucket, Region: "us-east-1", Endpoint: p.store.Endpoint})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		p.open[iam.Writer] = b
		if f := p.one("s3.metadata-hops"); f.Result != want {
			t.Errorf("%d hops: %+v", hops, f)
		}
		if f := p.one("s3.key"); f.Result != doctor.OK || !strings.Contains(f.Seen, "instance's role") {
			t.Errorf("%+v", f)
		}
		if f := p.one("s3.key-place"); f.Result != doctor.Warn && f.Result != doctor.OK {
			t.Errorf("%+v", f)
		}
	}
}
