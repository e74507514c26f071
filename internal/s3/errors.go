package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// What callers branch on, by errors.Is.
var (
	ErrNotFound              = errors.New("no such object or bucket")
	ErrExists                = errors.New("the key exists already")
	ErrChanged               = errors.New("the object was changed by somebody else")
	ErrArchived              = errors.New("the object is archived and must be thawed first")
	ErrConditionsUnsupported = errors.New("the store does not support conditional writes")
)

// longestText caps what a store says in an error, in bytes, before it is made visible.
const longestText = 300

// cause is what stands behind an error: safe text, and the chain for errors.Is and errors.As.
type cause struct {
	text     string
	sentinel error // may be nil
	err      error
}

func (c *cause) Error() string { return c.text }

func (c *cause) Unwrap() []error {
	if c.sentinel == nil {
		return []error{c.err}
	}
	return []error{c.sentinel, c.err}
}

// fail is the one place where an error of the SDK becomes ours. A cancelled ctx wins over what
// the request says about it.
func (b *Bucket) fail(ctx context.Context, verb, key string, err error) error {
	what := subject(verb, key)
	if ctx.Err() != nil {
		why := context.Cause(ctx)
		if errors.Is(why, context.DeadlineExceeded) {
			return fault.New(fault.Unavailable, what,
				"Check the network to the store: it did not answer in time.", why)
		}
		return fmt.Errorf("%s: %w", what, why)
	}
	var done *fault.Error
	if errors.As(err, &done) {
		return fmt.Errorf("%s: %w", what, err)
	}
	v := b.classify(err)
	return fault.New(v.code, what, v.remedy, &cause{text: b.describe(err), sentinel: v.sentinel, err: err})
}

// because is fail with the reason already known.
func (b *Bucket) because(verb, key string, v verdict, err error) error {
	c := &cause{text: v.sentinel.Error(), sentinel: v.sentinel, err: err}
	if err != nil {
		c.text += " (" + b.describe(err) + ")"
	} else {
		c.err = v.sentinel
	}
	return fault.New(v.code, subject(verb, key), v.remedy, c)
}

func subject(verb, key string) string {
	if key == "" {
		return "s3: " + verb
	}
	return "s3: " + verb + " " + visible(key)
}

// describe is err as one short line: the store's code and message, or the innermost reason of a
// failed connection. No URL, no SDK preamble, no secret.
func (b *Bucket) describe(err error) string {
	var api smithy.APIError
	var link *url.Error
	text := err.Error()
	switch status := statusOf(err); {
	case errors.As(err, &api) && status >= 300:
		text = fmt.Sprintf("%s (HTTP %d)", codeAndMessage(api), status)
	case errors.As(err, &api):
		text = codeAndMessage(api)
	case errors.As(err, &link):
		text = link.Err.Error()
	case cutShort(err):
		text = "the answer broke off or is not S3's (" + innermost(err).Error() + ")"
	case status >= 300:
		text = fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
	}
	return visible(b.credentials.redact(text))
}

// innermost is the error that everything else in the chain only wraps.
func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func codeAndMessage(err smithy.APIError) string {
	if err.ErrorMessage() == "" || err.ErrorMessage() == err.ErrorCode() {
		return err.ErrorCode()
	}
	return err.ErrorCode() + ": " + err.ErrorMessage()
}

func visible(s string) string {
	if len(s) > longestText {
		s = strings.ToValidUTF8(s[:longestText], "") + "…"
	}
	return printable.Text(s)
}

// codeOf is the store's own error code, or "".
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// says reports whether the store's message contains one of words, whatever the case.
func says(err error, words ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	message := strings.ToLower(api.ErrorMessage())
	for _, w := range words {
		if strings.Contains(message, w) {
			return true
		}
	}
	return false
}

// headerOf is a header of the answer that err came with, or "".
func headerOf(err error, name string) string {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) && r.Response != nil && r.Response.Response != nil {
		return r.Response.Header.Get(name)
	}
	return ""
}

// certificateRemedy names what is wrong with the server's certificate.
func certificateRemedy(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "Set AWS_CA_BUNDLE to the CA of the store's certificate, if you trust it: the authority is unknown here."
	case errors.As(err, &host):
		return "Correct the endpoint or the store's certificate, which is for another host name."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Renew the store's certificate, and check this host's clock: it has expired or is not valid yet."
	case errors.As(err, &invalid):
		return "Replace the store's certificate: it is not valid."
	}
	return "Correct the endpoint's scheme or port: it does not speak TLS."
}

// networkRemedy tells the ways apart in which a store is not reached.
func networkRemedy(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "Check the endpoint's host name and this host's DNS."
	}
	return "Check the network, the proxy and the firewall between this host and the store, then retry."
}
