package backup

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"

	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// LookRecipe is the commands, in the form of Recipe, that find the sets of a job's database without pgbtui, and show
// who wrote set, whose Recipe comes after. trusted are the keys whose signatures count; none: sets are not signed.
func LookRecipe(job config.Job, set *Set, trusted []ed25519.PublicKey, location, endpoint string) []string {
	aws := awsFor(endpoint)
	folder := FolderOf(job)
	if set != nil && set.Kind == KindLegacy {
		folder = Root(job.S3.Prefix)
	}
	lines := []string{
		"# which sets there are, the newest last; one counts only if its folder has a manifest.json",
		aws + " s3 ls " + ShellQuote(location+folder),
	}
	if set == nil || set.Kind != KindNative {
		return lines
	}
	lines = append(lines,
		"# for another set than "+set.ID+", put its ID in the place of this one everywhere, and the sums (sha256) and",
		"# names (key) that its manifest has in the place of those below",
		aws+" s3 cp "+ShellQuote(location+set.Dir+ManifestName)+" manifest.json",
	)
	for _, key := range trusted {
		if signing.ID(key) != set.Manifest.Signer {
			continue
		}
		lines = append(lines,
			"# go on only if this says that the signature was verified: whoever may write to the bucket can change the rest",
			aws+" s3 cp "+ShellQuote(location+set.Dir+SignatureName)+" "+SignatureName,
			`printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' `+ShellQuote(PublicKeyText(key))+" >pub.pem",
			"openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in manifest.json -sigfile "+SignatureName,
		)
	}
	return lines
}

// PublicKeyText is a public key in a line, as the configuration has it.
func PublicKeyText(key ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "" // not for an ed25519 key
	}
	return base64.StdEncoding.EncodeToString(der)
}

// awsFor is the start of a command of the AWS client.
func awsFor(endpoint string) string {
	if endpoint == "" {
		return "aws"
	}
	return "aws --endpoint-url " + ShellQuote(endpoint)
}
