package signing

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// openssl runs it in dir, and gives what it prints.
func openssl(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	need.Program(t, "openssl")
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustOpenssl(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := openssl(t, dir, args...)
	if err != nil {
		t.Fatalf("openssl %q: %v: %s", args, err, out)
	}
	return out
}

func TestWhatIsSignedHereOpensslVerifiesAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	mustOpenssl(t, dir, "genpkey", "-algorithm", "ed25519", "-out", "key.pem")
	mustOpenssl(t, dir, "pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem")
	signer, err := Load(filepath.Join(dir, "key.pem"), true)
	if err != nil {
		t.Fatal(err)
	}
	document := []byte("{\n  \"schema\": 1\n}")
	signature := signer.Sign(document)
	for name, body := range map[string][]byte{"document": document, "signature": signature, "altered": append([]byte(nil), append(document, '\n')...)} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustOpenssl(t, dir, "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", "document", "-sigfile", "signature")
	if out, err := openssl(t, dir, "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", "altered", "-sigfile", "signature"); err == nil {
		t.Errorf("openssl takes an altered document: %s", out)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	public := parsed.(ed25519.PublicKey)
	if !signer.Among([]ed25519.PublicKey{public}) || ID(public) != signer.ID() || len(signer.ID()) != 16 {
		t.Errorf("the key is %s there and %s here", ID(public), signer.ID())
	}
}

func keyPair(t testing.TB) (ed25519.PublicKey, *Signer) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, &Signer{private}
}

func TestEveryChangeOfDocumentOrSignatureIsFound(t *testing.T) {
	public, signer := keyPair(t)
	other, _ := keyPair(t)
	document := []byte(`{"schema": 1, "id": "20261122T020000Z-1a2b3c"}`)
	signature := signer.Sign(document)
	trusted := []ed25519.PublicKey{other, public}
	if !Verify(trusted, document, signature) {
		t.Fatal("a good signature is refused")
	}
	for i := range 8 * len(document) {
		document[i/8] ^= 1 << (i % 8)
		if Verify(trusted, document, signature) {
			t.Fatalf("bit %d of the document", i)
		}
		document[i/8] ^= 1 << (i % 8)
	}
	for i := range 8 * len(signature) {
		signature[i/8] ^= 1 << (i % 8)
		if Verify(trusted, document, signature) {
			t.Fatalf("bit %d of the signature", i)
		}
		signature[i/8] ^= 1 << (i % 8)
	}
	for name, wrong := range map[string][]byte{"none": nil, "cut": signature[:63], "longer": append(append([]byte(nil), signature...), 0)} {
		if Verify(trusted, document, wrong) {
			t.Errorf("a signature that is %s", name)
		}
	}
	if Verify(nil, document, signature) || Verify([]ed25519.PublicKey{other}, document, signature) {
		t.Error("a key that is not trusted")
	}
}

func TestAKeyThatCannotBeUsedIsRefusedWithoutBeingShown(t *testing.T) {
	dir := t.TempDir()
	mustOpenssl(t, dir, "genpkey", "-algorithm", "ed25519", "-out", "good.pem")
	good, err := os.ReadFile(filepath.Join(dir, "good.pem"))
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Split(string(good), "\n")[1]
	mustOpenssl(t, dir, "genpkey", "-algorithm", "ed448", "-out", "other.pem")
	mustOpenssl(t, dir, "pkey", "-in", "good.pem", "-pubout", "-out", "public.pem")
	for name, text := range map[string]string{
		"empty.pem": "", "bare.pem": secret, "cut.pem": strings.Replace(string(good), secret, secret[:40], 1), "loose.pem": string(good),
	} {
		mode := os.FileMode(0o600)
		if name == "loose.pem" {
			mode = 0o640
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"empty.pem", "bare.pem", "cut.pem", "loose.pem", "other.pem", "public.pem", "missing.pem", "."} {
		_, err := Load(filepath.Join(dir, name), true)
		if fault.CodeOf(err) != fault.Config || fault.Remedy(err) == "" {
			t.Errorf("%s: code %d, %v", name, fault.CodeOf(err), err)
		}
		if err != nil && strings.Contains(err.Error(), secret[10:30]) {
			t.Errorf("%s: the key is shown: %v", name, err)
		}
	}
	if _, err := Load(filepath.Join(dir, "loose.pem"), false); err != nil {
		t.Errorf("a credential, whose mode says nothing: %v", err)
	}
}
