package s3server

// AWS Signature Version 4 as S3 uses it ("Authenticating Requests (AWS Signature Version 4)" in the
// S3 API reference): the path is encoded once and never cleaned, and the payload's hash is a header.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	signAlgorithm = "AWS4-HMAC-SHA256"
	amzTime       = "20060102T150405Z"
	maxSkew       = 15 * time.Minute
)

// credential is what the Authorization header, or a presigned query, claims.
type credential struct {
	accessKey     string
	scope         string // date/region/service/aws4_request
	day, region   string
	service       string
	signedHeaders []string
	signature     string
}

// parseAuthorization reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func parseAuthorization(header string) (credential, error) {
	rest, ok := strings.CutPrefix(header, signAlgorithm+" ")
	if !ok {
		return credential{}, apiErr(http.StatusBadRequest, "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return credential{}, malformedAuthorization("a field has no value")
		}
		fields[name] = value
	}
	return newCredential(fields["Credential"], fields["SignedHeaders"], fields["Signature"])
}

func newCredential(scope, headers, signature string) (credential, error) {
	parts := strings.Split(scope, "/")
	if len(parts) < 5 || headers == "" || len(signature) != 64 {
		return credential{}, malformedAuthorization("credential, signed headers or signature is missing or malformed")
	}
	n := len(parts) - 4 // an access key may hold slashes
	c := credential{
		accessKey: strings.Join(parts[:n], "/"), scope: strings.Join(parts[n:], "/"),
		day: parts[n], region: parts[n+1], service: parts[n+2],
		signedHeaders: strings.Split(headers, ";"), signature: signature,
	}
	if c.accessKey == "" || c.day == "" || c.region == "" || c.service == "" {
		return credential{}, malformedAuthorization("the credential has an empty field")
	}
	if parts[n+3] != "aws4_request" || !sort.StringsAreSorted(c.signedHeaders) {
		return credential{}, malformedAuthorization("the scope must end in aws4_request and signed headers must be sorted")
	}
	return c, nil
}

func malformedAuthorization(why string) error {
	return apiErr(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed; %s.", why)
}

// signingKey derives the day's key from the secret.
func signingKey(secret string, c credential) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.day, c.region, c.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return key
}

// signingKeys are those that were derived already: a client signs with one all day.
type signingKeys struct{ known sync.Map }

func (k *signingKeys) of(secret string, c credential) []byte {
	id := [2]string{secret, c.scope}
	if key, ok := k.known.Load(id); ok {
		return key.([]byte)
	}
	key := signingKey(secret, c)
	k.known.Store(id, key)
	return key
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// stringToSign binds a canonical request to a time and scope.
func stringToSign(at time.Time, scope, canonical string) string {
	return strings.Join([]string{signAlgorithm, at.Format(amzTime), scope, hexSHA256(canonical)}, "\n")
}

// canonicalRequest is the request as both sides write it before signing.
func canonicalRequest(r *http.Request, signedHeaders []string, payloadHash string) (string, error) {
	rawPath, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	path, err := url.PathUnescape(rawPath)
	if err != nil {
		return "", invalidArgument("the path cannot be read")
	}
	query, err := canonicalQuery(rawQuery)
	if err != nil {
		return "", err
	}
	var headers strings.Builder
	for _, name := range signedHeaders {
		headers.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method, uriEncode(path, true), query, headers.String(), strings.Join(signedHeaders, ";"), payloadHash,
	}, "\n"), nil
}

// canonicalQuery sorts the encoded pairs and leaves the signature itself out.
func canonicalQuery(raw string) (string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", invalidArgument("the query cannot be read")
	}
	var pairs []string
	for name, list := range values {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range list {
			pairs = append(pairs, uriEncode(name, false)+"="+uriEncode(value, false))
		}
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "&"), nil
}

// canonicalHeader joins a header's values, trimmed, inner spaces collapsed. Go keeps Host, Transfer-Encoding and, for
// some requests, Content-Length out of the header map. AWS CLI 2.23 signs the second.
func canonicalHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	case name == "transfer-encoding" && len(values) == 0:
		values = r.TransferEncoding
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ",")
}

// uriEncode leaves only unreserved characters (RFC 3986), and slashes when asked.
func uriEncode(text string, keepSlash bool) string {
	const upper = "0123456789ABCDEF"
	if !needsEncoding(text, keepSlash) { // most keys, of which a list has many
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if ch := text[i]; unreserved(ch, keepSlash) {
			b.WriteByte(ch)
		} else {
			b.Write([]byte{'%', upper[ch>>4], upper[ch&15]})
		}
	}
	return b.String()
}

func needsEncoding(text string, keepSlash bool) bool {
	for i := range len(text) {
		if !unreserved(text[i], keepSlash) {
			return true
		}
	}
	return false
}

func unreserved(ch byte, slash bool) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' ||
		ch == '-' || ch == '_' || ch == '.' || ch == '~' || ch == '/' && slash
}
