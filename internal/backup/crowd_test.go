package backup

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A bucket that somebody filled. Its keys and documents are made up as they are asked for, so that there
// can be more of them than a test could store.

// crowd is what was planted into one database's folder, before and beside one good set.
type crowd struct {
	unfinished    int // folders of one object each
	inOne         int // objects in one unfinished folder
	sets          int // committed ones more
	manifestBytes int
	proofs        int // of each set
	proofBytes    int
	holds         int // of each set
	holdBytes     int
}

const (
	crowdDir   = "postgresql/db1/sales/"
	crowdBound = 256 << 20 // what a listing may hold in memory, whatever lies in the bucket
)

// planted is one line of the listing, and what a GET of it gives.
type planted struct {
	key  string
	size int
	body func() []byte
}

func crowdID(n int) string {
	return time.Date(2020, 1, 1, 0, 0, n, 0, time.UTC).Format(IDTime) + "-0a0a0a"
}

func (c crowd) good() string { return crowdID(c.unfinished + 1 + c.sets + 1) }

// objects yields the bucket in the order of its keys.
func (c crowd) objects(yield func(planted) bool) {
	n := 0
	for range c.unfinished {
		if n++; !yield(planted{key: crowdDir + crowdID(n) + "/" + DumpName, size: 17}) {
			return
		}
	}
	n++
	for i := range c.inOne {
		if !yield(planted{key: fmt.Sprintf("%s%s/x%09d", crowdDir, crowdID(n), i), size: 17}) {
			return
		}
	}
	for range c.sets + 1 {
		n++
		for o := range c.set(crowdID(n)) {
			if !yield(o) {
				return
			}
		}
	}
}

func (c crowd) set(id string) iter.Seq[planted] {
	dir := crowdDir + id + "/"
	return func(yield func(planted) bool) {
		if !yield(planted{key: dir + DumpName, size: 17}) {
			return
		}
		for i := range c.holds {
			o := planted{key: fmt.Sprintf("%sholds/20261121T%06d.000Z-0a0a0a-hold.json", dir, i%240000), size: c.holdBytes}
			o.body = func() []byte { return []byte(strings.Repeat(" ", c.holdBytes)) }
			if !yield(o) {
				return
			}
		}
		manifest := c.manifest(id)
		if !yield(planted{key: dir + ManifestName, size: len(manifest), body: func() []byte { return manifest }}) {
			return
		}
		for i := range c.proofs {
			o := planted{key: fmt.Sprintf("%sproofs/20261121T020000Z-%06x-verify.json", dir, i), size: max(100, c.proofBytes)}
			o.body = func() []byte {
				head := `{"schema":1,"set":"` + id + `","level":"readable","ok":true,"error":"`
				return []byte(head + strings.Repeat("x", o.size-len(head)-2) + `"}`)
			}
			if !yield(o) {
				return
			}
		}
	}
}

// manifest is padded in the form that costs most in memory, that of the good set not.
func (c crowd) manifest(id string) []byte {
	at, _ := IDBegan(id)
	m := Manifest{
		Schema: 1, ID: id, Instance: "db1", Database: "sales", Job: "main", StartedAt: at, FinishedAt: at.Add(time.Second),
		Dump: Object{Key: DumpName, SizeBytes: 17, SHA256: strings.Repeat("0", 64), RawBytes: 1},
	}
	raw, _ := json.Marshal(m)
	if id != c.good() {
		padding := strings.Repeat(`"",`, c.manifestBytes/len(`"",`)) + `""`
		raw = append(raw[:len(raw)-1], `,"warnings":[`+padding+`]}`...)
	}
	return raw
}

// crowdStore serves a crowd as a store does, a thousand keys a page, and looks at memory meanwhile.
type crowdStore struct {
	crowd
	mu     sync.Mutex
	at     int
	next   func() (planted, bool)
	stop   func()
	high   uint64 // the most that was in use
	bucket *s3.Bucket
}

func (c crowd) open(t *testing.T) *crowdStore {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "k")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	s := &crowdStore{crowd: c, stop: func() {}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(func() { s.stop() })
	var err error
	s.bucket, err = s3.Open(t.Context(), s3.Options{Bucket: "b", Endpoint: server.URL, Region: "r", MaxAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.bucket.Close)
	return s
}

func (s *crowdStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	use := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(use)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.high = max(s.high, use[0].Value.Uint64())
	switch key := strings.TrimPrefix(r.URL.Path, "/b/"); {
	case r.URL.Query().Get("list-type") == "2":
		s.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("continuation-token"))
	case r.Method == http.MethodGet && strings.HasPrefix(key, crowdDir):
		s.get(w, key)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

type crowdPage struct {
	XMLName     xml.Name `xml:"ListBucketResult"`
	IsTruncated bool
	Next        string       `xml:"NextContinuationToken,omitempty"`
	Contents    []crowdEntry `xml:"Contents"`
}

type crowdEntry struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

func (s *crowdStore) list(w http.ResponseWriter, prefix, token string) {
	if token == "" {
		s.stop()
		s.next, s.stop = iter.Pull(s.objects)
		s.at = 0
	}
	page := crowdPage{}
	for ok := true; ok && len(page.Contents) < 1000; {
		var o planted
		if o, ok = s.next(); ok && strings.HasPrefix(o.key, prefix) {
			page.Contents = append(page.Contents, crowdEntry{Key: o.key, LastModified: "2026-11-22T02:00:00Z", ETag: strconv.Itoa(s.at), Size: o.size})
		}
		s.at++
		page.IsTruncated, page.Next = ok, strconv.Itoa(s.at)
	}
	_ = xml.NewEncoder(w).Encode(page)
}

func (s *crowdStore) get(w http.ResponseWriter, key string) {
	id, _, _ := strings.Cut(strings.TrimPrefix(key, crowdDir), "/")
	for o := range s.set(id) {
		if o.key == key && o.body != nil {
			body := o.body()
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

// sets lists the crowd, and asserts what holds for every listing.
func (s *crowdStore) sets(t *testing.T) []Set {
	t.Helper()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(crowdBound)) // garbage is cleared before the bound is reached
	catalogue := NewCatalogue(s.bucket, config.Job{S3: config.S3{Prefix: "postgresql"}})
	sets, err := catalogue.Sets(t.Context(), Scope{Instance: "db1", Database: "sales"})
	if err != nil {
		t.Fatal(err)
	}
	if s.high > crowdBound*5/4 {
		t.Errorf("%+v: %d MiB were in use", s.crowd, s.high>>20)
	}
	found := false
	for i := range sets {
		found = found || sets[i].ID == s.good() && sets[i].Good()
	}
	if !found {
		t.Errorf("%+v: the good set is not among the %d that are listed", s.crowd, len(sets))
	}
	return sets
}

func TestAListingStaysWithinItsMemoryWhateverWasPlanted(t *testing.T) {
	for name, c := range map[string]crowd{
		"unfinished folders":        {unfinished: 50_000},
		"one folder of many":        {inOne: 100_000},
		"committed sets":            {sets: 1000},
		"large manifests":           {sets: 200, manifestBytes: MaxManifest - 1000},
		"manifests above the limit": {sets: 50, manifestBytes: MaxManifest * 4},
		"proofs":                    {proofs: 300, proofBytes: 4 << 20},
		"proofs below the limit":    {sets: 20, proofs: 60, proofBytes: maxProof},
		"more proofs than any":      {proofs: 30_000},
		"holds":                     {holds: 30_000, holdBytes: maxHold},
	} {
		t.Run(name, func(t *testing.T) {
			sets := c.open(t).sets(t)
			told := strings.Join(LeftOut(sets), "\n")
			if tooMany := c.unfinished > maxUnfinished; tooMany != strings.Contains(told, "not listed") {
				t.Errorf("told: %q", told)
			}
			if c.unfinished > 0 && len(sets) > maxUnfinished+2 {
				t.Errorf("%d sets", len(sets))
			}
		})
	}
}

// Very many keys of every shape cost what is kept of them, and nothing for the others.
func TestGatheringCostsWhatIsKept(t *testing.T) {
	const many = 250_000
	at := func(n int) string { return "db1/sales/" + crowdID(n) + "/" }
	for name, key := range map[string]func(n int) string{
		"unfinished folders":             func(n int) string { return at(n) + DumpName },
		"unfinished ones of as many":     func(n int) string { return fmt.Sprintf("db%d/sales/%s/%s", n, crowdID(n), DumpName) },
		"committed sets":                 func(n int) string { return at(n) + ManifestName },
		"committed ones of as many":      func(n int) string { return fmt.Sprintf("db%d/sales/%s/%s", n, crowdID(n), ManifestName) },
		"objects of one folder":          func(n int) string { return fmt.Sprintf("%sx%d", at(1), n) },
		"proofs of one set":              func(n int) string { return fmt.Sprintf("%sproofs/%d-verify.json", at(1), n) },
		"proofs of as many kinds":        func(n int) string { return fmt.Sprintf("%sproofs/x-%d.json", at(1), n) },
		"holds of one set":               func(n int) string { return fmt.Sprintf("%sholds/20261122T%06d.000Z-0a0a0a-hold.json", at(1), n%240000) },
		"holds of no name":               func(n int) string { return fmt.Sprintf("%sholds/%d", at(1), n) },
		"objects of the old script":      func(n int) string { return fmt.Sprintf("postgresql_sales%d_20260101_000000.backup", n) },
		"folders whose time is none":     func(n int) string { return fmt.Sprintf("db1/sales/99999999T999999Z-%06x/dump.pgc.zst", n) },
		"an unfinished one after a good": func(n int) string { return at(n) + []string{ManifestName, DumpName}[n%2] },
	} {
		t.Run(name, func(t *testing.T) {
			before := inUse()
			g := newGathering("")
			g.pass = 1
			for n := range many {
				g.add(&s3.Listed{Key: key(n), Size: 17, ETag: strconv.Itoa(n), LastModified: time.Unix(int64(1_800_000_000+n), 0)})
			}
			g.end()
			if grown := inUse() - before; grown > crowdBound/2 {
				t.Errorf("%d MiB for %d sets", grown>>20, len(g.sets))
			}
			if len(g.sets) > maxSets+maxUnfinishedAll+maxLegacy {
				t.Errorf("%d sets", len(g.sets))
			}
			runtime.KeepAlive(g)
		})
	}
}

// inUse is what is reachable, in bytes.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) // far from the end of an int64
}

// The newest sets by name are the ones that stay, and what is left out is told.
func TestOfTooManySetsTheNewestStay(t *testing.T) {
	g := newGathering("")
	g.pass = 1
	const more = 7
	for n := range maxSetsOfOne + more {
		g.add(&s3.Listed{Key: "db1/sales/" + crowdID(n) + "/" + ManifestName, Size: 17})
	}
	g.add(&s3.Listed{Key: "db2/sales/" + crowdID(0) + "/" + ManifestName, Size: 17})
	g.end()
	if len(g.sets) != maxSetsOfOne+1 || g.sets["db1/sales/"+crowdID(more-1)+"/"] != nil || g.sets["db1/sales/"+crowdID(more)+"/"] == nil {
		t.Errorf("%d sets", len(g.sets))
	}
	sets := g.all()
	g.tell(sets)
	if told := LeftOut(sets); len(told) != 1 || !strings.Contains(told[0], "7 older sets") {
		t.Errorf("%q", told)
	}
}

func TestAListingOfARandomCrowdStaysWithinItsMemory(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0)) // a test
	t.Logf("seed %d", seed)
	upTo := func(n int) int { return r.IntN(n + 1) }
	for range 2 {
		c := crowd{
			unfinished: upTo(5000), inOne: upTo(5000), sets: upTo(50), manifestBytes: upTo(2 * MaxManifest),
			proofs: upTo(100), proofBytes: upTo(2 * maxProof), holds: upTo(40), holdBytes: upTo(2 * maxHold),
		}
		c.open(t).sets(t)
	}
}

// The newest document of each kind of evidence is read, however many of another kind were planted.
func TestEvidenceOfOneKindDoesNotCrowdOutThatOfAnother(t *testing.T) {
	var all []member
	stored := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	for i := range 20 * maxProofs {
		all = keepProofs(append(all, member{name: fmt.Sprintf("proofs/x%06d-verify.json", i), modified: stored.Add(time.Duration(i) * time.Second)}), false)
	}
	all = keepProofs(append(all, member{name: "proofs/a-drill.json", modified: stored.Add(-time.Hour)}), true)
	drills := 0
	for _, o := range all {
		if strings.HasSuffix(o.name, "-drill.json") {
			drills++
		}
	}
	if drills != 1 || len(all) != maxProofs+1 || !all[0].modified.Equal(stored.Add((20*maxProofs-1)*time.Second)) {
		t.Errorf("%d drills among %d, the newest of %s", drills, len(all), all[0].modified)
	}
}
