package wal

import (
	"strings"
	"testing"
	"time"
)

const transactions = `rmgr: Transaction len (rec/tot):    405/   405, tx:        724, lsn: 0/008258D8, prev 0/00825898, desc: COMMIT 2026-11-28 21:51:09.617651 UTC; inval msgs: catcache 80
rmgr: Transaction len (rec/tot):     34/    34, tx:        725, lsn: 1A/00825AD8, prev 0/00825A70, desc: ABORT 2026-11-28 21:51:09.724818 UTC
rmgr: Transaction len (rec/tot):     46/    46, tx:          0, lsn: 0/00825B08, prev 0/00825A70, desc: COMMIT_PREPARED 731: 2026-11-28 21:51:10.000001 UTC
rmgr: Transaction len (rec/tot):     34/    34, tx:        732, lsn: 0/00825B48, prev 0/00825A70, desc: PREPARE gid COMMIT 2026-11-28 21:51:09.724818 UTC
rmgr: Transaction len (rec/tot):     34/    34, tx:        733, lsn: 0/00825B48, prev 0/00825A70, desc: COMMIT 2026-11-28 21:51:09.724818 CET
`

const points = `rmgr: XLOG        len (rec/tot):     30/    30, tx:          0, lsn: 0/00800028, prev 0/00700100, desc: NEXTOID 24576
rmgr: XLOG        len (rec/tot):     98/    98, tx:          0, lsn: 0/00825A70, prev 0/008258D8, desc: RESTORE_POINT before "the' drop
rmgr: Transaction len (rec/tot):     34/    34, tx:        725, lsn: 0/00825AD8, prev 0/00825A70, desc: COMMIT 2099-11-28 21:51:09.724818 UTC
rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: 0/00825FE0, prev 0/00825E08, desc: SWITCH 
`

func read(t *testing.T, manager, text string) (all []Record) {
	t.Helper()
	if err := Read(manager, strings.NewReader(text), func(r Record) { all = append(all, r) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEndsOfTransactionsAreRead(t *testing.T) {
	at := time.Date(2026, 11, 28, 21, 51, 9, 0, time.UTC)
	want := []Record{
		{Kind: Commit, LSN: 0x8258D8, XID: 724, Time: at.Add(617651 * time.Microsecond)},
		{Kind: Abort, LSN: 0x1A00825AD8, XID: 725, Time: at.Add(724818 * time.Microsecond)},
		{Kind: Commit, LSN: 0x825B08, XID: 731, Time: at.Add(1000001 * time.Microsecond)},
	}
	got := read(t, Transactions, transactions)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

func TestRestorePointsAreReadByTheirNameAndNoCommitFromTheirLines(t *testing.T) {
	got := read(t, Points, points)
	if len(got) != 1 || got[0] != (Record{Kind: RestorePoint, LSN: 0x825A70, Name: `before "the' drop`}) {
		t.Errorf("%+v", got)
	}
}

func TestALongLineTakesNoMemoryAndHidesNoneBehindIt(t *testing.T) {
	first, second, _ := strings.Cut(transactions, "\n")
	got := read(t, Transactions, first+strings.Repeat(" catcache 80", 100_000)+"\n"+second)
	if len(got) != 3 || got[0].XID != 724 || got[1].XID != 725 {
		t.Errorf("%+v", got)
	}
}

func TestAPositionIsReadAsPostgreSQLPrintsIt(t *testing.T) {
	for text, want := range map[string]LSN{"0/0": 0, "16/B374D848": 0x16B374D848, "FFFFFFFF/FFFFFFFF": 1<<64 - 1} {
		if got, err := ParseLSN(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "/", "0/", "1/2/3", "G/0", "-1/0", "000000001/0", "0/123456789", " 0/0"} {
		if got, err := ParseLSN(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func FuzzDump(f *testing.F) {
	f.Add(Transactions, transactions)
	f.Add(Points, points)
	f.Fuzz(func(t *testing.T, manager, text string) {
		err := Read(manager, strings.NewReader(text), func(r Record) {
			if (r.Kind == RestorePoint) != (r.Name != "") || (r.Kind == RestorePoint) != r.Time.IsZero() {
				t.Errorf("%+v", r)
			}
			if len(r.Name) > longestLine {
				t.Errorf("a name of %d bytes", len(r.Name))
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}
