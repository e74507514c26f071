package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What a manifest says that cannot be is the flaw of its set, and of nothing else.
func TestAnAbsurdManifestFlawsItsSetAlone(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 2, 3, 4, 5, 0, time.UTC) }
	for name, change := range map[string]func(*backup.Manifest){
		"sequence without end": func(m *backup.Manifest) { m.Sequence = math.MaxInt64 },
		"sequence of the moon": func(m *backup.Manifest) { m.Sequence = 1 << 50 },
		"negative sequence":    func(m *backup.Manifest) { m.Sequence = math.MinInt64 },
		"negative server":      func(m *backup.Manifest) { m.Server.SizeBytes = -1 },
		"absurd size": func(m *backup.Manifest) {
			m.Globals = &backup.Object{Key: "x", SHA256: m.Dump.SHA256, RawBytes: math.MaxInt64}
		},
		"negative rows":         func(m *backup.Manifest) { m.Summary.Rows = -5 },
		"finished in year 9999": func(m *backup.Manifest) { m.FinishedAt = year(9999) },
		"finished in year 1":    func(m *backup.Manifest) { m.FinishedAt = year(1) },
		"locked until 9999":     func(m *backup.Manifest) { until := year(9999); m.Dump.RetainUntil = &until },
		"a stage of ages":       func(m *backup.Manifest) { m.Stages = []backup.StageTime{{Stage: "dump", Seconds: 1e300}} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			fine := w.plant(t, backuptest.Ago(2), func(m *backup.Manifest) { m.Sequence = 7 })
			bad := w.plant(t, backuptest.Ago(1), change)
			sets := w.sets(t)
			for i := range sets {
				s := &sets[i]
				if good := s.Good(); good != (s.ID == fine.ID) {
					t.Errorf("%s is good: %v (%s)", s.ID, good, s.Problem)
				}
				if s.ID == bad.ID && (s.ProblemCode != fault.Integrity || !strings.Contains(s.Problem, "absurd")) {
					t.Errorf("problem %q, code %d", s.Problem, s.ProblemCode)
				}
			}
			if before := backup.Last(sets); before == nil || before.ID != fine.ID || before.Sequence != 7 {
				t.Errorf("the next set would follow %+v", before)
			}
			if health := backup.Assess(sets, backup.WhoseOf(w.job), backup.Objectives{RPO: 100 * time.Hour}, time.Now()); len(health.Problems) != 0 {
				t.Errorf("%+v", health.Problems)
			}
		})
	}
}

// A planted number leaves room for the sets that follow: they count on, and none of them is absurd.
func TestSetsGoOnCountingBehindAPlantedNumber(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.plant(t, backuptest.Ago(1), func(m *backup.Manifest) { m.Sequence = time.Now().Unix() })
	// The planted number is the largest that is possible, and a database has at most one set a second.
	time.Sleep(time.Second)
	first := w.run(t).Manifest
	time.Sleep(time.Second)
	second := w.run(t).Manifest
	if first.Sequence != second.Sequence-1 || second.Previous == nil || second.Previous.ID != first.ID {
		t.Errorf("numbers %d and %d, the second follows %+v", first.Sequence, second.Sequence, second.Previous)
	}
	sets := w.sets(t)
	if health := backup.Assess(sets, backup.WhoseOf(w.job), backup.Objectives{RPO: 100 * time.Hour}, time.Now()); len(health.Problems) != 0 {
		t.Errorf("%+v", health.Problems)
	}
	for i := range sets {
		if !sets[i].Good() {
			t.Errorf("%s: %s", sets[i].ID, sets[i].Problem)
		}
	}
}

func TestABackupOfAClockThatIsAheadIsAsOldAsTheStoreSays(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	m := w.plant(t, time.Now().AddDate(50, 0, 0))
	set := w.find(t, m.ID)
	if !set.Good() || set.FinishedAt.After(time.Now().Add(time.Hour)) {
		t.Errorf("finished %s, problem %q", set.FinishedAt, set.Problem)
	}
}

func TestEveryHoldCanBeReleased(t *testing.T) {
	at := func(year int) string { return fmt.Sprintf("%04d1231T235959.999Z", year) }
	for name, plant := range map[string]func(id string) map[string]string{
		"of the year 9999": func(id string) map[string]string {
			return map[string]string{at(9999) + "-0a0a0a-hold.json": `{"schema":1,"set":"` + id + `","by":"x","host":"y","at":"9999-12-31T23:59:59.999Z"}`}
		},
		"of a time beyond every year": func(id string) map[string]string {
			return map[string]string{at(9999) + "-0a0a0a-hold.json": `{"schema":1,"set":"` + id + `","by":"x","host":"y","at":"9999-12-31T23:59:59.999-23:59"}`}
		},
		"of year 0": func(id string) map[string]string {
			return map[string]string{at(0) + "-0a0a0a-hold.json": `{"schema":1,"set":"` + id + `"}`}
		},
		"without end": func(string) map[string]string {
			return map[string]string{at(2500) + "-0a0a0a-hold.json": strings.Repeat(" ", 64<<10+1)}
		},
		"without a day": func(string) map[string]string {
			return map[string]string{"99999999T999999.999Z-0a0a0a-hold.json": "{}"}
		},
		"very many of one moment": func(string) map[string]string {
			all := map[string]string{}
			for i := range 300 {
				all[fmt.Sprintf("%s-%06x-hold.json", at(9999), i)] = "{}"
			}
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withDays(t)
			m := w.plant(t, backuptest.Ago(60))
			dir := backup.Folder("postgresql", string(m.Instance), string(m.Database)) + m.ID + "/" + backup.HoldsFolder
			for file, body := range plant(m.ID) {
				w.put(t, dir+file, []byte(body))
			}
			if w.find(t, m.ID).Hold == nil {
				t.Fatal("it does not hold")
			}
			w.release(t, m.ID, backup.Hold{By: "ada", At: time.Now()})
			if set := w.find(t, m.ID); set.Hold != nil {
				t.Errorf("still held: %s", set.Hold)
			}
			w.hold(t, m.ID, backup.Hold{By: "ada", At: time.Now(), Reason: "again"})
			if set := w.find(t, m.ID); set.Hold == nil || set.Hold.Reason != "again" {
				t.Errorf("the next hold is %+v", set.Hold)
			}
		})
	}
}

func TestAClockOfNoYearWritesAHoldThatCanBeRead(t *testing.T) {
	for _, at := range []time.Time{{}, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)} {
		w := withDays(t)
		m := w.plant(t, backuptest.Ago(60))
		w.hold(t, m.ID, backup.Hold{By: "ada", At: at})
		if set := w.find(t, m.ID); set.Hold == nil || set.Hold.By != "ada" {
			t.Errorf("%s: %+v", at, set.Hold)
		}
	}
}

// What globals or contents expand to ends where the manifest says, and nothing is fetched that says of itself
// that it is larger than any of ours.
func TestSmallObjectsThatGrowAreRefused(t *testing.T) {
	packed, err := sealed.Pack(make([]byte, 8<<20), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*backup.Object){
		"more than is recorded":  func(o *backup.Object) { o.RawBytes = 1 << 20 },
		"less than is recorded":  func(o *backup.Object) { o.RawBytes = 9 << 20 },
		"recorded as very large": func(o *backup.Object) { o.RawBytes = backup.MaxContentsRaw + 1 },
		"stored as very large":   func(o *backup.Object) { o.SizeBytes = backup.MaxContentsStored + 1 },
	} {
		for _, what := range []string{backup.GlobalsName, backup.ContentsName} {
			w := newWorldOn(t, pgOf(t), "small")
			m := w.plant(t, backuptest.Ago(1), func(m *backup.Manifest) {
				o := &backup.Object{Key: what, SizeBytes: int64(len(packed)), SHA256: fmt.Sprintf("%x", sha256.Sum256(packed)), RawBytes: 8 << 20}
				if change(o); what == backup.GlobalsName {
					m.Globals = o
				} else {
					m.Contents = o
				}
			})
			dir := backup.Folder("postgresql", string(m.Instance), string(m.Database)) + m.ID + "/"
			w.put(t, dir+what, packed)
			set := &backup.Set{ID: m.ID, Kind: backup.KindNative, Dir: dir, Manifest: m}
			o := m.Globals
			if what == backup.ContentsName {
				o = m.Contents
			}
			_, err := stored.Small(t.Context(), w.env, set, o, nil)
			wantCode(t, err, fault.Integrity)
			if name == "stored as very large" && len(w.store.Requests(s3server.OpGetObject)) != 0 {
				t.Errorf("%s, %s: it was fetched", name, what)
			}
		}
	}
}

// Decoding by the piece gives what decoding at once gives.
func TestContentsAreDecodedAsTheyWereWritten(t *testing.T) {
	w, set := smallSet.world(t)
	contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
	if err != nil || contents.Archive == nil || len(contents.Archive.Entries) == 0 {
		t.Fatalf("%+v, %v", contents, err)
	}
	packed, err := contents.Pack()
	if err != nil {
		t.Fatal(err)
	}
	again, err := backup.DecodeContents(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var whole backup.Contents
	if err := json.Unmarshal(packed, &whole); err != nil {
		t.Fatal(err)
	}
	one, _ := json.Marshal(again)
	other, _ := json.Marshal(whole)
	if !bytes.Equal(one, packed) || !bytes.Equal(other, packed) {
		t.Error("it is not what was written")
	}
}
