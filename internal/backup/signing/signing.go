// Package signing says who wrote a document: raw ed25519 over its exact bytes, in 64 bytes beside it.
//
// Rules: plain formats, so that `openssl pkeyutl -verify -rawin` alone can check it; keys are what
// `openssl genpkey -algorithm ed25519` makes; no error ever quotes a private key.
package signing

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// SignatureBytes is the length of every signature.
const SignatureBytes = ed25519.SignatureSize

// Signer holds the private key of a writer.
type Signer struct{ key ed25519.PrivateKey }

// Load reads a private key, PKCS #8 in PEM. A guarded file must not be readable by others: whoever
// reads it can sign. (systemd guards credentials by access lists, which make the mode look loose.)
func Load(file string, guarded bool) (*Signer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, openError(file, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, openError(file, err)
	}
	if !info.Mode().IsRegular() {
		return nil, wrongKey(file, "not a file")
	}
	if loose := info.Mode().Perm() & 0o077; guarded && loose != 0 {
		return nil, fault.New(fault.Config,
			fmt.Sprintf("signing: %s has mode %04o: others can read the key, or put another in its place", file,
				info.Mode().Perm()),
			"Set its mode to 0600, owned by the user that runs backups. Replace a key that others could read.", nil)
	}
	raw, err := bounded.ReadAll(f, 16<<10)
	if err != nil {
		return nil, openError(file, err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, wrongKey(file, "no PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, wrongKey(file, "not PKCS #8") // the parser's error could quote the key
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, wrongKey(file, "a key of another kind than ed25519")
	}
	return &Signer{key}, nil
}

func openError(file string, err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fault.New(fault.NotPermitted, "signing: open "+file,
			"Give the key to the user that runs backups, or hand it over as the systemd credential signing-key.", err)
	}
	return fault.New(fault.Config, "signing: open "+file, "Name the private key in signing.key_file.", err)
}

func wrongKey(file, why string) error {
	return fault.New(fault.Config, "signing: "+file+" is no signing key: "+why,
		"Make one with `openssl genpkey -algorithm ed25519`.", nil)
}

// ID names the public key.
func (s *Signer) ID() string { return ID(s.public()) }

func (s *Signer) public() ed25519.PublicKey {
	return s.key.Public().(ed25519.PublicKey)
} //nolint:forcetypeassert // crypto/ed25519 says so

// Sign returns the signature of a document.
func (s *Signer) Sign(document []byte) []byte { return ed25519.Sign(s.key, document) }

// Among reports whether readers who trust these keys trust this signer.
func (s *Signer) Among(trusted []ed25519.PublicKey) bool {
	return slices.ContainsFunc(trusted, func(k ed25519.PublicKey) bool { return k.Equal(s.public()) })
}

// Verify reports whether one of the trusted keys signed the document.
func Verify(trusted []ed25519.PublicKey, document, signature []byte) bool {
	return len(signature) == SignatureBytes &&
		slices.ContainsFunc(trusted, func(k ed25519.PublicKey) bool { return ed25519.Verify(k, document, signature) })
}

// ID is a short name of a public key: the first 16 hex digits of the SHA-256 of its DER form.
func ID(key ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "" // not for an ed25519 key
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:8])
}
