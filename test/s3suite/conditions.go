package s3suite

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func ifAbsent(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }

func conditions(s *session) {
	s.sub("If-None-Match keeps the first", func(s *session) {
		_, err := s.put("a", []byte("first"), ifAbsent)
		s.ok(err)
		_, err = s.put("a", []byte("second"), ifAbsent)
		s.fails(err, "PreconditionFailed")
		s.status(err, http.StatusPreconditionFailed)
		s.holds("a", []byte("first"))
	})
	s.sub("If-Match replaces what was seen only", func(s *session) {
		first := s.mustPut("a", []byte("first"))
		second, err := s.put("a", []byte("second"), func(in *s3.PutObjectInput) { in.IfMatch = first.ETag })
		s.ok(err)
		_, err = s.put("a", []byte("third"), func(in *s3.PutObjectInput) { in.IfMatch = first.ETag })
		s.fails(err, "PreconditionFailed")
		_, err = s.put("missing", []byte("x"), func(in *s3.PutObjectInput) { in.IfMatch = second.ETag })
		s.fails(err, "NoSuchKey")
		s.holds("a", []byte("second"))
	})
	s.sub("a deletion goes by what was seen", func(s *session) {
		first := s.mustPut("a", []byte("first"))
		s.mustPut("a", []byte("second"))
		_, err := s.c.DeleteObject(s.ctx, &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: s.key("a"), IfMatch: first.ETag})
		s.fails(err, "PreconditionFailed")
		s.holds("a", []byte("second"))
	})
	s.sub("one of many racing writers wins", oneWins)
	s.sub("reads", conditionalReads)
}

// oneWins races 20 writers for a key that is not there.
func oneWins(s *session) {
	var wg sync.WaitGroup
	var won atomic.Int32
	winner := make(chan string, 20)
	for i := range 20 {
		wg.Go(func() {
			body := fmt.Sprintf("writer %d", i)
			if _, err := s.put("a", []byte(body), ifAbsent); err == nil {
				won.Add(1)
				winner <- body
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		s.Fatalf("%d of 20 writers won", won.Load())
	}
	s.holds("a", []byte(<-winner))
}

func conditionalReads(s *session) {
	out := s.mustPut("a", []byte("x"))
	_, _, err := s.get("a", func(in *s3.GetObjectInput) { in.IfMatch = out.ETag })
	s.ok(err)
	_, _, err = s.get("a", func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"other"`) })
	s.fails(err, "PreconditionFailed")
	_, _, err = s.get("a", func(in *s3.GetObjectInput) { in.IfNoneMatch = out.ETag })
	s.status(err, http.StatusNotModified)
	_, _, err = s.get("a", func(in *s3.GetObjectInput) { in.IfNoneMatch = aws.String(`"other"`) })
	s.ok(err)
}
