package integration

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// newSigner is a writer's key, and what readers configure to trust it.
func newSigner(t testing.TB) (*signing.Signer, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := signing.Load(file, true)
	if err != nil {
		t.Fatal(err)
	}
	return signer, public
}

// runAs is a backup by whoever has the key; nil signs nothing, as a program without keys.
func (w *world) runAs(t testing.TB, signer *signing.Signer) string {
	t.Helper()
	job := w.job
	job.Signing.PublicKeys = nil
	result, err := dump.Run(t.Context(), job, w.env, dump.RunOptions{ID: backup.NewID(w.env.Now()), Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	return result.Manifest.ID
}

// signedWorld has sets by a key that it trusts.
func signedWorld(t testing.TB) (*world, *signing.Signer) {
	t.Helper()
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE a (b int); INSERT INTO a SELECT generate_series(1, 100)")
	signer, public := newSigner(t)
	w.job.Signing.PublicKeys = []ed25519.PublicKey{public}
	return w, signer
}

func TestASignedSetIsGoodAndOpensslAgrees(t *testing.T) {
	need.Program(t, "openssl")
	w, signer := signedWorld(t)
	result, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: backup.NewID(w.env.Now()), Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	set := w.find(t, "latest")
	if set.ID != result.Manifest.ID || set.Signature != backup.SignatureGood || set.Manifest.Signer != signer.ID() {
		t.Fatalf("%+v", set)
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	der, err := x509.MarshalPKIXPublicKey(w.job.Signing.PublicKeys[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"pub.pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), backup.ManifestName: w.body(t, set.Dir+backup.ManifestName), backup.SignatureName: w.body(t, set.Dir+backup.SignatureName),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", backup.ManifestName, "-sigfile", backup.SignatureName)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl: %v: %s", err, out)
	}
}

// forgeries are what somebody who may write to the bucket can do to a signed set without the key.
// Each returns the ID of the set that must not be believed.
var forgeries = map[string]struct {
	do   func(t *testing.T, w *world, set, other *backup.Set) string
	want backup.Signature
}{
	"a whole valid set by another key": {func(t *testing.T, w *world, _, _ *backup.Set) string {
		evil, _ := newSigner(t)
		return w.runAs(t, evil)
	}, backup.SignatureForged},
	"a whole valid set without a signature": {func(t *testing.T, w *world, _, _ *backup.Set) string { return w.runAs(t, nil) }, backup.SignatureMissing},
	"the manifest altered": {func(t *testing.T, w *world, s, _ *backup.Set) string {
		w.edit(t, s.Dir+backup.ManifestName, func(m *backup.Manifest) { m.FinishedAt = m.FinishedAt.Add(time.Hour) })
		return s.ID
	}, backup.SignatureForged},
	"one blank more in the manifest": {func(t *testing.T, w *world, s, _ *backup.Set) string {
		w.change(t, s.Dir+backup.ManifestName, func(b []byte) []byte { return append(b, ' ') })
		return s.ID
	}, backup.SignatureForged},
	"the manifest altered and signed again by another key": {func(t *testing.T, w *world, s, _ *backup.Set) string {
		evil, _ := newSigner(t)
		w.edit(t, s.Dir+backup.ManifestName, func(m *backup.Manifest) { m.FinishedAt = m.FinishedAt.Add(time.Hour) })
		w.put(t, s.Dir+backup.SignatureName, evil.Sign(w.body(t, s.Dir+backup.ManifestName)))
		return s.ID
	}, backup.SignatureForged},
	"the signature of another set": {func(t *testing.T, w *world, s, o *backup.Set) string {
		w.put(t, s.Dir+backup.SignatureName, w.body(t, o.Dir+backup.SignatureName))
		return s.ID
	}, backup.SignatureForged},
	"the signature cut": {func(t *testing.T, w *world, s, _ *backup.Set) string {
		w.change(t, s.Dir+backup.SignatureName, func(b []byte) []byte { return b[:63] })
		return s.ID
	}, backup.SignatureForged},
	"the signature removed": {func(t *testing.T, w *world, s, _ *backup.Set) string {
		w.drop(t, s.Dir+backup.SignatureName)
		return s.ID
	}, backup.SignatureMissing},
	"the manifest and signature of an older set": {func(t *testing.T, w *world, s, o *backup.Set) string {
		w.put(t, s.Dir+backup.ManifestName, w.body(t, o.Dir+backup.ManifestName))
		w.put(t, s.Dir+backup.SignatureName, w.body(t, o.Dir+backup.SignatureName))
		return s.ID
	}, backup.SignatureGood}, // but of another set
	"the whole older set under a new name": {func(t *testing.T, w *world, _, o *backup.Set) string {
		id := backup.NewID(time.Now().Add(time.Minute))
		for _, key := range w.keysOf(t, o) {
			w.put(t, strings.Replace(key, o.ID, id, 1), w.body(t, key))
		}
		return id
	}, backup.SignatureGood},
}

func TestWhatSomebodyWithoutTheKeyPutsThereIsShownAndNeverUsed(t *testing.T) {
	for name, forgery := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, signer := signedWorld(t)
			honest := w.find(t, w.runAs(t, signer))
			other := w.find(t, w.runAs(t, signer))
			if honest.FinishedAt.After(other.FinishedAt) {
				honest, other = other, honest
			}
			id := forgery.do(t, w, other, honest)
			set := w.find(t, id)
			if set.Good() || set.Problem == "" || set.Signature != forgery.want {
				t.Fatalf("good %v, %q, problem %q", set.Good(), set.Signature, set.Problem)
			}
			w.neverUsed(t, set)
			w.accepted(t, set)
		})
	}
}

// neverUsed asserts that nothing takes the set for a backup, and that nothing deletes it.
func (w *world) neverUsed(t *testing.T, set *backup.Set) {
	t.Helper()
	if latest := w.find(t, "latest"); latest.ID == set.ID {
		t.Error("it is the latest")
	}
	if h := backup.Assess(w.sets(t), backup.Whose{}, backup.Objectives{RPO: 24 * time.Hour}, time.Now()); h.Newest == nil || h.Newest.ID == set.ID {
		t.Errorf("health goes by it: %+v", h.Newest)
	} else if set.Signature == backup.SignatureForged && (len(h.Problems) == 0 || !strings.Contains(h.Problems[0].What, set.ID)) {
		t.Errorf("health does not tell of it: %+v", h.Problems)
	}
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: w.job.Database + "_copy", Jobs: 1}, nil)
	wantCode(t, err, fault.Refused)
	if w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = $1", w.job.Database+"_copy") != 0 {
		t.Error("a database was made of it")
	}
	_, err = verify.Whole(t.Context(), w.job, w.env, set, nil)
	if err == nil {
		t.Error("it was verified")
	}
	job, env := w.job, w.env
	job.Keep = config.Keep{Days: 1, MinGood: 1}
	env.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	for _, reach := range []retention.Reach{{}, {Unsigned: true}} {
		plan, err := retention.Plan(t.Context(), job, env, reach)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range plan.Decisions {
			if d.Set.ID == set.ID && d.Delete && !(reach.Unsigned && d.Set.Manifest.Signer == "") {
				t.Errorf("retention deletes what may be evidence: %s", d.Reason)
			}
		}
	}
}

// accepted: a set that is only unsigned is usable by the explicit wish, everything else never.
func (w *world) accepted(t *testing.T, set *backup.Set) {
	t.Helper()
	set.AcceptUnsigned()
	if want := set.Signature == backup.SignatureMissing; set.Good() != want {
		t.Fatalf("accepted: good %v, want %v: %s", set.Good(), want, set.Problem)
	}
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: w.job.Database + "_copy", Jobs: 1}, nil)
	if set.Signature == backup.SignatureMissing {
		if err != nil {
			t.Errorf("the accepted set: %v", err)
		}
		w.pg.Exec(t, "postgres", `DROP DATABASE "`+w.job.Database+`_copy"`)
		return
	}
	wantCode(t, err, fault.Refused)
}

func TestADumpExchangedBetweenSignedSetsIsNotRestored(t *testing.T) {
	w, signer := signedWorld(t)
	old := w.find(t, w.runAs(t, signer))
	newer := w.find(t, w.runAs(t, signer))
	for bytes.Equal(w.body(t, old.Dir+old.DumpKey()), w.body(t, newer.Dir+newer.DumpKey())) { // made within one second
		newer = w.find(t, w.runAs(t, signer))
	}
	w.put(t, newer.Dir+newer.DumpKey(), w.body(t, old.Dir+old.DumpKey()))
	set := w.find(t, newer.ID)
	_, err := verify.Whole(t.Context(), w.job, w.env, set, nil)
	wantCode(t, err, fault.Integrity)
	if _, err := restore.Run(t.Context(), w.job, w.env, w.find(t, newer.ID), restore.Request{To: w.job.Database + "_copy", Jobs: 1}, nil); err == nil {
		t.Error("an older dump was restored in place of a newer one")
	}
}

func TestKeysRotate(t *testing.T) {
	w, first := signedWorld(t)
	before := w.runAs(t, first)
	second, public := newSigner(t)
	w.job.Signing.PublicKeys = append(w.job.Signing.PublicKeys, public)
	after := w.runAs(t, second)
	for _, id := range []string{before, after} {
		if set := w.find(t, id); !set.Good() || set.Signature != backup.SignatureGood {
			t.Errorf("with both keys: %s %q", set.Signature, set.Problem)
		}
	}
	w.job.Signing.PublicKeys = w.job.Signing.PublicKeys[1:]
	if set := w.find(t, before); set.Signature != backup.SignatureForged || !strings.Contains(set.Problem, first.ID()) {
		t.Errorf("with the old key withdrawn: %s %q", set.Signature, set.Problem)
	}
	if set := w.find(t, after); !set.Good() {
		t.Errorf("the new key's: %q", set.Problem)
	}
	w.job.Signing.PublicKeys = nil
	for _, id := range []string{before, after} {
		if set := w.find(t, id); !set.Good() || set.Signature != "" {
			t.Errorf("without keys nobody looks: %s %q", set.Signature, set.Problem)
		}
	}
}

func TestARunWithoutTheRightKeyEndsBeforeItStarts(t *testing.T) {
	w, _ := signedWorld(t)
	evil, _ := newSigner(t)
	for name, signer := range map[string]*signing.Signer{"no key": nil, "another key": evil} {
		_, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: backup.NewID(w.env.Now()), Signer: signer})
		if fault.CodeOf(err) != fault.Config || fault.Remedy(err) == "" {
			t.Errorf("%s: code %d: %v", name, fault.CodeOf(err), err)
		}
	}
	w.noLitter(t, nil)
}

func TestAStoreThatFailsSaysNothingOfASignature(t *testing.T) {
	w, signer := signedWorld(t)
	w.runAs(t, signer)
	w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.HasSuffix(key, backup.SignatureName) {
			return &s3server.Fault{Kind: s3server.Answer, Status: 503, Code: "SlowDown"}
		}
		return nil
	})
	_, err := backup.NewCatalogue(w.env.Bucket, w.job).Sets(context.WithoutCancel(t.Context()), backup.Scope{})
	if code := fault.CodeOf(err); !code.Retryable() {
		t.Errorf("code %d: %v", code, err)
	}
}
