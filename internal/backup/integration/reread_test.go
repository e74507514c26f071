package integration

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// spoilOnce flips a bit of the next answer with such an object.
func (w *world) spoilOnce(key string, at int64) {
	w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: key, Times: 1, Fault: s3server.Fault{Kind: s3server.Flip, After: at}})
}

func TestADocumentThatCameDamagedIsReadOnceMoreBeforeTheSetIsBlamed(t *testing.T) {
	w, signer := signedWorld(t)
	set := w.find(t, w.runAs(t, signer))
	w.prove(t, set.ID, backup.LevelReadable, true, w.env.Now())
	for name, key := range map[string]string{"the manifest": backup.ManifestName + "\x00", "its signature": backup.SignatureName, "a proof": backup.ProofsFolder} {
		for _, at := range []int64{0, 30, 60} {
			if name == "the manifest" {
				w.onRequest(spoilManifest(at))
			} else {
				w.spoilOnce(key, at)
			}
			now := w.find(t, set.ID)
			if level, _ := now.Proven(); !now.Good() || now.Signature != backup.SignatureGood || level != backup.LevelReadable {
				t.Errorf("%s, byte %d: %s %q, %v", name, at, now.Signature, now.Problem, level)
			}
			w.store.ClearFaults()
		}
	}
}

// spoilManifest flips a bit of the first answer with a manifest itself, not with its signature.
func spoilManifest(at int64) hook {
	spoilt := false
	return func(op s3server.Op, key string) *s3server.Fault {
		if op != s3server.OpGetObject || !strings.HasSuffix(key, backup.ManifestName) || spoilt {
			return nil
		}
		spoilt = true
		return &s3server.Fault{Kind: s3server.Flip, After: at}
	}
}

func TestAManifestThatStaysDamagedIsNotReadForEver(t *testing.T) {
	w, signer := signedWorld(t)
	set := w.find(t, w.runAs(t, signer))
	w.change(t, set.Dir+backup.ManifestName, func(b []byte) []byte { return append(b, ' ') })
	asked := 0
	w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.HasSuffix(key, backup.ManifestName) {
			asked++
		}
		return nil
	})
	catalogue := backup.NewCatalogue(w.env.Bucket, w.job)
	for range 4 {
		if sets, err := catalogue.Sets(t.Context(), backup.Scope{}); err != nil || sets[0].Signature != backup.SignatureForged {
			t.Errorf("%+v, %v", sets, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked for it %d times", asked)
	}
}

func TestObjectsThatCameDamagedAreReadOnceMoreAndThatIsLogged(t *testing.T) {
	for _, sets := range []*storedSets{&smallSet, &smallSealed} {
		for _, key := range []string{backup.ContentsName, backup.GlobalsName, backup.DumpName} {
			for _, at := range []int64{0, 30, 80, 150} {
				w, set := sets.world(t)
				w.spoilOnce(key, at)
				v, err := verify.Whole(t.Context(), w.job, w.env, set, sets.key())
				if err != nil || v.Proof.Rows != 5000 {
					t.Errorf("encrypted %v, %s, byte %d: %v", sets.encrypted, key, at, err)
				}
				if !strings.Contains(w.log.text(), "arrived damaged over the network") {
					t.Errorf("encrypted %v, %s, byte %d: nobody was told", sets.encrypted, key, at)
				}
			}
		}
	}
}

// Of a header that was changed no key opens anything: that is not the key's fault.
func TestADamagedHeaderOfAgeIsDamageAndNoWrongKey(t *testing.T) {
	for _, name := range []string{backup.ContentsName, backup.GlobalsName, backup.DumpName} {
		for _, at := range []int{5, 40, 90, 130, 180} {
			w, set := smallSealed.world(t)
			w.change(t, set.Dir+name+".age", flip(at))
			if name == backup.DumpName && at == 40 {
				_, err := verify.Sample(t.Context(), w.job, w.env, set, smallSealed.key(), 1)
				wantCode(t, err, fault.Integrity)
			}
			_, err := verify.Whole(t.Context(), w.job, w.env, set, smallSealed.key())
			wantCode(t, err, fault.Integrity)
			if failure := w.find(t, set.ID).LastFailure(); failure == nil {
				t.Errorf("%s, byte %d: the damage is not recorded", name, at)
			}
		}
	}
}
