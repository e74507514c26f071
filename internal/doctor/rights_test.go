package doctor_test

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func keyed() []iam.Role { return []iam.Role{iam.Writer, iam.Keeper, iam.Prover, iam.Restorer} }

func TestKeysWithTheirOwnPoliciesAreWellAndLeaveNothing(t *testing.T) {
	p := newPatient(t)
	for _, role := range keyed() {
		p.grant(role, p.own(role))
	}
	for range 2 {
		for _, f := range p.examine("s3").Findings {
			if f.Result != doctor.OK {
				t.Errorf("%s is %s: %s", f.ID, f.Result, f.Seen)
			}
		}
		// The keeper deletes what writer and prover may not.
		if left := p.left(); len(left) != 0 {
			t.Errorf("left are %q", left)
		}
	}
}

// missingRight is a right of a role, and the check that notices its absence.
type missingRight struct {
	role  iam.Role
	right string
	check string
}

func missingRights() []missingRight {
	return []missingRight{
		{iam.Writer, "s3:PutObject", "s3.writer.put"},
		{iam.Writer, "s3:GetObject", "s3.writer.get"},
		{iam.Writer, "s3:ListBucket", "s3.writer.list"},
		{iam.Writer, "s3:ListBucketMultipartUploads", "s3.writer.list-of-uploads"},
		{iam.Writer, "s3:AbortMultipartUpload", "s3.writer.abort-of-an-upload"},
		{iam.Keeper, "s3:ListBucket", "s3.keeper.list"},
		{iam.Keeper, "s3:ListBucketVersions", "s3.keeper.list-of-versions"},
		{iam.Keeper, "s3:ListBucketMultipartUploads", "s3.keeper.list-of-uploads"},
		{iam.Keeper, "s3:PutObject", "s3.keeper.mark-before-deletion"},
		{iam.Keeper, "s3:GetObject", "s3.keeper.get"},
		{iam.Keeper, "s3:ListMultipartUploadParts", "s3.keeper.list-of-an-uploads-parts"},
		{iam.Keeper, "s3:AbortMultipartUpload", "s3.keeper.abort-of-an-upload"},
		{iam.Keeper, "s3:DeleteObject", "s3.keeper.delete"},
		{iam.Prover, "s3:ListBucket", "s3.prover.list"},
		{iam.Prover, "s3:GetObject", "s3.prover.get"},
		{iam.Prover, "s3:PutObject", "s3.prover.record-of-a-proof"},
		{iam.Restorer, "s3:ListBucket", "s3.restorer.list"},
		{iam.Restorer, "s3:GetObject", "s3.restorer.get"},
	}
}

func TestEachRightThatIsMissingIsFoundAndItsStatementMendsIt(t *testing.T) {
	p := newPatient(t)
	for _, c := range missingRights() {
		t.Run(string(c.role)+" "+c.right, func(t *testing.T) {
			p.t = t
			for _, role := range keyed() {
				p.grant(role, p.own(role))
			}
			short := without(p.own(c.role), c.right)
			p.grant(c.role, short)
			f := p.one(c.check)
			if f.Result != doctor.Fail || f.Statement == nil || !strings.Contains(f.Seen, c.right) {
				t.Fatalf("%+v", f)
			}
			p.grant(c.role, append(short, *f.Statement))
			if f := p.one(c.check); f.Result != doctor.OK {
				t.Errorf("its statement does not mend it: %+v", f)
			}
		})
	}
	p.t = t
	p.grant(iam.Keeper, p.own(iam.Keeper))
	p.examine("s3")
	if left := p.left(); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

func TestWhetherTheBackupsKeyMayDeleteIsJudgedByWhatTheJobKeeps(t *testing.T) {
	p := newPatient(t)
	const check = "s3.writer.delete"
	all := append(p.own(iam.Writer), iam.Statement{
		Sid: "All", Effect: "Allow", Action: []string{"s3:DeleteObject"}, Resource: []string{"arn:aws:s3:::backups/*"},
	})
	for _, c := range []struct {
		what   string
		keep   config.Keep
		policy []iam.Statement
		want   doctor.Result
	}{
		{"deletes by a timer, and may not", p.job.Keep, p.own(iam.Writer), doctor.OK},
		{"deletes by a timer, and may", p.job.Keep, all, doctor.Warn},
		{"keeps everything, and may", config.Keep{}, all, doctor.Warn},
		{"deletes itself, and may", config.Keep{Days: 30, By: config.PruneByBackup}, all, doctor.Warn},
		{"deletes itself, and may not", config.Keep{Days: 30, By: config.PruneByBackup}, p.own(iam.Writer), doctor.Fail},
	} {
		p.job.Keep = c.keep
		p.grant(iam.Writer, c.policy)
		f := p.one(check)
		if f.Result != c.want {
			t.Errorf("%s: %+v", c.what, f)
		}
		if c.want == doctor.Fail {
			p.grant(iam.Writer, append(c.policy, *f.Statement))
			if f := p.one(check); f.Result != doctor.Warn {
				t.Errorf("its statement does not mend it: %+v", f)
			}
		}
	}
}

func TestADenialThatNoStatementMendsHasNone(t *testing.T) {
	p := newPatient(t)
	p.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{
		Kind: s3server.Answer, Code: "AccessDenied",
		Message: "User: x is not authorized to perform: s3:PutObject on resource: y with an explicit deny in a service control policy",
	}})
	f := p.one("s3.writer.put")
	if f.Result != doctor.Fail || f.Statement != nil || !strings.Contains(f.Remedy, "service control policy") {
		t.Errorf("%+v", f)
	}
}

func TestNoKeyOfNobodyIsWell(t *testing.T) {
	p := newPatient(t)
	for _, role := range keyed()[1:] {
		p.hide[role] = "hidden"
	}
	for _, f := range p.examine("s3").Findings {
		others := strings.Count(f.ID, ".") == 2 && !strings.HasPrefix(f.ID, "s3.writer.")
		if others && (f.Result != doctor.Unknown || f.Seen != "hidden") {
			t.Errorf("%+v", f)
		}
	}
	p = newPatient(t)
	p.shut = errors.New("no such profile")
	if f := p.one("s3.key"); f.Result != doctor.Fail || !strings.Contains(f.Seen, "no such profile") {
		t.Errorf("%+v", f)
	}
}

func TestAnUploadThatIsRefusedAndOnesThatCannotBeListedAreNotWell(t *testing.T) {
	p := newPatient(t)
	p.store.Inject(s3server.Rule{Op: s3server.OpCreateMultipart, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	if f := p.one("s3.writer.multipart-upload"); f.Result != doctor.Fail || f.Statement == nil {
		t.Errorf("%+v", f)
	}
	p = newPatient(t)
	p.grant(iam.Writer, without(p.own(iam.Writer), "s3:ListBucketMultipartUploads"))
	if f := p.one("s3.upload-list"); f.Result != doctor.Unknown {
		t.Errorf("%+v", f)
	}
}

// A file of keys is judged by who can read it.
func TestAKeyThatTheServersUserCanReadIsAFailure(t *testing.T) {
	if _, err := user.Lookup("postgres"); err != nil {
		need.All(t, "the system user postgres")
	}
	folder, err := os.MkdirTemp("/tmp", "pgbtui-keys-*") //nolint:usetesting // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "credentials")
	for mode, want := range map[os.FileMode]doctor.Result{0o644: doctor.Fail, 0o600: doctor.OK} {
		p := newPatient(t)
		p.opened(file, mode)
		if f := p.one("s3.key-place"); f.Result != want {
			t.Errorf("%o: %+v", mode, f)
		}
	}
	p := newPatient(t)
	p.opened(file, 0o600)
	if err := errors.Join(os.Remove(file), os.Symlink(file, file)); err != nil { // it leads nowhere but to itself
		t.Fatal(err)
	}
	if f := p.one("s3.key-place"); f.Result != doctor.Unknown {
		t.Errorf("nobody can tell who reads it, and %+v", f)
	}
}

// opened reaches the bucket by a file of keys.
func (p *patient) opened(file string, mode os.FileMode) {
	p.t.Helper()
	text := "[default]\naws_access_key_id = key-of-writer\naws_secret_access_key = secret-of-writer\n"
	err := errors.Join(os.WriteFile(file, []byte(text), mode), os.Chmod(file, mode))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Setenv("AWS_ACCESS_KEY_ID", "")
	p.t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	b, err := s3.Open(p.t.Context(), s3.Options{
		Bucket: p.job.S3.Bucket, Region: p.job.S3.Region, Endpoint: p.store.Endpoint, CredentialsFile: file,
	})
	if err == nil {
		_, err = b.Identity(p.t.Context())
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(b.Close)
	p.open[iam.Writer] = b
}

// The table below is of every call that a role makes, so that no statement goes untried.
func TestEveryCallOfEveryRoleIsInTheTableOfRights(t *testing.T) {
	tried := map[string]bool{"s3.writer.delete": true, "s3.writer.multipart-upload": true} // by tests of their own
	for _, c := range missingRights() {
		tried[c.check] = true
	}
	for _, c := range doctor.Catalogue() {
		if parts := strings.Split(c.ID, "."); len(parts) == 3 && parts[0] == "s3" && !tried[c.ID] {
			t.Errorf("%s: no test takes its right away and gives it back", c.ID)
		}
	}
}

func TestAKeyThatCannotBeUsedHereIsNotWell(t *testing.T) {
	p := newPatient(t)
	p.hide[iam.Writer] = "it is hidden"
	for _, f := range p.examine("s3.writer").Findings {
		if f.Result != doctor.Unknown || f.Seen != "it is hidden" {
			t.Errorf("%+v", f)
		}
	}
	if f := p.one("s3.restorer.get"); f.Result != doctor.Unknown {
		t.Errorf("nothing is stored, and a get is %+v", f)
	}
	p.hide[iam.Restorer] = "also"
	if f := p.one("s3.key"); f.Result != doctor.Unknown {
		t.Errorf("%+v", f)
	}
}
