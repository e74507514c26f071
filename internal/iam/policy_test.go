package iam_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
)

func job(change func(*config.Job)) config.Job {
	j := config.Job{Name: "shop", Instance: "db1", S3: config.S3{Bucket: "company-backups", Prefix: "postgresql", Region: "eu-central-1"}}
	if change != nil {
		change(&j)
	}
	return j
}

func find(t testing.TB, p iam.Policy, sid string) *iam.Statement {
	t.Helper()
	i := slices.IndexFunc(p.Statement, func(s iam.Statement) bool { return s.Sid == sid })
	if i < 0 {
		return nil
	}
	return &p.Statement[i]
}

func TestSeveralJobsShareAPolicyAndEachPlaceIsNamedOnce(t *testing.T) {
	p := iam.For([]iam.Role{iam.Writer}, []config.Job{
		job(nil), job(nil), job(func(j *config.Job) { j.Instance = "db 2" }),
		job(func(j *config.Job) { j.S3.Bucket = "archive" }),
	}, config.Metrics{})
	want := []string{"arn:aws:s3:::archive", "arn:aws:s3:::company-backups"}
	if got := find(t, p, "List").Resource; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	want = []string{"arn:aws:s3:::archive/postgresql/db1/*", "arn:aws:s3:::company-backups/postgresql/db%202/*", "arn:aws:s3:::company-backups/postgresql/db1/*"}
	if got := find(t, p, "OwnFolder").Resource; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestWildcardsInAPrefixStandForThemselves(t *testing.T) {
	p := iam.For([]iam.Role{iam.Restorer}, []config.Job{job(func(j *config.Job) { j.S3.Prefix = "a*b/${c?}" })}, config.Metrics{})
	if got := find(t, p, "Read").Resource[0]; got != "arn:aws:s3:::company-backups/a${*}b/${$}{c${?}}/*" {
		t.Error(got)
	}
}

func TestEachPartOfAWSHasItsOwnNames(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1": "arn:aws:s3:::", "cn-north-1": "arn:aws-cn:s3:::", "us-gov-west-1": "arn:aws-us-gov:s3:::", "": "arn:aws:s3:::",
	} {
		p := iam.For([]iam.Role{iam.Writer, iam.Prover, iam.Keeper, iam.Restorer}, []config.Job{job(func(j *config.Job) { j.S3.Region = region })}, config.Metrics{})
		for _, s := range p.Statement {
			for _, r := range s.Resource {
				if !strings.HasPrefix(r, want) {
					t.Errorf("%s: %s", region, r)
				}
			}
		}
	}
}

func TestOnlyTheWriterOfLockedSetsGetsTheRightsOfLocks(t *testing.T) {
	locked := job(func(j *config.Job) {
		j.Instance, j.ObjectLock = "db2", config.ObjectLock{Mode: "governance", Days: 30}
	})
	p := iam.For([]iam.Role{iam.Writer}, []config.Job{job(nil), locked}, config.Metrics{})
	if got := find(t, p, "Lock"); got == nil || !slices.Equal(got.Resource, []string{"arn:aws:s3:::company-backups/postgresql/db2/*"}) {
		t.Errorf("%+v", got)
	}
	for _, role := range []iam.Role{iam.Prover, iam.Keeper, iam.Restorer} {
		if got := find(t, iam.For([]iam.Role{role}, []config.Job{locked}, config.Metrics{}), "Lock"); got != nil {
			t.Errorf("%s: %+v", role, got)
		}
	}
}

func TestKeysOfKMSAreNamedAsTheyAreConfigured(t *testing.T) {
	const arn = "arn:aws:kms:eu-central-1:123456789012:key/0b1c"
	for _, c := range []struct{ sse, id, owner, want, alias string }{
		{"aws:kms", arn, "", arn, ""},
		{"aws:kms", "0b1c", "123456789012", arn, ""},
		{"aws:kms", "0b1c", "", "arn:aws:kms:eu-central-1:*:key/0b1c", ""},
		{"aws:kms", "alias/backups", "", "*", "alias/backups"},
		{"aws:kms", "arn:aws:kms:eu-central-1:123456789012:alias/backups", "", "*", "alias/backups"},
		{"aws:kms", "", "", "", ""},
		{"aws:kms", "alias/aws/s3", "", "", ""},
		{"AES256", "", "", "", ""},
	} {
		p := iam.For([]iam.Role{iam.Restorer}, []config.Job{job(func(j *config.Job) {
			j.S3.SSE, j.S3.KMSKeyID, j.S3.ExpectedOwner = c.sse, c.id, c.owner
		})}, config.Metrics{})
		key := find(t, p, "Key")
		if c.alias != "" {
			key = find(t, p, "KeyByAlias")
		}
		switch {
		case c.want == "" && len(p.Statement) != 2:
			t.Errorf("%+v: %+v", c, p.Statement)
		case c.want != "" && (key == nil || key.Resource[0] != c.want || !slices.Equal(key.Action, []string{"kms:Decrypt"})):
			t.Errorf("%+v: %+v", c, key)
		case c.alias != "" && key.Condition["ForAnyValue:StringEquals"]["kms:ResourceAliases"][0] != c.alias:
			t.Errorf("%+v: %+v", c, key.Condition)
		}
	}
}

func TestTwoRolesInOnePolicyHaveStatementsOfDifferentNames(t *testing.T) {
	p := iam.For(iam.Roles(), []config.Job{job(nil)}, config.Metrics{})
	seen := map[string]bool{}
	for _, s := range p.Statement {
		if seen[s.Sid] {
			t.Errorf("%s is there twice", s.Sid)
		}
		seen[s.Sid] = true
	}
	// AWS takes at most 6,144 characters, white space not counted, for a managed policy.
	if text, err := json.Marshal(p); err != nil || len(text) > 6144 {
		t.Errorf("%d characters, %v", len(text), err)
	}
}

func TestMetricsGoToOneNamespaceAlone(t *testing.T) {
	told := config.Metrics{CloudWatch: config.CloudWatch{Namespace: "Database/Backups"}}
	p := iam.For([]iam.Role{iam.Writer, iam.Metrics}, []config.Job{job(nil)}, told)
	got := find(t, p, "Metrics")
	if got == nil || !slices.Equal(got.Action, []string{"cloudwatch:PutMetricData"}) ||
		!slices.Equal(got.Condition["StringEquals"]["cloudwatch:namespace"], []string{"Database/Backups"}) {
		t.Errorf("%+v", got)
	}
}
