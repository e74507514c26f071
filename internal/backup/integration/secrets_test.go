package integration

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestNoSecretReachesLogManifestObjectsOrErrors(t *testing.T) {
	const canary = "CANARY-7c1f"
	pg, small := smallDatabase(t)
	t.Setenv("PGPASSWORD", canary+"-database")
	w := newWorldOn(t, pg, small)
	w.env.Bucket = w.bucket(t, w.store.AccessKey, w.store.SecretKey)
	w.job.Alert.SlackWebhook = "https://hooks.example/" + canary
	pg.Exec(t, "postgres", "CREATE ROLE canary LOGIN PASSWORD '"+canary+"'")
	t.Cleanup(func() { pg.Exec(t, "postgres", "DROP ROLE canary") })
	verifier := pg.QueryString(t, "postgres", "SELECT rolpassword FROM pg_authid WHERE rolname = 'canary'")
	secrets := []string{canary, w.store.SecretKey, verifier}
	id := newIdentity(t)
	secrets = append(secrets, id.String())

	var seen []string
	seen = append(seen, w.run(t).Folder)
	set := w.find(t, "latest")
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
		t.Fatal(err)
	}
	w.store.Inject(s3server.Rule{Op: s3server.OpCreateMultipart, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied", Message: "not with " + w.store.SecretKey}})
	_, err := w.try(t.Context())
	seen = append(seen, err.Error(), w.log.text())
	w.store.ClearFaults()
	w.job.Postgres.User = "nobody_known"
	_, err = w.try(t.Context())
	seen = append(seen, err.Error())
	for _, key := range w.keys(t) {
		object, err := w.env.Bucket.Head(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range object.Metadata {
			seen = append(seen, k+"="+v)
		}
		seen = append(seen, key, plainText(t, w.body(t, key)))
	}
	for _, s := range secrets {
		for _, text := range seen {
			if at := strings.Index(text, s); at >= 0 {
				t.Errorf("a secret is in …%.200s", text[max(0, at-100):])
			}
		}
	}
	encrypted(t, w, verifier)
}

// encrypted: only a set that we encrypt carries verifiers, and then only inside.
func encrypted(t *testing.T, w *world, verifier string) {
	t.Helper()
	id := newIdentity(t)
	w.job.Postgres.User, w.job.Encryption.Recipients = "postgres", []string{id.Recipient().String()}
	m := w.run(t).Manifest
	set := w.find(t, m.ID)
	globals, err := stored.Small(t.Context(), w.env, set, m.Globals, []age.Identity{id})
	if err != nil || !bytes.Contains(globals, []byte(verifier)) {
		t.Errorf("an encrypted set lacks role passwords: %v", err)
	}
	for _, key := range w.keysOf(t, set) {
		body := w.body(t, key)
		for _, secret := range []string{verifier, "CREATE TABLE", id.String()} {
			if bytes.Contains(body, []byte(secret)) {
				t.Errorf("%s holds %.20s in the open", key, secret)
			}
		}
	}
}

// plainText is an object as it is, and decompressed where it is compressed.
func plainText(t *testing.T, body []byte) string {
	t.Helper()
	r, err := zstd.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		return string(body)
	}
	return string(raw)
}
