package s3server

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// apiError is one of S3's errors ("Error responses" in the API reference).
type apiError struct {
	Status  int
	Code    string
	Message string
	Header  map[string]string // further headers of the answer
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

func apiErr(status int, code, format string, args ...any) *apiError {
	return &apiError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// with adds a header to the answer.
func (e *apiError) with(name, value string) *apiError {
	if e.Header == nil {
		e.Header = map[string]string{}
	}
	e.Header[name] = value
	return e
}

// asAPIError is err as S3 says it; what is not S3's is an internal error.
func asAPIError(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return apiErr(http.StatusInternalServerError, "InternalError", "%v", err)
}

func invalidArgument(format string, args ...any) *apiError {
	return apiErr(http.StatusBadRequest, "InvalidArgument", format, args...)
}

func invalidRequest(format string, args ...any) *apiError {
	return apiErr(http.StatusBadRequest, "InvalidRequest", format, args...)
}

func accessDenied(format string, args ...any) *apiError {
	return apiErr(http.StatusForbidden, "AccessDenied", format, args...)
}

func badDigest(what string) *apiError {
	return apiErr(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", what)
}

func noSuchKey() *apiError {
	return apiErr(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func noSuchBucket() *apiError {
	return apiErr(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

func noSuchUpload() *apiError {
	return apiErr(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}

func preconditionFailed(condition string) *apiError {
	return apiErr(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold (%s)", condition)
}

func conflict() *apiError {
	return apiErr(http.StatusConflict, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.")
}

func malformedXML() *apiError {
	return apiErr(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func notImplemented(what string) *apiError {
	return apiErr(http.StatusNotImplemented, "NotImplemented", "A header or operation you provided implies functionality that is not implemented: %s", what)
}

type errorBody struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

// drainLimit is how much of an unread body is swallowed after an error, so that a client that
// is still sending sees the error and not a reset.
const drainLimit = 64 << 20

// writeError answers err in S3's shape; HEAD and 304 carry no body. Errors that are not S3's are 500.
func (c *call) writeError(err error) {
	e := asAPIError(err)
	body := c.errorXML(e)
	answer := http.NewResponseController(c.w)
	_ = answer.EnableFullDuplex() // else net/http reads the body before it sends the header
	h := c.w.Header()
	for name, value := range e.Header {
		h.Set(name, value)
	}
	if e.Status == http.StatusNotModified || c.r.Method == http.MethodHead {
		c.w.WriteHeader(e.Status)
	} else {
		h.Set("Content-Type", "application/xml")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		c.w.WriteHeader(e.Status)
		_, _ = c.w.Write(body)
	}
	_ = answer.Flush() // now, not when a slow sender is done
	// After Expect: 100-continue a refused client sends nothing, and a read would wait for it.
	if c.r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, c.r.Body, drainLimit)
	}
}

func (c *call) errorXML(e *apiError) []byte {
	return xmlDocument(errorBody{
		Code: e.Code, Message: e.Message, Resource: c.r.URL.Path, RequestID: c.id, HostID: c.id + c.id,
	})
}
