package pitr

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

const mib = 1 << 20

func at(minute int) time.Time { return time.Date(2026, 11, 14, 10, minute, 0, 0, time.UTC) }

func backupAt(label, from, to string, minute int) Backup {
	b := Backup{Label: label, Type: "full"}
	b.StartSegment, b.StopSegment = from, to
	b.Stopped = at(minute)
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
	pieces := w.pieces(Segments{1: positions(3, 20, 9)})
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
	pieces := w.pieces(Segments{1: positions(3, 20, 9)})
	windows := w.windows(pieces, []Backup{backupAt("20261114-100100F", "000000010000000000000004", "000000010000000000000005", 1)})
	gaps := w.gaps(pieces, windows)
	if len(windows) != 1 || len(gaps) != 1 || !gaps[0].To.IsZero() ||
		!strings.Contains(gaps[0].text(), "there is no backup behind it yet") {
		t.Errorf("%+v, %+v", windows, gaps)
	}
}

func TestWALBeforeTheFirstBackupIsNoGapOfTheWindow(t *testing.T) {
	w := wayTo(1, nil, mib)
	pieces := w.pieces(Segments{1: append(positions(1, 2), positions(4, 9)...)})
	windows := w.windows(pieces, []Backup{backupAt("20261114-100100F", "000000010000000000000005", "000000010000000000000005", 1)})
	if gaps := w.gaps(pieces, windows); len(windows) != 1 || len(gaps) != 0 {
		t.Errorf("%+v, %+v", windows, gaps)
	}
}

func TestAfterAPromotionTheWayGoesThroughTheOldTimelineUntilItWasLeft(t *testing.T) {
	history, err := wal.ParseHistory("1\t0/A80000\tno recovery target specified\n")
	if err != nil {
		t.Fatal(err)
	}
	w := wayTo(2, history, mib)
	// The old timeline went on to 15: that is another story.
	pieces := w.pieces(Segments{1: positions(4, 15), 2: positions(10, 12)})
	windows := w.windows(pieces, []Backup{
		backupAt("20261114-100100F", "000000010000000000000005", "000000010000000000000005", 1),
		backupAt("20261114-103100F", "00000001000000000000000C", "00000001000000000000000C", 31), // of the other story
	})
	if len(pieces) != 1 || len(windows) != 1 || windows[0].Last != "00000002000000000000000C" || len(windows[0].Backups) != 1 {
		t.Errorf("%+v, %+v", pieces, windows)
	}
	if _, err := wal.ParseHistory("x y z\n"); err == nil {
		t.Error("nonsense is a history")
	}
}

func TestSegmentsCountOnByTheirSize(t *testing.T) {
	for _, one := range []struct {
		bytes  int64
		before string
		after  string
	}{
		{bytes: 16 << 20, before: "0000000100000002000000FF", after: "000000010000000300000000"},
		{bytes: 1 << 20, before: "000000010000000200000FFF", after: "000000010000000300000000"},
		{bytes: 1 << 30, before: "0000000A0000000200000003", after: "0000000A0000000300000000"},
	} {
		s, ok := ParseSegment(one.before)
		if !ok {
			t.Fatal(one.before)
		}
		if got := SegmentAt(s.Timeline, s.Position(one.bytes)+1, one.bytes).Name(); got != one.after {
			t.Errorf("after %s of %d comes %s", one.before, one.bytes, got)
		}
	}
	for _, name := range []string{"", "00000001000000020000000f", "0000000100000002000000FF.partial", "00000001.history", "+0000001+0000002+00000FF"} {
		if _, ok := ParseSegment(name); ok {
			t.Errorf("%q is a segment", name)
		}
	}
}

func TestOnlySegmentsThatAServerCanHaveWrittenAreKept(t *testing.T) {
	s := Segments{}
	for _, name := range []string{
		"000000010000000000000007", "000000010000000000000006", "000000010000000000000007", "00000002.history",
		"0000000100000000FFFFFFFF", "000000010000000000000008.partial", "x",
	} {
		s.Add(name, 16*mib)
	}
	s.Sort()
	if len(s) != 1 || len(s[1]) != 2 || s[1][0] != 6 || s.Newest() != 1 {
		t.Errorf("%v", s)
	}
}
