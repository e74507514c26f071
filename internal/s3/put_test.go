package s3

import (
	"sync"
	"sync/atomic"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestPutKeepsBodyChecksumsAndMetadata(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	body := []byte(`{"schema":1}`)
	put, err := b.Put(t.Context(), "set/manifest.json", body, PutOptions{
		ContentType: "application/json", Class: "STANDARD", Metadata: map[string]string{"run": "r1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := b.Head(t.Context(), "set/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	if head.ETag != put.ETag || head.SHA256 != shaOf(body) || head.CRC64NVME != crcOf(body) ||
		head.SSE != "AES256" || put.SSE != "AES256" || head.Metadata["run"] != "r1" || head.ContentType != "application/json" {
		t.Errorf("put %+v\nhead %+v", put, head)
	}
}

func TestPutConditionsHold(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	first, err := b.Put(t.Context(), "k", []byte("1"), PutOptions{IfNoneMatch: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), "k", []byte("1"), PutOptions{IfNoneMatch: true})
	wantIs(t, err, ErrExists)
	wantCode(t, err, fault.Temporary)
	second, err := b.Put(t.Context(), "k", []byte("2"), PutOptions{IfMatch: first.ETag})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), "k", []byte("3"), PutOptions{IfMatch: first.ETag})
	wantIs(t, err, ErrChanged)
	if second.ETag == first.ETag || string(readAll(t, b, "k")) != "2" {
		t.Error("a put under a failed condition changed the object")
	}
}

func TestPutIsWonByExactlyOneOfTwentyRacers(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	// Half of the answers are lost, so racers must find out who they are.
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Times: 10, Fault: s3server.Fault{Kind: s3server.LoseAnswer}})
	var won, lost atomic.Int32
	var racers sync.WaitGroup
	for range 20 {
		racers.Go(func() {
			switch _, err := b.Put(t.Context(), "lease", []byte("all write the same"), PutOptions{IfNoneMatch: true}); {
			case err == nil:
				won.Add(1)
			default:
				wantIs(t, err, ErrExists)
				lost.Add(1)
			}
		})
	}
	racers.Wait()
	if won.Load() != 1 || lost.Load() != 19 {
		t.Errorf("%d won and %d lost", won.Load(), lost.Load())
	}
}

func TestPutConditionalSurvivesAProxyThatSendsItTwice(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{Kind: s3server.Repeat}})
	first, err := b.Put(t.Context(), "k", []byte("1"), PutOptions{IfNoneMatch: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), "k", []byte("2"), PutOptions{IfMatch: first.ETag}); err != nil || string(readAll(t, b, "k")) != "2" {
		t.Error(err)
	}
	_, err = b.Put(t.Context(), "k", []byte("3"), PutOptions{IfNoneMatch: true})
	wantIs(t, err, ErrExists)
}

func TestPutConditionalSurvivesALostAnswer(t *testing.T) {
	for name, times := range map[string]int{"once": 1, "each time": 0} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t)
			b := openAt(t, srv)
			lose := s3server.Rule{Op: s3server.OpPutObject, Times: times, Fault: s3server.Fault{Kind: s3server.LoseAnswer}}
			srv.Inject(lose)
			first, err := b.Put(t.Context(), "k", []byte("1"), PutOptions{IfNoneMatch: true})
			if err != nil {
				t.Fatal(err)
			}
			srv.Inject(lose)
			second, err := b.Put(t.Context(), "k", []byte("2"), PutOptions{IfMatch: first.ETag})
			if err != nil {
				t.Fatal(err)
			}
			if head, _ := b.Head(t.Context(), "k"); head.ETag != second.ETag || second.SHA256 != shaOf([]byte("2")) {
				t.Errorf("Put says %+v, the store %+v", second, head)
			}
		})
	}
}

func TestPutClaimsNeitherWhenNobodyCanBeAsked(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Times: 1, Fault: s3server.Fault{Kind: s3server.LoseAnswer}})
	srv.Inject(s3server.Rule{Op: s3server.OpHeadObject, Fault: s3server.Fault{Kind: s3server.Answer, Status: 503}})
	_, err := b.Put(t.Context(), "k", []byte("1"), PutOptions{IfNoneMatch: true})
	wantCode(t, err, fault.Unavailable)
}

func TestPutRetriesConflicts(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	conflict := s3server.Fault{Kind: s3server.Answer, Status: 409, Code: "ConditionalRequestConflict"}
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Times: 3, Fault: conflict})
	if _, err := b.Put(t.Context(), "k", []byte("1"), PutOptions{IfNoneMatch: true}); err != nil {
		t.Fatal(err)
	}
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: conflict})
	_, err := b.Put(t.Context(), "k2", []byte("1"), PutOptions{IfNoneMatch: true})
	wantCode(t, err, fault.Temporary)
}

func TestPutSaysWhatTheStoreDoesNotSupport(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	answer := func(status int, code, message string) {
		srv.ClearFaults()
		srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Status: status, Code: code, Message: message}})
	}
	answer(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
	_, err := b.Put(t.Context(), "k", nil, PutOptions{IfNoneMatch: true})
	wantIs(t, err, ErrConditionsUnsupported)
	wantCode(t, err, fault.Config)

	for _, message := range []string{"Server side encryption specified but KMS is not configured", "A header you provided implies functionality that is not implemented"} {
		answer(501, "NotImplemented", message)
		_, err = b.Put(t.Context(), "k", nil, PutOptions{})
		wantIs(t, err, errSSE)
		wantCode(t, err, fault.Config)
		_, err = b.Upload(t.Context(), "k", UploadOptions{})
		wantIs(t, err, errSSE)
	}
}

func TestPutSendsDamagedBodiesAgain(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Times: 2, Fault: s3server.Fault{Kind: s3server.Answer, Status: 400, Code: "BadDigest"}})
	mustPut(t, b, "k", []byte("1"))
	srv.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{Kind: s3server.Answer, Status: 400, Code: "BadDigest"}})
	_, err := b.Put(t.Context(), "k", []byte("1"), PutOptions{})
	wantCode(t, err, fault.Integrity)
}
