package backup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A listing is gathered into sets as it passes. Memory follows the sets that are kept, never the keys:
// a folder costs the same however many objects lie in it.

// member is an object of a set's folder that may have to be read.
type member struct {
	name     string // within the folder; "": there is none
	etag     string
	size     int64
	modified time.Time // by the store's clock
	unread   bool      // there is too much to read it
}

// Gathered is one folder's objects before its manifest was read.
type Gathered struct {
	Set
	manifest  member
	signature member
	proofs    []member
	holdDocs  []member
	Sizes     map[string]int64 // by name, of the objects that a set is made of
	lossDocs  []member
	retired   bool // retention has begun to delete it
	evidence  bool // there is a proof or a hold: it was committed once
	suspect   bool // what is wrong with it is no damage: it is absurd, or too much to read
	newest    time.Time
	pass      int // of the listing: a folder may lie below two prefixes
	cached    *cacheShard
}

// owner is the database, or the schema of one, that a folder belongs to.
type owner struct{ instance, database, schema string }

// gathering keeps what a listing found, up to the limits.
type gathering struct {
	prefix string
	sets   map[string]*Gathered
	Order  []*Gathered // once the listing has ended, the newest by name first
	open   *Gathered   // the folder that objects came from last
	pass   int         // how many prefixes were begun

	committed  map[owner][]*Gathered // as listed, which is by ID
	most       owner                 // of the most committed sets
	unfinished map[owner]int
	counts     struct{ committed, unfinished, legacy int }

	left      map[owner]*leftOut
	oneFolder bool // of a database, or of the schema of one
	schema    string

	unread map[string]bool // sets whose documents are too much together
}

// leftOut counts what a listing does not show of one database.
type leftOut struct{ sets, unfinished, unread int }

func newGathering(prefix string) *gathering {
	return &gathering{
		prefix: prefix, sets: map[string]*Gathered{}, committed: map[owner][]*Gathered{}, unfinished: map[owner]int{},
		left: map[owner]*leftOut{}, unread: map[string]bool{},
	}
}

// of passes by what is not of the scope's own folder: below a database's there are those of its schemas.
func (g *gathering) of(scope Scope) *gathering {
	g.oneFolder, g.schema = scope.Database != "", scope.Schema
	return g
}

func (g *gathering) addAll(objects []s3.Listed) {
	for i := range objects {
		g.add(&objects[i])
	}
}

// add takes one more object. What it keeps of its texts it clones: they are parts of a page.
func (g *gathering) add(o *s3.Listed) {
	if open := g.open; open != nil && open.Kind != KindLegacy && open.pass == g.pass {
		if rest, same := strings.CutPrefix(o.Key, open.Dir); same && rest != "" { // most keys need no more looking at
			open.add(place{rest: rest}, o)
			return
		}
	}
	at, ours := ParseKey(strings.TrimPrefix(o.Key, g.prefix))
	if !ours || g.oneFolder && at.schema != g.schema {
		return
	}
	dir := strings.TrimSuffix(o.Key, at.rest)
	s := g.sets[dir]
	if s == nil {
		s = newGathered(strings.Clone(dir), at)
		s.pass = g.pass
		g.settle(g.open)
		g.open, g.sets[s.Dir] = s, s
	}
	if s.pass == g.pass {
		s.add(at, o)
	}
}

func newGathered(dir string, at place) *Gathered {
	s := &Gathered{Set: Set{Kind: KindIncomplete, Dir: dir}}
	s.ID = strings.Clone(at.ID)
	s.Instance = strings.Clone(at.instance)
	s.Database = strings.Clone(at.database)
	s.Schema = strings.Clone(at.schema)
	return s
}

// Made are the names of the objects that a set consists of.
func Made(name string) bool {
	switch name = strings.TrimSuffix(name, ".age"); name {
	case DumpName, GlobalsName, ContentsName, ManifestName, SignatureName:
		return true
	}
	return isRows(name)
}

func (s *Gathered) add(at place, o *s3.Listed) {
	if o.LastModified.After(s.newest) {
		s.newest = o.LastModified
	}
	if at.Legacy {
		s.Kind = KindLegacy
		s.Class = strings.Clone(o.StorageClass)
		s.StoredSize = o.Size
		s.ETag = strings.Clone(o.ETag)
		return
	}
	switch {
	case at.rest == ManifestName:
		s.manifest = memberOf(o, ManifestName)
		s.ETag = s.manifest.etag
	case at.rest == SignatureName:
		s.signature = memberOf(o, SignatureName)
	case strings.HasPrefix(at.rest, ProofsFolder):
		s.evidence = true
		s.proofs = keepProofs(append(s.proofs, memberOf(o, at.rest)), false)
		return
	case strings.HasPrefix(at.rest, HoldsFolder):
		s.evidence = true
		s.Holds.Count++
		s.holdDocs = keepHolds(append(s.holdDocs, memberOf(o, at.rest)), false)
		return
	case lossName.MatchString(at.rest):
		s.lossDocs = newestLossDocs(append(s.lossDocs, memberOf(o, at.rest)), 8*newestLosses)
		return
	case at.rest == RetiredName:
		s.retired = true
	case strings.HasPrefix(at.rest, DumpName):
		s.Class = strings.Clone(o.StorageClass)
	}
	s.StoredSize = saturated(s.StoredSize, o.Size)
	if Made(at.rest) {
		if s.Sizes == nil {
			s.Sizes = map[string]int64{}
		}
		s.Sizes[strings.Clone(at.rest)] = o.Size
	}
}

func memberOf(o *s3.Listed, name string) member {
	return member{name: strings.Clone(name), etag: strings.Clone(o.ETag), size: o.Size, modified: o.LastModified}
}

// saturated is a sum of sizes that does not wrap.
func saturated(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return a
}

// settle decides about a folder behind which the listing has come. A store that comes back to a folder
// that was left out starts it anew, without what it had before: it stays unfinished.
func (g *gathering) settle(s *Gathered) {
	if s == nil {
		return
	}
	of := owner{instance: s.Instance, database: s.Database, schema: s.Schema}
	switch {
	case s.Kind == KindLegacy:
		if g.counts.legacy++; g.counts.legacy > maxLegacy {
			g.leave(s).sets++
		}
	case s.manifest.name == "":
		if g.unfinished[of] >= maxUnfinished || g.counts.unfinished >= maxUnfinishedAll {
			g.leave(s).unfinished++
			return
		}
		g.unfinished[of]++
		g.counts.unfinished++
	default:
		g.commit(of, s)
	}
}

// commit keeps a committed set, if need be for the oldest of the database that has the most.
func (g *gathering) commit(of owner, s *Gathered) {
	g.committed[of] = append(g.committed[of], s)
	g.counts.committed++
	if len(g.committed[of]) > len(g.committed[g.most]) {
		g.most = of
	}
	if len(g.committed[g.most]) <= maxSetsOfOne && g.counts.committed <= maxSets {
		return
	}
	all := g.committed[g.most]
	g.leave(all[0]).sets++
	all[0] = nil
	if g.committed[g.most] = all[1:]; len(all) == 1 {
		delete(g.committed, g.most)
	}
	g.counts.committed--
}

func (g *gathering) leave(s *Gathered) *leftOut {
	delete(g.sets, s.Dir)
	return g.leftOutOf(s)
}

func (g *gathering) leftOutOf(s *Gathered) *leftOut {
	of := owner{instance: s.Instance, database: s.Database, schema: s.Schema}
	if g.left[of] == nil {
		if len(g.left) >= maxUnfinishedAll { // also the databases are too many to name
			of = owner{}
		}
		if g.left[of] == nil {
			g.left[of] = &leftOut{}
		}
	}
	return g.left[of]
}

// end settles the last folder, and decides which documents are read.
func (g *gathering) end() {
	g.settle(g.open)
	g.open, g.committed = nil, nil
	for _, s := range g.sets {
		s.proofs, s.holdDocs = keepProofs(s.proofs, true), keepHolds(s.holdDocs, true)
	}
	g.Order = g.ordered()
	g.ration(g.Order)
}

// ordered are the sets, the newest by name first.
func (g *gathering) ordered() []*Gathered {
	sets := make([]*Gathered, 0, len(g.sets))
	for _, s := range g.sets {
		sets = append(sets, s)
	}
	slices.SortFunc(sets, func(a, b *Gathered) int {
		return cmp.Or(cmp.Compare(b.ID, a.ID), cmp.Compare(a.Dir, b.Dir))
	})
	return sets
}

// usualManifest is more than a manifest of ours has. Larger ones wait for these.
const usualManifest = 32 << 10

// ration gives the listing's memory to documents: first to what tells that a set is good and stays,
// then to evidence.
func (g *gathering) ration(sets []*Gathered) {
	left := int64(maxListingBytes)
	take := func(o member, limit int64) bool {
		if o.size > limit { // not read, see bucketDocument
			return true
		}
		if cost := o.size + documentMemory; cost <= left {
			left -= cost
			return true
		}
		return false
	}
	for _, unusual := range []bool{false, true} {
		for _, s := range sets {
			if s.manifest.name == "" || unusual != (s.manifest.size > usualManifest) {
				continue
			}
			if !take(s.manifest, MaxManifest) || !take(s.signature, MaxSignature) {
				g.unread[s.Dir] = true
				g.leftOutOf(s).unread++
			}
		}
	}
	for _, s := range sets {
		for i := range s.holdDocs {
			s.holdDocs[i].unread = !take(s.holdDocs[i], maxHold)
		}
	}
	for _, s := range sets {
		s.proofs = slices.DeleteFunc(s.proofs, func(o member) bool { return o.size > maxProof || !take(o, maxProof) })
	}
}

func (g *gathering) all() []Set {
	sets := make([]Set, 0, len(g.sets))
	for _, s := range g.sets {
		sets = append(sets, s.Set)
	}
	return sets
}

// tell says of each database what is left out of it, at its newest set. What belongs to none of those
// listed is told at the newest of all.
func (g *gathering) tell(sets []Set) {
	for i := range sets {
		of := owner{instance: sets[i].Instance, database: sets[i].Database, schema: sets[i].Schema}
		if left := g.left[of]; left != nil {
			sets[i].Around = left.String()
			delete(g.left, of)
		}
	}
	if left := g.left[owner{}]; left != nil && len(sets) > 0 && sets[0].Around == "" {
		sets[0].Around = left.String()
	}
}

// LeftOut is what a listing of these sets could not show because there is too much of it, one sentence
// for each database.
func LeftOut(sets []Set) (told []string) {
	for i := range sets {
		if s := &sets[i]; s.Around != "" {
			told = append(told, fmt.Sprintf("of database %q on %q, %s", s.Database, s.Instance, s.Around))
		}
	}
	return told
}

func (l *leftOut) String() string {
	var parts []string
	for _, one := range []struct {
		n    int
		what string
	}{
		{l.sets, "older sets are not listed"},
		{l.unfinished, "more unfinished folders are not listed"},
		{l.unread, "manifests were not read, since all of them together are too large"},
	} {
		if one.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	return strings.Join(parts, ", ") + ": no host writes so much, find out who does"
}

// keepProofs keeps the newest of each kind, by when the store got them, which nobody can forge. So
// evidence of one kind never crowds out that of another.
func keepProofs(all []member, whole bool) []member {
	if !whole && len(all) < 16*maxProofs {
		return all
	}
	slices.SortStableFunc(all, func(a, b member) int {
		return cmp.Or(b.modified.Compare(a.modified), cmp.Compare(b.name, a.name))
	})
	count := map[string]int{}
	return slices.DeleteFunc(all, func(o member) bool {
		kind := proofKind(o.name)
		count[kind]++
		return count[kind] > maxProofs
	})
}

// proofKind is what a proof's name says it is of; all strange ones are of one kind.
func proofKind(name string) string {
	for _, kind := range []string{"verify", "restore", "drill"} {
		if strings.HasSuffix(name, "-"+kind+".json") {
			return kind
		}
	}
	return ""
}

func (g *Gathered) flaw(code fault.Code, problem string) { g.ProblemCode, g.Problem = code, problem }
