package s3server

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// Signed checks the signature of a request to another service of AWS, whose whole body is body. It is nil when the
// request was signed with this key for that region and service, now.
func Signed(r *http.Request, body []byte, key Credential, region, service string) error {
	cred, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	at, err := requestTime(r.Header)
	if err != nil {
		return err
	}
	if cred.accessKey != key.AccessKey || cred.region != region || cred.service != service || cred.day != at.Format("20060102") {
		return fmt.Errorf("signed by %s for %s", cred.accessKey, cred.scope)
	}
	if err := mustBeSigned(r, cred.signedHeaders); err != nil {
		return err
	}
	canonical, err := canonicalRequest(r, cred.signedHeaders, hexSHA256(string(body)))
	if err != nil {
		return err
	}
	want := hex.EncodeToString(hmacSHA256(signingKey(key.SecretKey, cred), stringToSign(at, cred.scope, canonical)))
	if !hmac.Equal([]byte(want), []byte(cred.signature)) {
		return signatureMismatch()
	}
	if token := r.Header.Get("X-Amz-Security-Token"); token != key.SessionToken {
		return fmt.Errorf("the session's token is %q", strings.Repeat("x", len(token)))
	}
	return nil
}
