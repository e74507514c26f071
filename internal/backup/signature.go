package backup

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A set is signed by a signature over the exact bytes of its manifest, which names instance,
// database and ID, and vouches for every object by its SHA-256. So nothing of a set can be altered,
// exchanged or moved to another folder without the private key.
//
// With public keys configured, a set without a good signature, such as every object of the old script,
// is never good: it is not the newest,
// counts for nothing, is not restored, and nothing deletes it but a person; those from before the key
// by the rules, when a person asks (see package retention).

// SignatureName is stored before the manifest, which stays the commit marker.
const SignatureName = ManifestName + ".sig"

// Signature is what is known about who wrote a set. It is "" when no public key is configured, and
// for what was never committed.
type Signature string

// The states of a signature, under the public keys that are configured.
const (
	SignatureGood    Signature = "signed"
	SignatureMissing Signature = "unsigned"
	SignatureForged  Signature = "forged" // altered, or by a key that is not configured
)

// AcceptUnsigned makes a set usable whose only fault is that nobody signed it: for one call of
// somebody who says so. It never accepts a forged one.
func (s *Set) AcceptUnsigned() {
	if s.Signature == SignatureMissing && s.ProblemCode == fault.Refused {
		s.ProblemCode, s.Problem = fault.OK, ""
	}
}

// authenticate holds a manifest against its signature. It returns only errors of the store; lasting is
// whether looking again would find the same.
func (c *Catalogue) authenticate(
	ctx context.Context, g *Gathered, manifest []byte, read *manifestRead,
) (lasting bool, err error) {
	if len(c.trusted) == 0 {
		return true, nil
	}
	var signature []byte
	lost, lasting := "nobody signed it: its manifest has no signature", true
	if g.signature.name != "" {
		signature, err = c.fetch(ctx, g, g.signature, MaxSignature)
		lasting = err == nil
		if lost = ofDocument(err); lost != "" {
			lost = "its signature " + lost
		} else if err != nil {
			return false, fmt.Errorf("backup: read signature of %s: %w", g.ID, err)
		}
	}
	switch {
	case lost != "":
		read.signature, read.distrust = SignatureMissing, fault.New(fault.Refused, lost, "", nil)
	case signing.Verify(c.trusted, manifest, signature):
		read.signature = SignatureGood
	default:
		read.signature, read.distrust = SignatureForged, fault.New(fault.Integrity, forgery(c.trusted, manifest), "", nil)
	}
	return lasting, nil
}

// doubtLegacy: nobody can have signed an object of the old script, which has no manifest. Where signatures count,
// anybody may have put it there.
func (c *Catalogue) doubtLegacy(g *Gathered) {
	if len(c.trusted) == 0 {
		return
	}
	g.Signature = SignatureMissing
	g.flaw(fault.Refused, "nobody signed it: objects of the old script have no signature")
}

// forgery says what a signature that no trusted key made can mean. What the manifest says of itself
// is only a hint.
func forgery(trusted []ed25519.PublicKey, manifest []byte) string {
	var claims struct {
		Signer string `json:"signer"`
	}
	_ = json.Unmarshal(manifest, &claims)
	for _, key := range trusted {
		if signing.ID(key) == claims.Signer {
			return "its signature does not fit: the manifest was altered, or somebody else signed it"
		}
	}
	return fmt.Sprintf("signed by a key that is not among signing.public_keys (it names itself %.40q)", claims.Signer)
}

// distrusted tells of sets that somebody should look into: every forged one, and the newest when it
// is unsigned. Older unsigned ones are those from before the key.
func distrusted(sets []Set) (problems []string) {
	newest := true
	for i := range sets { // newest first
		s := &sets[i]
		if s.Kind != KindNative {
			continue
		}
		if s.Signature == SignatureForged || (newest && s.Signature == SignatureMissing) {
			problems = append(problems,
				fmt.Sprintf("set %s is %s: %s; find out who writes to the bucket", s.ID, s.Signature, s.Problem))
		}
		newest = false
	}
	return problems
}
