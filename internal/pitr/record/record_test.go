package record

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

var now = time.Date(2026, 11, 28, 22, 46, 0, 0, time.UTC)

func known() []Cluster {
	to, loss := now.Add(-time.Hour), int64(12)
	return []Cluster{
		{
			Cluster: "main", Engine: "pgbackrest", EngineVersion: "2.55", Stanza: "main", At: now, OK: true,
			Summary: "any second from a to b UTC", LossSummary: "If this host died now you would lose 12 s of main.",
			Windows: []Window{{
				After: now.Add(-3 * time.Hour), Until: now, Timeline: 1, Backups: []string{"20261128-194600F"},
				First: "000000010000000000000007", Last: "000000010000000000000009",
			}},
			Gaps:      []Gap{{From: now.Add(-2 * time.Hour), To: &to, Missing: 1, Segments: []string{"000000010000000000000008"}}},
			Backups:   []BaseBackup{{Label: "20261128-194600F", Kind: "full", StartedAt: now.Add(-3 * time.Hour), StoppedAt: now, Bytes: 9, StoredBytes: 3, Usable: true}},
			Elsewhere: []int{2}, Loss: &loss, Commits: 3, Ready: 1, RPOSeconds: 600, Problems: []Problem{},
		},
		{Cluster: "other", Engine: "pgbackrest", Stanza: "other", At: now, Error: &Error{Code: 77, Message: "pitr: no", Remedy: "Do."}},
	}
}

func TestWhatWasWrittenIsReadAndOnlyTheGroupMayRead(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, known()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(known(), got); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(filepath.Join(dir, fileName))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".clusters-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhatNobodyHasWrittenIsNotFoundAndALinkIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	if got, err := Read(dir); fault.CodeOf(err) != fault.NotFound || got != nil || fault.Remedy(err) == "" {
		t.Errorf("%v, %v", got, err)
	}
	elsewhere := t.TempDir()
	if err := Write(elsewhere, known()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, fileName), filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(dir); err == nil || got != nil {
		t.Errorf("a link is followed: %v", got)
	}
}

// The writer is another user, of whom nothing is known but that it owns a server's files.
func TestWhatCannotBeIsRefusedAndWhatIsStrangeIsMadeVisible(t *testing.T) {
	for name, change := range map[string]func(*Cluster){
		"no name":             func(c *Cluster) { c.Cluster = "" },
		"no time":             func(c *Cluster) { c.At = time.Time{} },
		"the same name twice": func(c *Cluster) { c.Cluster = "other" },
		"a negative loss":     func(c *Cluster) { *c.Loss = -1 },
		"a window backwards":  func(c *Cluster) { c.Windows[0].Until = c.Windows[0].After.Add(-1) },
		"negative bytes":      func(c *Cluster) { c.Backups[0].StoredBytes = -1 },
		"a backup backwards":  func(c *Cluster) { c.Backups[0].StoppedAt = c.Backups[0].StartedAt.Add(-1) },
		"too many problems":   func(c *Cluster) { c.Problems = make([]Problem, mostItems) },
	} {
		all := known()
		change(&all[0])
		text, err := json.Marshal(file{Schema: fileSchema, Clusters: all})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parse(text); err == nil || got != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := Write(t.TempDir(), all); err == nil {
			t.Errorf("%s is written", name)
		}
	}
	if _, err := parse([]byte(`{"schema":2,"clusters":[]}`)); err == nil || !strings.Contains(err.Error(), "schema 2") {
		t.Error(err)
	}
	all := known()
	all[0].Problems = []Problem{{Kind: "gap", What: "\x1b[2J\u202eall is well"}}
	dir := t.TempDir()
	if err := Write(dir, all); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil || got[0].OK || got[0].Problems[0].What != `\x1b[2J\u202eall is well` {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestALookIsOldAfterAnHourAndWhereItIsOfTheFuture(t *testing.T) {
	c := Cluster{At: now}
	for after, want := range map[time.Duration]bool{
		0: false, time.Hour: false, time.Hour + 1: true, -4 * time.Minute: false, -6 * time.Minute: true,
	} {
		if c.Old(now.Add(after)) != want {
			t.Errorf("%s later: old %v", after, !want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	text, err := json.Marshal(file{Schema: fileSchema, Clusters: known()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":1,"clusters":[{"cluster":"a","at":"2026-11-28T22:46:00Z","ok":true,"problems":[{"what":"\u001b"}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := parse(raw)
		if err != nil && all != nil {
			t.Fatal("half a record")
		}
		for _, c := range all {
			if c.Cluster == "" || printable.Text(c.Summary) != c.Summary || c.OK && (len(c.Problems) > 0 || c.Error != nil) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
