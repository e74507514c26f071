package doctor_test

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
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

func TestEachRightThatIsMissingIsFoundAndItsStatementMendsIt(t *testing.T) {
	p := newPatient(t)
	for _, c := range []struct {
		role  iam.Role
		right string
		check string
	}{
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
	} {
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
