package drill

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 17, 0, 0, 0, time.UTC) }

func good(n int) Proof {
	return Proof{
		Cluster: "main", StartedAt: day(n), FinishedAt: day(n).Add(time.Hour), OK: true, Target: day(n - 1),
		Set: "20261122-010003F", RTOSeconds: 192,
	}
}

func TestTheNewestProofIsReadAndAFailureBehindItIsTold(t *testing.T) {
	dir := t.TempDir()
	bad := Proof{Cluster: "main", StartedAt: day(26), FinishedAt: day(26), Target: day(25), Failure: "a hole"}
	for _, p := range []Proof{good(12), good(19), bad} {
		if err := p.write(dir); err != nil {
			t.Fatal(err)
		}
	}
	k, err := Read(dir, "main")
	if err != nil || k.Newest.Failure != "a hole" || k.Proven == nil || !k.Proven.FinishedAt.Equal(good(19).FinishedAt) {
		t.Fatalf("%+v, %v", k, err)
	}
	if want := "proven 19 Nov to 18 Nov 17:00:00 UTC, in 3m12s"; !strings.HasPrefix(k.Text(), "proven 19 Nov to 18 Nov 17:00:00 UTC, in 3") {
		t.Errorf("%q, not %q", k.Text(), want)
	}
	c := config.Cluster{Name: "main", ProofWithin: 8 * 24 * time.Hour, RTO: 3 * time.Minute}
	kinds := func(now time.Time) (all []string) {
		for _, p := range k.Judge(c, now) {
			if p.Remedy == "" {
				t.Errorf("%s has no remedy", p.Kind)
			}
			all = append(all, string(p.Kind))
		}
		return all
	}
	if got := strings.Join(kinds(day(26)), " "); got != "drill-failed rto" {
		t.Errorf("within the objective: %s", got)
	}
	if got := strings.Join(kinds(day(28)), " "); got != "drill-failed proof-old rto" {
		t.Errorf("behind it: %s", got)
	}
	k = Known{}
	if got := strings.Join(kinds(day(28)), " "); got != "proof-old rto" {
		t.Errorf("never drilled: %s", got)
	}
	c = config.Cluster{Name: "main"}
	if got := kinds(day(28)); len(got) != 0 {
		t.Errorf("nothing was asked for: %s", got)
	}
	if k, err := Read(dir, "other"); err != nil || k.Newest != nil {
		t.Errorf("of another cluster: %+v, %v", k, err)
	}
}

func TestProofsDoNotGrowWithoutEndAndWhatNobodyWroteIsNoProof(t *testing.T) {
	dir := t.TempDir()
	for i := range keptProofs + 3 {
		p := good(12)
		p.FinishedAt = p.FinishedAt.Add(time.Duration(i) * time.Minute)
		if err := p.write(dir); err != nil {
			t.Fatal(err)
		}
	}
	names, err := proofNames(folder(dir, "main"))
	if err != nil || len(names) != keptProofs || names[0] != "20261112T180300Z-ok.json" {
		t.Errorf("%d, %v", len(names), err)
	}
	for _, text := range []string{"", "{}", `{"schema":1,"cluster":"main","ok":true,"finishedAt":"2026-11-26T02:00:00Z"}`} {
		file := filepath.Join(folder(dir, "main"), "20991112T180300Z-ok.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if k, err := Read(dir, "main"); err == nil {
			t.Errorf("%q is %+v", text, k.Newest)
		}
	}
}

func TestATargetIsReachedWhenTheArchivedWALSaysTheSame(t *testing.T) {
	target := day(25)
	end := func(at wal.LSN, offset time.Duration) wal.Record {
		return wal.Record{Kind: wal.Commit, LSN: at, Time: target.Add(offset)}
	}
	ends := beside.Ends{Before: end(100, -time.Second), After: end(200, time.Second)}
	for name, one := range map[string]struct {
		commit time.Time
		ends   beside.Ends
		words  string
	}{
		"as it should":                    {ends.Before.Time, ends, ""},
		"exactly at the target":           {target, beside.Ends{Before: end(100, 0), After: ends.After}, ""},
		"nothing since the backup":        {time.Time{}, beside.Ends{After: ends.After}, ""},
		"too early":                       {target.Add(-time.Minute), ends, "as the last before it"},
		"too late":                        {target.Add(1), beside.Ends{Before: end(100, 1), After: ends.After}, "later than the target"},
		"the next one belongs to it":      {ends.Before.Time, beside.Ends{Before: ends.Before, After: end(200, -1)}, "belongs to it"},
		"the archive ends there":          {ends.Before.Time, beside.Ends{Before: ends.Before}, "nothing says"},
		"the copy says nothing, WAL does": {time.Time{}, ends, "as the last before it"},
	} {
		err := reached(target, one.commit, one.ends)
		if (err == nil) != (one.words == "") || err != nil && (!strings.Contains(err.Error(), one.words) || fault.CodeOf(err) != fault.Integrity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARandomMomentLiesInTheNewestWindowAndASeedRepeatsIt(t *testing.T) {
	s := pitr.State{Windows: []pitr.Window{{After: day(1), Until: day(3)}, {After: day(20), Until: day(27)}}}
	seen := map[time.Time]bool{}
	for seed := range uint64(200) {
		target, err := choose(s, Options{Seed: seed + 1})
		again, _ := choose(s, Options{Seed: seed + 1})
		if err != nil || !target.Time.After(day(20)) || !target.Time.Before(day(27)) || again != target {
			t.Fatalf("seed %d: %v and %v, %v", seed+1, target, again, err)
		}
		seen[target.Time] = true
	}
	if len(seen) < 190 {
		t.Errorf("%d moments of 200 seeds", len(seen))
	}
	tight := pitr.State{Windows: []pitr.Window{{After: day(20), Until: day(20).Add(2 * time.Microsecond)}}}
	if target, err := choose(tight, Options{}); err != nil || target.Time != day(20).Add(time.Microsecond) {
		t.Errorf("%v, %v", target, err)
	}
	for _, s := range []pitr.State{{}, {Windows: []pitr.Window{{After: day(20), Until: day(20)}}}} {
		if _, err := choose(s, Options{}); fault.CodeOf(err) != fault.Refused {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestTheNoteBesideABackupIsReadByAnotherHost(t *testing.T) {
	p := good(19)
	backups := []pitr.Backup{
		{Label: "a", Annotation: map[string]printable.Name{Annotation: printable.Name(good(12).note())}},
		{Label: "b", Annotation: map[string]printable.Name{Annotation: printable.Name(p.note())}},
		{Label: "c", Annotation: map[string]printable.Name{Annotation: "today reached now in 1s", "other": "x"}},
	}
	got, ok := Noted(backups)
	if !ok || got.Set != "b" || !got.Target.Equal(p.Target) || !got.FinishedAt.Equal(p.FinishedAt) || got.RTOSeconds != 192 {
		t.Errorf("%+v", got)
	}
	if _, ok := Noted(backups[2:]); ok {
		t.Error("nonsense is a proof")
	}
}

func FuzzProof(f *testing.F) {
	f.Add([]byte("{}"), "")
	f.Fuzz(func(t *testing.T, raw []byte, note string) {
		if p, err := parse(raw, "main"); err == nil && (p.Cluster != "main" || p.OK && p.Target.IsZero()) {
			t.Errorf("%+v", p)
		}
		_, _ = Noted([]pitr.Backup{{Annotation: map[string]printable.Name{Annotation: printable.Name(note)}}})
	})
}
