package request

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
)

// moment is a target as a request has it.
var moment = beside.Target{Time: time.Date(2026, 11, 28, 13, 31, 59, 0, time.UTC)}

const someCopy = "main-0a1b2c"

func TestARequestAboutAClusterIsTakenOnceAndAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	for id, want := range map[string]Cluster{
		"restore": {Verb: RestoreBeside, Cluster: "main", Target: moment, Timeline: 2, KeepSeconds: 7200},
		"check":   {Verb: CheckBeside, Cluster: "main", Target: beside.Target{LSN: 1 << 40}},
		"look":    {Verb: Look, Copy: someCopy, Database: "a\"b\n", Amcheck: true},
		"promote": {Verb: Promote, Copy: someCopy},
		"keep":    {Verb: Keep, Copy: someCopy, KeepSeconds: 3600},
		"table": {
			Verb: Extract, Copy: someCopy, Database: "shop", Schema: "public", Table: "orders", Into: "shop", Confirm: "shop",
		},
		"whole": {Verb: Extract, Copy: someCopy, Database: "shop", Into: "shop_then"},
	} {
		old := syscall.Umask(0o077)
		err := WriteCluster(dir, id, want)
		syscall.Umask(old)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, id+".json")); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: the group can't read it: %v", id, err)
		}
		want.Owner = uint32(os.Getuid())
		if got, err := TakeCluster(dir, id); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
		if _, err := TakeCluster(dir, id); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s was taken twice: %v", id, err)
		}
	}
}

func TestARequestAboutAClusterSaysNeitherTooLittleNorTooMuch(t *testing.T) {
	long := strings.Repeat("x", 64)
	for name, c := range map[string]Cluster{
		"no verb":                       {Cluster: "main", Target: moment},
		"an unknown verb":               {Verb: "drop", Copy: someCopy},
		"no cluster":                    {Verb: RestoreBeside, Target: moment},
		"no target":                     {Verb: CheckBeside, Cluster: "main"},
		"two targets":                   {Verb: RestoreBeside, Cluster: "main", Target: beside.Target{Time: moment.Time, End: true}},
		"a target of a copy":            {Verb: Promote, Copy: someCopy, Target: moment},
		"a folder for a copy":           {Verb: Discard, Copy: "../../etc"},
		"a copy that is no ID":          {Verb: Look, Copy: "main"},
		"a look that is kept":           {Verb: Look, Copy: someCopy, KeepSeconds: 7200},
		"a copy for a minute":           {Verb: RestoreBeside, Cluster: "main", Target: moment, KeepSeconds: 60},
		"a copy for ever":               {Verb: Keep, Copy: someCopy, KeepSeconds: 1 << 40},
		"a negative time":               {Verb: Keep, Copy: someCopy, KeepSeconds: -7200},
		"a table without confirming":    {Verb: Extract, Copy: someCopy, Database: "shop", Schema: "public", Table: "t", Into: "shop"},
		"another name confirmed":        {Verb: Extract, Copy: someCopy, Database: "shop", Schema: "public", Table: "t", Into: "shop", Confirm: "x"},
		"a table without its schema":    {Verb: Extract, Copy: someCopy, Database: "shop", Table: "t", Into: "shop", Confirm: "shop"},
		"a new one confirmed":           {Verb: Extract, Copy: someCopy, Database: "shop", Into: "new", Confirm: "new"},
		"into a database of the server": {Verb: Extract, Copy: someCopy, Database: "shop", Schema: "public", Table: "t", Into: "postgres", Confirm: "postgres"},
		"a name too long":               {Verb: Extract, Copy: someCopy, Database: "shop", Into: long},
	} {
		if err := WriteCluster(t.TempDir(), "r1", c); err == nil {
			t.Errorf("%s: was written", name)
		}
		body, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseCluster(body); fault.CodeOf(err) != fault.Refused {
			t.Errorf("%s: was read: %v", name, err)
		}
	}
	for _, body := range []string{
		`{"verb":"promote","copy":"main-0a1b2c","at":"2026-11-28T00:00:00Z","folder":"/etc"}`, // no key for a folder
		`{"set":"20261122T020000Z-1a2b3c","to":"x"}`,                                          // one of restores
		`[]`, ``, `{"verb":"keep","copy":"main-0a1b2c","keepSeconds":1e300}`,
	} {
		if c, err := parseCluster([]byte(body)); err == nil {
			t.Errorf("%s was read as %+v", body, c)
		}
	}
}

func TestPlantedRequestsAboutClustersAreRefused(t *testing.T) {
	dir := t.TempDir()
	good := `{"verb":"promote","copy":"main-0a1b2c","at":"2026-11-28T00:00:00Z"}`
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "large.json"), []byte(good+strings.Repeat(" ", maxBytes)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"link", "pipe", "large", "../secret", ""} {
		if c, err := TakeCluster(dir, id); err == nil {
			t.Errorf("%q was taken: %+v", id, c)
		}
	}
}

func TestTheAnswerAboutAClusterHasWhatTheUnitFound(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadClusterAnswer(dir, "r1"); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("before there is one: %v", err)
	}
	want := ClusterAnswer{
		Request: Cluster{Verb: RestoreBeside, Cluster: "main", Target: moment}, Psql: "psql -h x", Running: true,
		Copy: &beside.Copy{ID: someCopy, Target: moment, Phase: beside.Ready, Reached: beside.Reached{LSN: 1 << 33}},
		Plan: &beside.Plan{Set: "20261128-020000F", SizeBytes: 7}, Extracted: &beside.Extracted{Tables: 2, Rows: 9},
		Look: &beside.Look{Databases: []beside.DatabaseLook{{Name: "shop", Tables: []beside.TableRows{{Schema: "s", Name: "t", Rows: 5}}}}},
	}
	want.End(fault.New(fault.NoSpace, "no room", "free some", nil))
	if err := WriteClusterAnswer(dir, "r1", want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadClusterAnswer(dir, "r1")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if fault.CodeOf(got.Err()) != fault.NoSpace || fault.Remedy(got.Err()) != "free some" {
		t.Errorf("its error is %v", got.Err())
	}
}

func FuzzParseClusterNeverPanicsAndTakesNothingUnconfirmed(f *testing.F) {
	for _, seed := range []string{
		`{"verb":"restore","cluster":"main","target":{"time":"2026-11-28T13:31:59Z"},"keepSeconds":7200}`,
		`{"verb":"check","cluster":"main","target":{"lsn":"0/3000000"},"timeline":2}`,
		`{"verb":"extract","copy":"main-0a1b2c","database":"shop","schema":"public","table":"t","into":"shop","confirm":"shop"}`,
		`{"verb":"look","copy":"main-0a1b2c","database":"shop","amcheck":true}`, `{"verb":"discard","copy":"main-0a1b2c"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parseCluster(body)
		if err != nil {
			return
		}
		switch {
		case c.Copy == "" && c.Cluster == "", c.Copy != "" && !beside.IsID(c.Copy):
			t.Fatalf("accepted what is about nothing: %+v", c)
		case c.Verb == Extract && c.Table != "" && c.Confirm != c.Into:
			t.Fatalf("accepted without a confirmation: %+v", c)
		}
	})
}
