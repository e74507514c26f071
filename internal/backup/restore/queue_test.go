package restore

import (
	"slices"
	"sync"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// archiveOf has tables of these sizes, with ids from 1.
func archiveOf(sizes ...int64) *stored.Archive {
	a := &archive.Archive{HeadBytes: 1000}
	at := a.HeadBytes
	for i, size := range sizes {
		a.Data = append(a.Data, archive.Data{DumpID: i + 1, Offset: at, End: at + size})
		at += size
	}
	return &stored.Archive{Recorded: a}
}

func TestTheLargestTablesAreLoadedFirstAndSmallOnesWithTheirNeighbours(t *testing.T) {
	a := archiveOf(1, 30<<20, 2, 80<<20, 3, 50<<20, 4)
	q := newRowQueue(2)
	q.add(a, a.Recorded.RowEntries())
	var got [][]int
	for of, ids := q.next(); of != nil; of, ids = q.next() {
		got = append(got, ids)
	}
	want := [][]int{{4}, {6}, {2}, {1, 3, 5, 7}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestEachTableOfEachArchiveIsLoadedOnce(t *testing.T) {
	var sizes []int64
	for i := range int64(500) {
		sizes = append(sizes, i*i*200) // from nothing to 50 MB
	}
	lead, further := archiveOf(sizes...), archiveOf(70<<20, 90<<20)
	q := newRowQueue(4)
	q.add(lead, lead.Recorded.RowEntries()[10:]) // the first ones were loaded before
	q.add(further, further.Recorded.RowEntries())
	seen := map[*stored.Archive]map[int]int{lead: {}, further: {}}
	batches := 0
	var one sync.Mutex
	var sessions sync.WaitGroup
	for range 4 {
		sessions.Go(func() {
			for of, ids := q.next(); of != nil; of, ids = q.next() {
				one.Lock()
				batches++
				if !slices.IsSorted(ids) {
					t.Errorf("not in the order of the archive: %v", ids)
				}
				for _, id := range ids {
					seen[of][id]++
				}
				one.Unlock()
			}
		})
	}
	sessions.Wait()
	if len(seen[lead]) != 490 || len(seen[further]) != 2 || seen[lead][10] != 0 {
		t.Errorf("%d and %d tables", len(seen[lead]), len(seen[further]))
	}
	for of := range seen {
		for id, n := range seen[of] {
			if n != 1 {
				t.Errorf("table %d: %d times", id, n)
			}
		}
	}
	if batches < 16 || batches > 400 { // else nothing is balanced, or programs are started for nothing
		t.Errorf("%d batches", batches)
	}
}
