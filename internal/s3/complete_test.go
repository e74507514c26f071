package s3

import (
	"bytes"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestUploadUnderATakenKeyIsRefusedAndLeavesTheOther(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "dump", []byte("first"))
	u := startUpload(t, b, UploadOptions{IfNoneMatch: true})
	if _, err := u.Write([]byte("second")); err != nil {
		t.Fatal(err)
	}
	_, err := u.Complete(t.Context())
	wantIs(t, err, ErrExists)
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	noOpenUploads(t, b)
	if got := readAll(t, b, "dump"); string(got) != "first" {
		t.Errorf("the first object became %q", got)
	}
}

func TestUploadIsNotDoubledNorLostWhenTheAnswerToCompleteIs(t *testing.T) {
	lost := s3server.Fault{Kind: s3server.LoseAnswer}
	cases := map[string]s3server.Rule{
		"answer lost once":      {Times: 1, Fault: lost},
		"answer lost each time": {Fault: lost},
		"answer cut":            {Times: 1, Fault: s3server.Fault{Kind: s3server.Cut, After: 50}},
		"answer short":          {Times: 1, Fault: s3server.Fault{Kind: s3server.Short, After: 50}},
		"answer empty":          {Times: 1, Fault: s3server.Fault{Kind: s3server.Short, After: 0}},
		"200 with an error":     {Times: 2, Fault: s3server.Fault{Kind: s3server.ErrorIn200}},
		"503 three times":       {Times: 3, Fault: s3server.Fault{Kind: s3server.Answer, Status: 503}},
	}
	for name, rule := range cases {
		for _, exclusive := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				srv := startServer(t)
				b := openAt(t, srv)
				want := someBytes(3*smallPart + 7)
				u := startUpload(t, b, UploadOptions{IfNoneMatch: exclusive})
				if _, err := u.Write(want); err != nil {
					t.Fatal(err)
				}
				rule.Op = s3server.OpCompleteMultipart
				srv.Inject(rule)
				object, err := u.Complete(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if object.ETag == "" || object.SHA256 != shaOf(want) || object.Size != int64(len(want)) {
					t.Errorf("Complete says %+v", object)
				}
				if !bytes.Equal(readAll(t, b, "dump"), want) {
					t.Error("other bytes came back")
				}
				noOpenUploads(t, b)
			})
		}
	}
}

func TestUploadDoesNotClaimTheObjectOfSomebodyElse(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	body := []byte("the very same bytes")
	u := startUpload(t, b, UploadOptions{})
	if _, err := u.Write(body); err != nil {
		t.Fatal(err)
	}
	mustPut(t, b, "dump", body)
	if err := b.AbortUpload(t.Context(), OpenUpload{Key: "dump", UploadID: u.id}); err != nil {
		t.Fatal(err)
	}
	_, err := u.Complete(t.Context())
	if err == nil {
		t.Fatal("an upload that was aborted from outside counts as complete, because an equal object is there")
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestUploadCompleteAnsweringErrorsForEverFailsAndCanBeAborted(t *testing.T) {
	for _, kind := range []s3server.Kind{s3server.ErrorIn200, s3server.Answer, s3server.Reset} {
		t.Run(string(kind), func(t *testing.T) {
			srv := startServer(t)
			b := openAt(t, srv)
			u := startUpload(t, b, UploadOptions{})
			srv.Inject(s3server.Rule{Op: s3server.OpCompleteMultipart, Fault: s3server.Fault{Kind: kind}})
			_, err := u.Complete(t.Context())
			wantCode(t, err, fault.Unavailable)
			if err := u.Abort(t.Context()); err != nil {
				t.Fatal(err)
			}
			noOpenUploads(t, b)
		})
	}
}
