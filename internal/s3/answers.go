package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// What a store answers is decoded in memory, so it has an end: a page of a list has at most 1000 keys
// of 1024 bytes each, three times that in URL encoding. Only the bytes of an object are passed on as
// they come.
const (
	maxAnswerBytes = 5 << 20
	maxHeaderBytes = 1 << 20
)

var errLongAnswer = errors.New("the store's answer is longer than any that S3 gives")

// shortAnswers ends an answer that goes on beyond what S3 ever sends.
type shortAnswers struct{ http.RoundTripper }

func (s shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	if err != nil || response.Body == nil {
		return response, err
	}
	object := awsmiddleware.GetOperationName(r.Context()) == "GetObject" && response.StatusCode/100 == 2
	if !object && r.Method != http.MethodHead {
		response.Body = answer{bounded.Reader(response.Body, maxAnswerBytes), response.Body}
	}
	return response, nil
}

type answer struct {
	io.Reader
	io.Closer
}

func (a answer) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if errors.Is(err, bounded.ErrTooLarge) {
		err = fmt.Errorf("%w: more than %d bytes", errLongAnswer, maxAnswerBytes)
	}
	return n, err
}
