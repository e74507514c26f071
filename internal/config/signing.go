package config

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"fmt"
)

// Signing is who may write sets. With public keys, only sets that one of them signed are trusted,
// and a backup without the private key does not start. It stands at the top of the file alone: jobs
// share places in the bucket, and a listing must trust the same keys whoever asks.
type Signing struct {
	PublicKeys []ed25519.PublicKey
	KeyFile    string // the private key; the units' credential signing-key is stronger

	texts []string // the public keys as they are written
}

type fileSigning struct {
	PublicKeys []string `yaml:"public_keys"`
	KeyFile    string   `yaml:"key_file"`
}

// signing parses the keys: each is one line, the body of what `openssl pkey -pubout` prints.
func (l loader) signing() (Signing, error) {
	if l.doc == nil {
		return Signing{}, nil
	}
	f := l.doc.settings.Signing
	s := Signing{KeyFile: f.KeyFile, texts: f.PublicKeys}
	for i, text := range f.PublicKeys {
		der, err := base64.StdEncoding.DecodeString(text)
		parsed, parseErr := x509.ParsePKIXPublicKey(der)
		key, ok := parsed.(ed25519.PublicKey)
		if err != nil || parseErr != nil || !ok {
			return s, l.problem("", fmt.Sprintf("key %d is not an ed25519 public key", i+1),
				"List the line between BEGIN and END PUBLIC KEY, as `openssl pkey -in KEY -pubout` prints it.", "signing",
				"public_keys")
		}
		s.PublicKeys = append(s.PublicKeys, key)
	}
	return s, nil
}
