package s3server

import (
	"crypto/hmac"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The forms of x-amz-content-sha256 that are not a literal hash.
const (
	unsignedPayload       = "UNSIGNED-PAYLOAD"
	streamingUnsigned     = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streamingSigned       = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrails = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// authorized is what a checked signature leaves behind for reading the payload.
type authorized struct {
	payloadHash string // hex SHA-256 or one of the forms above
	key         []byte // the day's signing key
	scope       string
	at          time.Time
	signature   string // the seed of chunk signatures
}

// authenticate checks the request's signature; nothing is anonymous here.
func (s *Server) authenticate(c *call) error {
	switch {
	case c.query.Has("X-Amz-Algorithm"):
		return s.authenticateQuery(c)
	case c.r.Header.Get("Authorization") != "":
		return s.authenticateHeader(c)
	}
	return accessDenied("Access Denied: the request is not signed")
}

func (s *Server) authenticateHeader(c *call) error {
	cred, err := parseAuthorization(c.r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	hash := c.r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		return apiErr(http.StatusBadRequest, "MissingSecurityHeader", "Missing required header for this request: x-amz-content-sha256")
	}
	at, err := requestTime(c.r.Header)
	if err != nil {
		return err
	}
	if skew := s.now().Sub(at); skew > maxSkew || skew < -maxSkew {
		return apiErr(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	return s.checkSignature(c, cred, at, hash)
}

// requestTime is X-Amz-Date, or Date.
func requestTime(h http.Header) (time.Time, error) {
	if text := h.Get("X-Amz-Date"); text != "" {
		at, err := time.Parse(amzTime, text)
		if err != nil {
			return at, accessDenied("X-Amz-Date is not in the form %s", amzTime)
		}
		return at, nil
	}
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return at, accessDenied("AWS authentication requires a valid Date or x-amz-date header")
	}
	return at.UTC(), nil
}

// authenticateQuery checks a presigned URL.
func (s *Server) authenticateQuery(c *call) error {
	q := c.query
	if q.Get("X-Amz-Algorithm") != signAlgorithm {
		return apiErr(http.StatusBadRequest, "AuthorizationQueryParametersError", "X-Amz-Algorithm only supports AWS4-HMAC-SHA256")
	}
	cred, err := newCredential(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"))
	if err != nil {
		return apiErr(http.StatusBadRequest, "AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter: %v", err)
	}
	at, err := time.Parse(amzTime, q.Get("X-Amz-Date"))
	if err != nil {
		return apiErr(http.StatusBadRequest, "AuthorizationQueryParametersError", "X-Amz-Date must be in the form %s", amzTime)
	}
	expires, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || expires < 1 || expires > 7*24*3600 {
		return apiErr(http.StatusBadRequest, "AuthorizationQueryParametersError", "X-Amz-Expires must be from 1 to 604800")
	}
	switch age := s.now().Sub(at); {
	case age > time.Duration(expires)*time.Second:
		return accessDenied("Request has expired")
	case age < -maxSkew:
		return accessDenied("Request is not valid yet")
	}
	hash := c.r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		hash = unsignedPayload
	}
	return s.checkSignature(c, cred, at, hash)
}

func (s *Server) checkSignature(c *call, cred credential, at time.Time, hash string) error {
	caller, known := s.callers[cred.accessKey]
	switch {
	case !known:
		return apiErr(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case cred.region != s.opt.Region && !slices.Contains(s.opt.Habits.Regions, cred.region):
		return malformedAuthorization("the region '" + cred.region + "' is wrong; expecting '" + s.opt.Region + "'")
	case cred.service != "s3" || cred.day != at.Format("20060102"):
		return malformedAuthorization("the scope must hold the request's day and the service s3")
	}
	if err := mustBeSigned(c.r, cred.signedHeaders); err != nil {
		return err
	}
	canonical, err := canonicalRequest(c.r, cred.signedHeaders, hash)
	if err != nil {
		return err
	}
	key := s.keys.of(caller.SecretKey, cred)
	want := hex.EncodeToString(hmacSHA256(key, stringToSign(at, cred.scope, canonical)))
	if !hmac.Equal([]byte(want), []byte(cred.signature)) {
		return signatureMismatch()
	}
	c.auth = authorized{payloadHash: hash, key: key, scope: cred.scope, at: at, signature: want}
	return c.allow(caller)
}

func signatureMismatch() *apiError {
	return apiErr(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
}

// allow applies what is known of the caller besides its secret.
func (c *call) allow(caller Credential) error {
	token := c.r.Header.Get("X-Amz-Security-Token")
	if token == "" {
		token = c.query.Get("X-Amz-Security-Token")
	}
	if token != caller.SessionToken {
		return apiErr(http.StatusForbidden, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	}
	if slices.Contains(caller.Deny, c.op) {
		return accessDenied("User is not authorized to perform: s3:%s", c.op)
	}
	c.accessKey, c.policy = caller.AccessKey, c.s.policyOf(caller.AccessKey)
	return c.permit()
}

// mustBeSigned refuses x-amz-* headers that the signature does not cover, as S3 does.
func mustBeSigned(r *http.Request, signed []string) error {
	if !slices.Contains(signed, "host") {
		return accessDenied("There were headers present in the request which were not signed: host")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(signed, lower) {
			return accessDenied("There were headers present in the request which were not signed: %s", lower)
		}
	}
	return nil
}
