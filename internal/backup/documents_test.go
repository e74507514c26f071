package backup

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const wholeManifest = `{"schema":1,"id":"20261122T020000Z-1a2b3c","instance":"db1","database":"sales","job":"sales","startedAt":"2026-11-22T02:00:00Z",
"finishedAt":"2026-11-22T02:01:00Z","host":"h","runId":"r","tool":"pgbtui 0.1.0","server":{"version":"15.18","versionNum":150018},
"dump":{"key":"dump.pgc.zst","sizeBytes":17,"sha256":"0000000000000000000000000000000000000000000000000000000000000000","rawBytes":40},
"globals":{"key":"globals.sql.zst","sizeBytes":1,"sha256":"1111111111111111111111111111111111111111111111111111111111111111","rawBytes":2}}`

func FuzzParseManifest(f *testing.F) {
	for _, seed := range []string{
		wholeManifest, wholeManifest[:200], "", "null", "[]", "{}", `{"schema":2}`, `{"schema":1e99}`, `{"schema":2,"id":{"a":1}}`,
		strings.Replace(wholeManifest, `"sizeBytes":17`, `"sizeBytes":-17`, 1), strings.Replace(wholeManifest, "0000", "zzzz", 1),
		strings.Replace(wholeManifest, "2026-11-22T02:01:00Z", "0001-01-01T00:00:00Z", 1), wholeManifest + "x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Integrity && code != fault.Config {
				t.Fatalf("code %d: %v", code, err)
			}
			return
		}
		if m.ID == "" || m.Schema != ManifestSchema || m.FinishedAt.IsZero() || m.StoredBytes() < 0 && len(m.Objects()) < 2 {
			t.Fatalf("accepted: %+v", m)
		}
		for _, o := range m.Objects() {
			if o.Key == "" || o.SizeBytes < 0 || o.RawBytes < 0 || len(o.SHA256) != 64 {
				t.Fatalf("accepted object %+v", o)
			}
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(again); err != nil {
			t.Fatalf("its own writing is refused: %v", err)
		}
	})
}

func FuzzParseContents(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", `{"schema":1,"archive":{"entries":[{"id":1,"desc":"TABLE DATA"}],"data":[{"id":1,"rows":-1}]}}`,
		`{"schema":7,"archive":"moved"}`, `{"schema":1,"frames":{"sizes":[1,2]}}`, `{"schema":1,"archive":{"data":[{"id":9,"rows":9}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := DecodeContents(bytes.NewReader(raw))
		if err == nil && c.Schema > ManifestSchema {
			t.Fatal("a newer schema is accepted")
		}
		if err == nil { // what is accepted can be counted
			if s := Summarise(c.Archive, 0); s.Tables < 0 || s.Rows < 0 || s.LargeObjects < 0 {
				t.Skip("sums of hostile counts may overflow; they are only shown")
			}
		}
	})
}

func FuzzParseProof(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"schema":1,"set":"x","level":"readable","ok":true}`, `{"schema":1,"level":"perfect"}`, `{"schema":2}`, `{"schema":-1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, ok := parseProof(raw)
		if !ok {
			return
		}
		// Whatever it says, it is sorted into the known levels, and a failure stays a failure.
		s := Set{Kind: KindNative, Manifest: &Manifest{}, Proofs: []Proof{p}}
		level, _ := s.Proven()
		if level < LevelStored || level > LevelRestored || !p.OK && (level != LevelStored || s.LastFailure() == nil) {
			t.Fatalf("%+v proves %v", p, level)
		}
	})
}

func TestEvidenceIsWeighedByItsLevelAndAge(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }
	proof := func(day int, level Level, ok bool) Proof {
		return Proof{Level: level.String(), OK: ok, FinishedAt: at(day)}
	}
	for name, c := range map[string]struct {
		newestFirst []Proof
		level       Level
		on          int
		failed      bool
	}{
		"none":                           {nil, LevelStored, 1, false},
		"readable":                       {[]Proof{proof(2, LevelReadable, true)}, LevelReadable, 2, false},
		"the newest of a level":          {[]Proof{proof(3, LevelReadable, true), proof(2, LevelReadable, true)}, LevelReadable, 3, false},
		"restored stays":                 {[]Proof{proof(3, LevelReadable, true), proof(2, LevelRestored, true)}, LevelRestored, 2, false},
		"failed after all":               {[]Proof{proof(3, LevelReadable, false), proof(2, LevelRestored, true)}, LevelRestored, 2, true},
		"hashes do not answer a failure": {[]Proof{proof(3, LevelStored, true), proof(2, LevelReadable, false)}, LevelStored, 1, true},
		"reading does":                   {[]Proof{proof(3, LevelReadable, true), proof(2, LevelReadable, false)}, LevelReadable, 3, false},
		"reading answers no restore":     {[]Proof{proof(3, LevelReadable, true), proof(2, LevelRestored, false)}, LevelReadable, 3, true},
	} {
		s := Set{Kind: KindNative, Manifest: &Manifest{}, FinishedAt: at(1), Proofs: c.newestFirst}
		level, on := s.Proven()
		if level != c.level || !on.Equal(at(c.on)) || (s.LastFailure() != nil) != c.failed {
			t.Errorf("%s: %v on %s, failure %v", name, level, on, s.LastFailure())
		}
	}
}

// What manifests say of each other and of their signer is a hint from outside: it may be told, and
// ends nothing.
func FuzzWhatManifestsClaimIsOnlyTold(f *testing.F) {
	follower := strings.Replace(wholeManifest, `"schema":1`, `"schema":1,"sequence":9,"signer":"0011223344556677","previous":{"id":"20261122T020000Z-1a2b3c","manifestSha256":"ab"}`, 1)
	for _, pair := range [][2]string{
		{wholeManifest, follower},
		{follower, follower},
		{"", "{}"},
		{`{"sequence":-1}`, `{"sequence":"x","signer":"\u001b[2J"}`},
		{follower, strings.Replace(follower, "20261122T020000Z-1a2b3c", "99999999T999999Z-zzzzzz", 2)},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		var sets []Set
		for _, raw := range [][]byte{newer, older} {
			if n := sequenceOf(raw); n < 0 {
				t.Fatalf("sequence %d", n)
			}
			if said := forgery([]ed25519.PublicKey{key}, raw); said == "" || strings.ContainsFunc(said, unicode.IsControl) {
				t.Fatalf("%q", said)
			}
			m, err := parseManifest(raw)
			if err != nil {
				continue
			}
			sets = append(sets, Set{Kind: KindNative, ID: m.ID, FinishedAt: m.FinishedAt, Manifest: m, ManifestSum: fmt.Sprintf("%x", sha256.Sum256(raw)), Sequence: sequenceOf(raw)})
		}
		if problems := BrokenChain(sets, sets, now); len(problems) > len(sets) {
			t.Fatalf("%d sets, and %q", len(sets), problems)
		}
	})
}
