package docs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// statement is one of an IAM policy. Action and Resource may be one string or a list.
type statement struct {
	Effect           string
	Action, Resource oneOrMore
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

type policy []statement

// policies are those of docs/iam.md by role, from the comment before each.
func policies(t testing.TB) map[string]policy {
	t.Helper()
	found := map[string]policy{}
	for _, b := range blocks(t, "json") {
		role := b.notes["policy"]
		if role == "" {
			continue
		}
		var document struct {
			Version   string
			Statement policy
		}
		if err := json.Unmarshal([]byte(b.text), &document); err != nil || document.Version != "2012-10-17" {
			t.Fatalf("%s: %v, version %q", b.at(), err, document.Version)
		}
		found[role] = document.Statement
	}
	return found
}

// allows evaluates a policy of Allow statements alone, as IAM does.
func (p policy) allows(action, resource string) bool {
	return slices.ContainsFunc(p, func(s statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Action, action) && slices.ContainsFunc(s.Resource, func(pattern string) bool {
			return wildcard(pattern).MatchString(resource)
		})
	})
}

// wildcard is IAM's: * is any characters, slashes included.
func wildcard(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
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
}

func TestThePoliciesGrantTheRightsThatAreCalledAndNoMore(t *testing.T) {
	needed := map[string]bool{}
	for _, right := range documentedRights(t) {
		needed[right] = true
	}
	// The headers of a retention need rights besides that of their call.
	needed["s3:PutObjectRetention"], needed["s3:GetObjectRetention"] = true, true
	granted := map[string]bool{}
	for role, p := range policies(t) {
		for _, s := range p {
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
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, []string{"keeper", "object-lock", "prover", "restorer", "writer"}) {
		t.Fatalf("policies: %q", got)
	}
	key := "arn:aws:s3:::company-backups/postgresql/db1/production/x/dump.pgc.zst"
	for role, forbidden := range map[string][]string{
		"writer":      {"s3:DeleteObject"},
		"keeper":      {"s3:PutObject"},
		"prover":      {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"},
		"object-lock": {"s3:PutObject", "s3:DeleteObject", "s3:BypassGovernanceRetention"},
		"restorer":    {"s3:DeleteObject", "s3:PutObject", "s3:AbortMultipartUpload"},
	} {
		for _, action := range forbidden {
			if found[role].allows(action, key) {
				t.Errorf("%s may %s", role, action)
			}
		}
	}
}
