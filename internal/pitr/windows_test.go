package pitr

import (
	"strings"
	"testing"
	"time"
)

const mib = 1 << 20

func at(minute int) time.Time { return time.Date(2026, 11, 14, 10, minute, 0, 0, time.UTC) }

func backupAt(label, from, to string, minute int) Backup {
	b := Backup{Label: label, Type: "full"}
	b.Archive.Start, b.Archive.Stop = from, to
	b.Timestamp.Stop = at(minute).Unix()
	return b
}

func positions(from, to uint64, but ...uint64) (all []uint64) {
	for p := from; p <= to; p++ {
		if len(but) == 0 || p != but[0] {
			all = append(all, p)
		}
	}
	return all
}

func TestAMissingSegmentCutsTheWindowInTwo(t *testing.T) {
	w := wayTo(1, nil, mib)
	pieces := w.pieces(map[uint32][]uint64{1: positions(3, 20, 9)})
	whole := []Backup{
		backupAt("20261114-100100F", "000000010000000000000004", "000000010000000000000005", 1),
		backupAt("20261114-100900F", "000000010000000000000008", "00000001000000000000000A", 9), // needs what is missing
		backupAt("20261114-103100F", "00000001000000000000000C", "00000001000000000000000C", 31),
	}
	windows := w.windows(pieces, whole)
	if len(windows) != 2 || windows[0].Last != "000000010000000000000008" || windows[1].After != at(31) ||
		len(windows[0].Backups) != 1 || windows[1].Last != "000000010000000000000014" {
		t.Fatalf("windows are %+v", windows)
	}
	windows[0].Until, windows[1].Until = at(2), at(40)
	gaps := w.gaps(pieces, windows)
	if len(gaps) != 1 || gaps[0].From != at(2) || gaps[0].To != at(31) || gaps[0].Missing != 1 ||
		gaps[0].Segments[0] != "000000010000000000000009" {
		t.Errorf("gaps are %+v", gaps)
	}
	s := State{Windows: windows, Gaps: gaps}
	const want = "any second from 2026-11-14 10:01:00 to 2026-11-14 10:40:00 UTC, gap 2026-11-14 10:02:00–2026-11-14 10:31:00"
	if s.Text() != want {
		t.Errorf("%s", s.Text())
	}
}

func TestAGapWithoutABackupBehindItIsTold(t *testing.T) {
	w := wayTo(1, nil, mib)
	pieces := w.pieces(map[uint32][]uint64{1: positions(3, 20, 9)})
	windows := w.windows(pieces, []Backup{backupAt("20261114-100100F", "000000010000000000000004", "000000010000000000000005", 1)})
	gaps := w.gaps(pieces, windows)
	if len(windows) != 1 || len(gaps) != 1 || !gaps[0].To.IsZero() ||
		!strings.Contains(gaps[0].text(), "there is no backup behind it yet") {
		t.Errorf("%+v, %+v", windows, gaps)
	}
}

func TestWALBeforeTheFirstBackupIsNoGapOfTheWindow(t *testing.T) {
	w := wayTo(1, nil, mib)
	pieces := w.pieces(map[uint32][]uint64{1: append(positions(1, 2), positions(4, 9)...)})
	windows := w.windows(pieces, []Backup{backupAt("20261114-100100F", "000000010000000000000005", "000000010000000000000005", 1)})
	if gaps := w.gaps(pieces, windows); len(windows) != 1 || len(gaps) != 0 {
		t.Errorf("%+v, %+v", windows, gaps)
	}
}

func TestAfterAPromotionTheWayGoesThroughTheOldTimelineUntilItWasLeft(t *testing.T) {
	history, err := parseHistory("1\t0/A80000\tno recovery target specified\n")
	if err != nil {
		t.Fatal(err)
	}
	w := wayTo(2, history, mib)
	// The old timeline went on to 15: that is another story.
	pieces := w.pieces(map[uint32][]uint64{1: positions(4, 15), 2: positions(10, 12)})
	windows := w.windows(pieces, []Backup{
		backupAt("20261114-100100F", "000000010000000000000005", "000000010000000000000005", 1),
		backupAt("20261114-103100F", "00000001000000000000000C", "00000001000000000000000C", 31), // of the other story
	})
	if len(pieces) != 1 || len(windows) != 1 || windows[0].Last != "00000002000000000000000C" || len(windows[0].Backups) != 1 {
		t.Errorf("%+v, %+v", pieces, windows)
	}
	if _, err := parseHistory("x y z\n"); err == nil {
		t.Error("nonsense is a history")
	}
}

// listed is what repo-ls of 2.45 printed, shortened, with what somebody else put there.
const listed = `{".":{"type":"path"},"0000000100000000":{"type":"path"},
"0000000100000000/000000010000000000000006-42bdd952794d230225367ba806fd521e0dd12f37.gz":{"type":"file","size":1983,"time":1795902730},
"0000000100000000/000000010000000000000007-b0613ae20d0345d55c58f9d77284eb62221e99f8.zst":{"type":"file","size":1208,"time":1795902733},
"0000000100000000/000000010000000000000007.00000028.backup":{"type":"file","size":368,"time":1795902733},
"0000000100000000/000000010000000000000008.partial-56d2c002bd505ff21da6823e82da437be4fbde59.gz":{"type":"file"},
"0000000100000000/0000000100000000FFFFFFFF-56d2c002bd505ff21da6823e82da437be4fbde59.gz":{"type":"file"},
"00000002.history":{"type":"file","size":41}}`

func TestAListingIsReadByWhatTheEngineStores(t *testing.T) {
	l := Listing{Segments: map[uint32][]uint64{}}
	err := eachName(strings.NewReader(listed), func(name string) error { l.add(name, 16*mib); return nil })
	if err != nil || len(l.Segments) != 1 || len(l.Segments[1]) != 2 || len(l.Histories) != 1 || l.Histories[0] != 2 {
		t.Errorf("%+v, %v", l, err)
	}
	for _, text := range []string{"", "[]", `{"a"`, `{"a":1}`, `{"a":{"type":"file"}`} {
		if err := eachName(strings.NewReader(text), func(string) error { return nil }); err == nil {
			t.Errorf("%q is a listing", text)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add(listed)
	f.Fuzz(func(t *testing.T, text string) {
		l := Listing{Segments: map[uint32][]uint64{}}
		_ = eachName(strings.NewReader(text), func(name string) error { l.add(name, mib); return nil })
		w := wayTo(newestTimeline(l), nil, mib)
		for _, p := range w.pieces(l.Segments) {
			if p.to < p.from {
				t.Errorf("%+v", p)
			}
		}
	})
}
