package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// certificate writes a certificate for the store, and the CA that its callers have to trust. It
// returns the store's arguments.
func certificate(dir, caFile string) ([]string, error) {
	pair, ca, err := s3server.SelfSigned("127.0.0.1", "::1", "localhost")
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return nil, err
	}
	certFile, keyFile := filepath.Join(dir, "store.pem"), filepath.Join(dir, "store.key")
	for file, content := range map[string][]byte{
		caFile:   ca,
		certFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}),
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return nil, err
		}
	}
	return []string{"--tls-cert=" + certFile, "--tls-key=" + keyFile}, nil
}
