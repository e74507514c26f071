package signing

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// fixedKey is the same in every process of a fuzzer.
func fixedKey() *Signer {
	return &Signer{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))}
}

// Document and signature both come out of the bucket, where anybody may have written them.
func FuzzOnlyWhatTheSignerWroteVerifies(f *testing.F) {
	signer := fixedKey()
	document := []byte(`{"schema":1}`)
	f.Add(document, signer.Sign(document))
	f.Add(document, signer.Sign([]byte(`{"schema":2}`)))
	f.Add(document, []byte(nil))
	f.Add([]byte(nil), make([]byte, SignatureBytes))
	f.Add(document, append(signer.Sign(document), 0))
	f.Fuzz(func(t *testing.T, document, signature []byte) {
		good := Verify([]ed25519.PublicKey{signer.public()}, document, signature)
		if want := bytes.Equal(signature, signer.Sign(document)); good != want { // ed25519 makes one signature of each document
			t.Fatalf("%x on %q: %v, want %v", signature, document, good, want)
		}
		if Verify(nil, document, signature) {
			t.Fatal("trusted without a key")
		}
	})
}

func FuzzAFileIsAKeyOrAnErrorThatDoesNotShowIt(f *testing.F) {
	der, err := x509.MarshalPKCS8PrivateKey(fixedKey().key)
	if err != nil {
		f.Fatal(err)
	}
	good := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der[:len(der)-1]}))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	f.Add([]byte(""))
	file := filepath.Join(f.TempDir(), "key.pem")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		signer, err := Load(file, true)
		if err == nil {
			if document := []byte("x"); !Verify([]ed25519.PublicKey{signer.public()}, document, signer.Sign(document)) {
				t.Fatal("a key that does not fit itself")
			}
			return
		}
		if fault.CodeOf(err) != fault.Config {
			t.Fatalf("code %d: %v", fault.CodeOf(err), err)
		}
		if said := strings.ReplaceAll(err.Error(), file, ""); len(raw) > 16 && strings.Contains(said, string(raw)) {
			t.Fatalf("the key is shown: %s", said)
		}
	})
}
