package s3

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// A bucket's policy can demand that every deletion names what it deletes ("Enforcing conditional deletes").
func TestADeletionThatThePolicyWantsOnAConditionHasOne(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject",` +
		`"Resource":"arn:aws:s3:::` + srv.Bucket + `/*","Condition":{"Null":{"s3:if-match":"true"}}}]}`
	if _, err := b.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{
		Bucket: aws.String(srv.Bucket), Policy: &policy,
	}); err != nil {
		t.Fatal(err)
	}
	keys := []string{"a", "b", "odd\x01"} // the last goes alone, since XML cannot carry it
	for _, key := range keys {
		if _, err := b.Put(t.Context(), key, []byte(key), PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := b.Delete(t.Context(), append(keys, "absent"))
	slices.Sort(gone)
	if err != nil || !slices.Equal(gone, []string{"a", "absent", "b", "odd\x01"}) {
		t.Errorf("%q, %v", gone, err)
	}
	for o, err := range b.List(t.Context(), "") {
		t.Errorf("%s is left, %v", o.Key, err)
	}
}

// Whoever is denied anyway is not asked about each key again.
func TestADeletionThatThePolicyDeniesAnywayIsTriedOnConditionOnce(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	keys := []string{"a", "b", "c"}
	for _, key := range keys {
		if _, err := b.Put(t.Context(), key, []byte(key), PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	const words = "User: x is not authorized to perform: s3:DeleteObject with an explicit deny in a resource-based policy"
	for _, op := range []s3server.Op{s3server.OpDeleteObject, s3server.OpDeleteObjects} {
		srv.Inject(s3server.Rule{Op: op, Fault: s3server.Fault{
			Kind: s3server.Answer, Status: 403, Code: "AccessDenied", Message: words,
		}})
	}
	gone, err := b.deleteEach(t.Context(), keys)
	if fault.CodeOf(err) != fault.NotPermitted || len(gone) != 0 || !strings.Contains(err.Error(), "explicit deny") {
		t.Errorf("%q, %v", gone, err)
	}
	if tries := len(srv.Requests(s3server.OpDeleteObject)); tries != len(keys)+1 {
		t.Errorf("%d requests for %d keys", tries, len(keys))
	}
}
