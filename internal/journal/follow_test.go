package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// openWritten opens what w has written so far: records reach the file a moment after they were
// handed over.
func openWritten(t *testing.T, w *writer) *Reader {
	t.Helper()
	for {
		if files, _ := filepath.Glob(filepath.Join(w.dir, "*.journal")); len(files) > 0 {
			if info, err := os.Stat(files[0]); err == nil && info.Size() > 0 {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	r := openDir(t, w.dir)
	for {
		n := 0
		if err := r.source.scan(t.Context(), scan{}, func(Entry) bool { n++; return true }); err != nil {
			t.Fatal(err)
		}
		if n == w.n {
			return r
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// take reads batches until n messages came.
func take(t *testing.T, in <-chan Batch, n int) []string {
	t.Helper()
	var got []string
	for len(got) < n {
		select {
		case b, open := <-in:
			if !open || b.Err != nil {
				t.Fatalf("ended after %d of %d: %v", len(got), n, b.Err)
			}
			got = append(got, messages(b.Entries)...)
		case <-time.After(30 * time.Second):
			t.Fatalf("only %d of %d came: %q", len(got), n, got)
		}
	}
	return got
}

func TestFollowGivesEachNewEntryOnceAndInOrder(t *testing.T) {
	w := newWriter(t)
	w.append(t, from(backupUnit, "old"))
	r := openWritten(t, w)
	in, err := r.Follow(t.Context(), Query{Units: []string{backupUnit}}, "")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 30 {
		for k := range 40 {
			want = append(want, fmt.Sprint(i, k))
			w.append(t, from(backupUnit, fmt.Sprint(i, k)), from("noise.service", "noise"),
				from("session-3.scope", "forged", "UNIT="+backupUnit))
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.append(t, about(backupUnit, "end"))
	want = append(want, "end")
	got := take(t, in, len(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFollowGoesOnFromAPagesCursor(t *testing.T) {
	var records []record
	want := []string{}
	for i := range 1200 {
		records = append(records, from(backupUnit, fmt.Sprint(i)))
		if i >= 100 {
			want = append(want, fmt.Sprint(i))
		}
	}
	dir := journalOf(t, records...)
	r := openDir(t, dir)
	q := Query{Units: []string{backupUnit}}
	page, err := r.Page(t.Context(), q, Position{Direction: Newer, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	in, err := r.Follow(t.Context(), q, page.Next)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, take(t, in, len(want))); diff != "" {
		t.Error(diff)
	}
}

func TestFollowNoticesAUnitThatDidNotExist(t *testing.T) {
	w := newWriter(t)
	w.append(t, from("ssh.service", "x"))
	in, err := openWritten(t, w).Follow(t.Context(), Query{Units: []string{"postgres-backup@*.service"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 20 {
		unit := fmt.Sprintf("postgres-backup@db%d.service", i)
		w.append(t, about(unit, fmt.Sprint("starting ", i)), from(unit, fmt.Sprint("working ", i)), from("postgres-backup@db0.service", fmt.Sprint("again ", i)))
		want = append(want, fmt.Sprint("starting ", i), fmt.Sprint("working ", i), fmt.Sprint("again ", i))
		time.Sleep(20 * time.Millisecond)
	}
	if diff := cmp.Diff(want, take(t, in, len(want))); diff != "" {
		t.Error(diff)
	}
}

func TestFollowersEndWithTheirContextAndWithTheReader(t *testing.T) {
	dir := journalOf(t, sample()...)
	// exec's copying goroutines and our own must all be gone.
	leaks := goleak.IgnoreCurrent()
	r := openDir(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	q := Query{Units: []string{"postgres-*"}}
	first, err := r.Follow(ctx, q, "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if b, open := <-first; open {
		t.Errorf("after its context ended: %+v", b)
	}
	page, err := r.Page(t.Context(), q, Position{Direction: Newer, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	idle, err := r.Follow(t.Context(), q, "")
	if err != nil {
		t.Fatal(err)
	}
	blocked, err := r.Follow(t.Context(), q, page.Next)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for _, in := range []<-chan Batch{idle, blocked} {
		if b, open := <-in; open {
			t.Errorf("after the reader was closed: %+v", b)
		}
	}
	if _, err := r.Follow(t.Context(), q, ""); err == nil {
		t.Error("a closed reader followed")
	}
	goleak.VerifyNone(t, leaks)
}
