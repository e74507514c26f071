package docs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// policies are those of docs/iam.md by role, from the comment before each.
func policies(t testing.TB) map[string]iam.Policy {
	t.Helper()
	found := map[string]iam.Policy{}
	for _, b := range blocks(t, "json") {
		role := b.notes["policy"]
		if role == "" {
			continue
		}
		var p iam.Policy
		if err := json.Unmarshal(lists(t, b.text), &p); err != nil {
			t.Fatalf("%s: %v", b.at(), err)
		}
		found[role] = p
	}
	return found
}

// lists makes lists of one of actions and resources that the page writes as strings, for shortness.
func lists(t testing.TB, text string) []byte {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	for _, s := range document["Statement"].([]any) {
		statement := s.(map[string]any)
		for _, field := range []string{"Action", "Resource"} {
			if one, ok := statement[field].(string); ok {
				statement[field] = []string{one}
			}
		}
	}
	out, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// enforced is a policy as the store holds callers to it.
func enforced(t testing.TB, p iam.Policy) *s3server.Policy {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := s3server.ParsePolicy(raw)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// example is the job of the page.
func example() config.Job {
	return config.Job{
		Name: "production", Instance: "db1", Database: "production",
		S3: config.S3{Bucket: "company-backups", Prefix: "postgresql", Region: "eu-central-1"},
	}
}

func TestThePoliciesOfThePageAreWhatTheProgramPrints(t *testing.T) {
	locked := example()
	locked.ObjectLock = config.ObjectLock{Mode: "governance", Days: 30}
	told := config.Metrics{CloudWatch: config.CloudWatch{Namespace: "Database/Backups"}}
	copied := example()
	copied.Copies = []config.Copy{{Name: "other-region", S3: config.S3{Bucket: "company-backups-copy", Prefix: "postgresql", Region: "eu-west-1"}}}
	for role, p := range policies(t) {
		want := iam.For([]iam.Role{iam.Role(role)}, []config.Job{example()}, told)
		if role == "copier" {
			want = iam.For([]iam.Role{iam.Copier}, []config.Job{copied}, told)
		}
		if role == "object-lock" { // the statement that the writer has besides
			want = iam.For([]iam.Role{iam.Writer}, []config.Job{locked}, config.Metrics{})
			want.Statement = slices.DeleteFunc(want.Statement, func(s iam.Statement) bool { return s.Sid != "Lock" })
		}
		if !reflect.DeepEqual(p, want) {
			t.Errorf("%s: the page has\n%+v\nthe program prints\n%+v", role, p, want)
		}
	}
}

// documentedRights is docs/iam.md's table: the right that each call needs.
func documentedRights(t testing.TB) map[string]string {
	t.Helper()
	rights := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z]\\w+)` \\| `(s3:\\w+)` \\|$").FindAllStringSubmatch(read(t, "docs/iam.md"), -1) {
		rights[m[1]] = m[2]
	}
	return rights
}

// calledOperations are the methods of the SDK's client that internal/s3 calls, from its source.
func calledOperations(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "internal/s3/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if method, ok := call.Fun.(*ast.SelectorExpr); ok {
					if client, ok := method.X.(*ast.SelectorExpr); ok && client.Sel.Name == "client" {
						called[method.Sel.Name] = true
					}
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(called))
}

func TestTheTableOfRightsIsWhatThePackageCalls(t *testing.T) {
	rights := documentedRights(t)
	called, documented := calledOperations(t), slices.Sorted(maps.Keys(rights))
	if !slices.Equal(called, documented) {
		t.Errorf("internal/s3 calls\n%q, docs/iam.md has\n%q", called, documented)
	}
	for op, right := range rights {
		if enforced := s3server.Right(s3server.Op(op)); enforced != right {
			t.Errorf("%s needs %s here, and docs/iam.md says %s", op, enforced, right)
		}
	}
}

func TestThePoliciesGrantTheRightsThatAreCalledAndNoMore(t *testing.T) {
	needed := map[string]bool{}
	for _, right := range documentedRights(t) {
		needed[right] = true
	}
	// The headers of a retention need rights besides that of their call.
	needed["s3:PutObjectRetention"], needed["s3:GetObjectRetention"] = true, true
	needed["s3:GetAccountPublicAccessBlock"] = true // asked of S3 Control, for the account
	needed["cloudwatch:PutMetricData"] = true       // what internal/metrics calls
	granted := map[string]bool{}
	for role, p := range policies(t) {
		for _, s := range p.Statement {
			for _, action := range s.Action {
				granted[action] = true
				if !needed[action] {
					t.Errorf("%s is granted %s, which nothing needs", role, action)
				}
			}
		}
	}
	for right := range needed {
		if !granted[right] {
			t.Errorf("no policy grants %s", right)
		}
	}
}

func TestOnlyTheKeeperDeletesTheProverMakesNoSetsAndTheRestorerWritesNothing(t *testing.T) {
	found := policies(t)
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, []string{"bucket", "copier", "doctor", "keeper", "metrics", "object-lock", "prover", "restorer", "writer"}) {
		t.Fatalf("policies: %q", got)
	}
	key := "arn:aws:s3:::company-backups/postgresql/db1/production/x/dump.pgc.zst"
	for role, forbidden := range map[string][]string{
		"writer":      {"s3:DeleteObject"},
		"copier":      {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"},
		"keeper":      {"s3:PutObject"},
		"prover":      {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"},
		"object-lock": {"s3:PutObject", "s3:DeleteObject", "s3:BypassGovernanceRetention"},
		"bucket":      {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
		"doctor":      {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
		"restorer":    {"s3:DeleteObject", "s3:PutObject", "s3:AbortMultipartUpload"},
	} {
		for _, action := range forbidden {
			if enforced(t, found[role]).Allows(action, key) {
				t.Errorf("%s may %s", role, action)
			}
		}
	}
}
