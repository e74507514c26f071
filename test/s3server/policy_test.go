package s3server_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func parsePolicy(t testing.TB, statements string) *s3server.Policy {
	t.Helper()
	p, err := s3server.ParsePolicy([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPolicyAllowsWhatAStatementSaysAndADenialWins(t *testing.T) {
	p := parsePolicy(t, `{"Effect":"Allow","Action":["s3:GetObject","s3:Put*"],"Resource":"arn:aws:s3:::b/a/*"},
		{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::b/odd${*}name/?"]},
		{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/a/secret*"}`)
	for _, c := range []struct {
		action, key string
		want        bool
	}{
		{"s3:GetObject", "a/x/y", true},
		{"s3:PutObject", "a/x", true},
		{"s3:PutObjectRetention", "a/x", true},
		{"s3:DeleteObject", "a/x", false},
		{"s3:GetObject", "b/x", false},
		{"s3:GetObject", "a/secret.txt", false},
		{"s3:GetObject", "odd*name/x", true},
		{"s3:GetObject", "oddestname/x", false},
		{"s3:GetObject", "odd*name/xy", false},
	} {
		if got := p.Allows(c.action, "arn:aws:s3:::b/"+c.key); got != c.want {
			t.Errorf("%s on %s: %v", c.action, c.key, got)
		}
	}
	var everything *s3server.Policy
	if !everything.Allows("s3:DeleteObject", "arn:aws:s3:::b/x") {
		t.Error("no policy refuses something")
	}
}

func TestAPolicyThatWouldGrantMoreThanItSaysIsNotRead(t *testing.T) {
	for _, document := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"s3:Get*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*"}]}`,
		`{"Version":"2008-10-17","Statement":[]}`,
		`{`,
	} {
		if _, err := s3server.ParsePolicy([]byte(document)); err == nil {
			t.Errorf("read: %s", document)
		}
	}
}

func TestEachCallIsHeldToTheCallersPolicy(t *testing.T) {
	caller := s3server.Credential{AccessKey: "writer", SecretKey: "s"}
	r := s3server.Start(t, s3server.With(func(o *s3server.Options) { o.More = []s3server.Credential{caller} }))
	mine := *r
	mine.AccessKey, mine.SecretKey = caller.AccessKey, caller.SecretKey
	c := client(&mine)
	put := func(key string) error {
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &r.Bucket, Key: &key, Body: strings.NewReader("x")})
		return err
	}
	if err := put("a/before"); err != nil {
		t.Fatal(err)
	}
	r.Grant("writer", parsePolicy(t, `{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::backups/a/*"},
		{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::backups/a/mine"}`))
	if err := put("a/x"); err != nil {
		t.Error(err)
	}
	denied := func(what string, err error) {
		t.Helper()
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
			t.Errorf("%s: %v", what, err)
		}
	}
	denied("put elsewhere", put("b/x"))
	_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &r.Bucket})
	denied("list", err)
	_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &r.Bucket, Key: aws.String("a/absent")})
	denied("an object that is not there, without s3:ListBucket", err)
	if err := put("a/mine"); err != nil {
		t.Fatal(err)
	}
	out, err := c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &r.Bucket, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("a/mine")}, {Key: aws.String("a/x")}},
	}})
	if err != nil || len(out.Deleted) != 1 || len(out.Errors) != 1 || *out.Errors[0].Key != "a/x" || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("%+v, %v", out, err)
	}
}
