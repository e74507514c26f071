package doctor

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// A second copy of the private key, proven by a challenge: a random word that is encrypted as sets are, which only
// whoever has the key can tell. Rules: the word is kept nowhere, its hash alone; an answer counts for the recipients
// that were asked.

// KeyCopies are what is known of the copies, by the fingerprint of their recipients.
type KeyCopies map[string]KeyCopy

// KeyCopy is a challenge, and when it was answered last.
type KeyCopy struct {
	AskedAt  time.Time `json:"askedAt"`
	Word     string    `json:"word"` // SHA-256 of the word of the newest challenge; "" = answered
	ProvenAt time.Time `json:"provenAt,omitzero"`
}

const keyCopiesName = systemd.KeyCopies

// KeyCopiesDir is where they are kept: the folder of the doctor's unit.
const KeyCopiesDir = "/var/lib/pgbtui/doctor"

// recipientsID names a group of recipients, in whatever order.
func recipientsID(recipients []string) string {
	sorted := slices.Sorted(slices.Values(recipients))
	sum := sha256.Sum256([]byte(strings.Join(sorted, "\n")))
	return hex.EncodeToString(sum[:8])
}

// ReadKeyCopies reads what is known in a folder; a folder without a file knows nothing.
func ReadKeyCopies(dir string) (KeyCopies, error) {
	copies := KeyCopies{}
	raw, err := bounded.ReadPlain(filepath.Join(dir, keyCopiesName), bounded.File)
	if errors.Is(err, fs.ErrNotExist) {
		return copies, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &copies)
	}
	if err != nil {
		return nil, fmt.Errorf("doctor: read what is known of copies of the private key: %w", err)
	}
	return copies, nil
}

func (k KeyCopies) save(dir string) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("doctor: remember the challenge: %w", err)
	}
	file := filepath.Join(dir, keyCopiesName)
	half := file + ".half"
	_ = os.Remove(half)
	// The folder is the backups' user's, who could put a link there for root to follow.
	f, err := os.OpenFile(half, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err == nil {
		_, err = f.Write(raw)
		err = errors.Join(err, f.Chmod(0o644), f.Close()) // it has a hash of a random word, and times
	}
	if err == nil {
		err = os.Rename(half, file)
	}
	if err != nil {
		return fault.New(fault.NotPermitted, "doctor: remember the challenge",
			"Run it as root, on a host with the units (`sudo pgbtui doctor key`).", err)
	}
	return nil
}

// AskForKey makes a challenge for whoever has the private key of these recipients, in armoured age, and remembers what
// answers it in a folder.
func AskForKey(dir string, recipients []string, now time.Time) (challenge string, err error) {
	keys, err := sealed.Recipients(recipients)
	if err != nil {
		return "", err
	}
	copies, err := ReadKeyCopies(dir)
	if err != nil {
		return "", err
	}
	word := strings.ToLower(rand.Text())
	var text strings.Builder
	armoured := armor.NewWriter(&text)
	w, err := age.Encrypt(armoured, keys...)
	if err == nil {
		_, err = w.Write([]byte(word + "\n"))
	}
	if err == nil {
		err = errors.Join(w.Close(), armoured.Close())
	}
	if err != nil {
		return "", fmt.Errorf("doctor: encrypt the challenge: %w", err)
	}
	one := copies[recipientsID(recipients)]
	one.AskedAt, one.Word = now.UTC(), wordSum(word)
	copies[recipientsID(recipients)] = one
	return text.String(), copies.save(dir)
}

func wordSum(word string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(word))))
	return hex.EncodeToString(sum[:])
}

// AnswerForKey takes the word of the newest challenge for these recipients. It answers once.
func AnswerForKey(dir string, recipients []string, word string, now time.Time) error {
	copies, err := ReadKeyCopies(dir)
	if err != nil {
		return err
	}
	one := copies[recipientsID(recipients)]
	if one.Word == "" {
		return fault.New(fault.Refused, "doctor: nothing was asked for these recipients, or it was answered already",
			"Run `sudo pgbtui doctor key` for a new challenge.", nil)
	}
	if subtle.ConstantTimeCompare([]byte(one.Word), []byte(wordSum(word))) != 1 {
		return fault.New(fault.Integrity, "doctor: that is not the word of the newest challenge",
			"Decrypt the newest challenge (age -d -i KEYFILE), and give what it says.", nil)
	}
	one.Word, one.ProvenAt = "", now.UTC()
	copies[recipientsID(recipients)] = one
	return copies.save(dir)
}

// keyCopyStale is from when on the last answer proves little.
const keyCopyStale = 400 * 24 * time.Hour

func (c *machineChecks) keyCopy() {
	const id, tried = "units.key-copy", "look when somebody last showed to have a copy of the private key"
	const remedy = "Run `sudo pgbtui doctor key`, and have the challenge decrypted where the copy is."
	if len(c.job.Encryption.Recipients) == 0 {
		c.ok(id, tried, "sets are not encrypted by pgbtui")
		return
	}
	copies, err := ReadKeyCopies(c.Root + KeyCopiesDir)
	proven := copies[recipientsID(c.job.Encryption.Recipients)].ProvenAt
	switch age := c.Now().Sub(proven); {
	case err != nil:
		c.unknown(id, tried, oneLine(err), "Run `sudo pgbtui doctor --only units.key-copy`.")
	case proven.IsZero():
		c.add(id, seen{
			result: Warn, tried: tried, seen: "nobody ever did: without the key, no backup can be restored",
			remedy: remedy,
		})
	case age > keyCopyStale:
		c.add(id, seen{result: Warn, tried: tried, seen: readable.Age(age) + " ago", remedy: remedy})
	default:
		c.ok(id, tried, readable.Age(age)+" ago")
	}
}
