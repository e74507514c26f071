package retention

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Sets that were made before signing was configured. Nobody vouches for them, so they count for
// nothing and retention leaves them alone; a person may ask for them to go by the rules too.
//
// Rules: nothing that somebody made of a signed set goes this way. A set counts as one from before
// signing when nothing is stored in its signature's place, it names no signer, nothing else is wrong with
// it, and a good signed one is newer: one that retention never deletes, so that it decides the same again.
// The same goes for the sets of the old script, which are never signed.

// newestSigned is when the newest good signed set was finished; zero: there is none.
func newestSigned(sets []backup.Set) (at time.Time) {
	for i := range sets {
		if s := &sets[i]; s.Signature == backup.SignatureGood && usable(s) && s.FinishedAt.After(at) {
			at = s.FinishedAt
		}
	}
	return at
}

// beforeSigning reports whether a set is one from before signing.
func (r *retaining) beforeSigning(s *backup.Set) bool {
	trusted := accepted(s)
	named := s.Manifest != nil && s.Manifest.Signer != ""
	return s.Signature == backup.SignatureMissing && s.SignatureAt == "" && usable(&trusted) && !named &&
		s.FinishedAt.Before(r.newestSigned)
}

// accepted is a set as it is to whoever asks no signature of it.
func accepted(s *backup.Set) backup.Set {
	trusted := *s
	trusted.AcceptUnsigned()
	return trusted
}
