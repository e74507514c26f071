package request

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestWhatIsAskedIsRead(t *testing.T) {
	dir := t.TempDir()
	want := Restore{
		Set: setID, Instance: "db1", Database: "a\"b\n", ManifestSHA256: digest, At: time.Unix(1, 0).UTC(),
		Request: restore.Request{To: "new", Jobs: 2, Globals: true},
	}
	old := syscall.Umask(0o077)
	err := Write(dir, "r1", want)
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "r1.json")); err != nil || info.Mode().Perm() != 0o640 {
		t.Fatalf("the group can't read it: %v, %v", info.Mode(), err)
	}
	got, err := Read(dir, "r1")
	want.Owner = uint32(os.Getuid())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := Write(dir, "r1", want); err == nil {
		t.Fatal("a request was overwritten")
	}
}

// A set that is named whole, as a request has it.
const (
	setID  = "20261122T020000Z-1a2b3c"
	digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	theSet = `"set":"` + setID + `","instance":"db1","database":"shop","manifestSha256":"` + digest + `"`
	oldSet = `"set":"legacy-20200102T030405-1a2b3c","instance":"","database":"shop"`
	rowsOf = theSet + `,"tables":["t"],"dataOnly":true`
)

func TestARequestNamesItsSetByWholeAddressAndDigest(t *testing.T) {
	for body, good := range map[string]bool{
		theSet: true, oldSet: true,
		strings.Replace(theSet, `"instance":"db1",`, "", 1):              false,
		strings.Replace(theSet, `"database":"shop",`, "", 1):             false,
		strings.Replace(theSet, `,"manifestSha256":"`+digest+`"`, "", 1): false,
		strings.Replace(theSet, digest, strings.ToUpper(digest), 1):      false,
		strings.Replace(theSet, setID, "latest", 1):                      false,
		strings.Replace(theSet, setID, setID[:12], 1):                    false,
		strings.Replace(theSet, setID, "evilhost/shop/"+setID, 1):        false,
		strings.Replace(oldSet, `"instance":""`, `"instance":"db1"`, 1):  false,
		oldSet + `,"manifestSha256":"x"`:                                 false,
	} {
		for _, target := range []string{`"to":"y"`, `"replace":"y","confirm":"y"`, `"replace":"y","check":true`} {
			if _, err := parse([]byte("{" + body + "," + target + "}")); (err == nil) != good {
				t.Errorf("%s %s: %v", body, target, err)
			}
		}
	}
}

func TestPlantedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	if err := os.WriteFile(good, []byte(`{`+theSet+`,"to":"y"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir, "good"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(good, filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, body := range map[string]string{
		"huge":    `{"set":"` + strings.Repeat("x", maxBytes) + `"}`,
		"unknown": `{` + theSet + `,"to":"y","command":"rm"}`,
		"empty":   ``,
		"notarg":  `{` + theSet + `}`,
		"jobs":    `{` + theSet + `,"to":"y","jobs":1000}`,
		"both":    `{` + theSet + `,"to":"y","replace":"y","confirm":"y"}`,
		"unsure":  `{` + theSet + `,"replace":"y"}`,
		"other":   `{` + theSet + `,"replace":"y","confirm":"Y"}`,
		"noset":   `{"replace":"y","confirm":"y"}`,
		"setswap": `{` + theSet + `,"swap":"y","confirm":"y"}`,
		"swap":    `{"swap":"y"}`,
		"with":    `{` + theSet + `,"to":"y","with":"z"}`,
		"ends":    `{` + theSet + `,"to":"y","terminate":true}`,
		"sure":    `{` + theSet + `,"to":"y","confirm":"y"}`,
		"rows":    `{` + rowsOf + `,"to":"y"}`,
		"rowsof":  `{` + rowsOf + `,"to":"y","confirm":"z"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, id+".json"), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"link", "pipe", "huge", "unknown", "empty", "notarg", "jobs", "both", "unsure", "other", "noset", "setswap", "swap", "with", "ends", "sure", "rows", "rowsof", "missing", "../good", "a/b", ""} {
		if _, err := Read(dir, id); err == nil || fault.CodeOf(err) == fault.OK {
			t.Errorf("%q was read", id)
		}
	}
}

func FuzzParseNeverPanicsAndNeverAcceptsAnEmptyTarget(f *testing.F) {
	for _, seed := range []string{
		`{` + theSet + `,"to":"y","jobs":3}`, `{` + theSet + `,"replace":"y","confirm":"y","terminate":true}`, `{"swap":"y","confirm":"y","with":"z"}`,
		`{` + theSet + `,"to":"y","tables":["public.\"a\"\"b\""],"schemas":["s"],"schemaOnly":true,"roles":{"a":"b"},"noOwner":true,"noTablespaces":true}`,
		`{"check":true,` + theSet + `,"replace":"y"}`, `{"check":true,"swap":"y"}`, `{` + rowsOf + `,"to":"y","confirm":"y"}`, `{` + oldSet + `,"to":"y"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parse(body)
		if err != nil {
			return
		}
		switch live := r.Live(); {
		case r.To+r.Replace+r.Swap == "", r.Replace+r.Swap != "" && r.To != "", r.Swap == "" && (r.Set == "" || r.Database == ""):
			t.Fatalf("accepted %+v", r)
		case r.Swap == "" && r.Instance+r.ManifestSHA256 == "" && !strings.HasPrefix(r.Set, "legacy-"):
			t.Fatalf("accepted what may be anybody's set: %+v", r)
		case live != "" && !r.Check && r.Confirm != live:
			t.Fatalf("accepted without a confirmation: %+v", r)
		}
	})
}

func FuzzParseAnswerNeverPanics(f *testing.F) {
	f.Add([]byte(`{"over":true,"checks":[{"name":"target","ok":true,"detail":"x"}],"portion":{"chosen":[{"kind":"TABLE","name":"t"}]},"error":"e"}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		if a, err := parseAnswer(body); err == nil {
			_ = a.Err()
		}
	})
}

func TestAnAnswerReachesWhoAskedAndTakesTheEarlierOnesPlace(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadAnswer(dir, "r1"); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("before there is one: %v", err)
	}
	want := Answer{Request: Restore{Set: "x", Request: restore.Request{Replace: "y", Confirm: "y"}}}
	if err := WriteAnswer(dir, "r1", want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadAnswer(dir, "r1"); err != nil || got.Over || got.Request.Replace != "y" {
		t.Fatalf("while it works: %+v, %v", got, err)
	}
	want.Restored = &restore.Restored{Database: "y", Kept: "y_before", Tables: 2, Rows: 7, Compared: true}
	want.End(fault.New(fault.Integrity, "rows differ", "look", nil))
	old := syscall.Umask(0o077)
	err := WriteAnswer(dir, "r1", want)
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadAnswer(dir, "r1")
	if err != nil || !got.Over || got.Restored.Rows != 7 || fault.CodeOf(got.Err()) != fault.Integrity || fault.Remedy(got.Err()) != "look" {
		t.Errorf("%+v, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "r1.answer")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the group can't read it: %v, %v", info.Mode(), err)
	}
	Remove(dir, "r1")
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPlantedAnswersAreRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(`{"over":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "link.answer")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.answer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "torn.answer"), []byte(`{"over":`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"link", "pipe", "torn", "../secret", ""} {
		if a, err := ReadAnswer(dir, id); err == nil {
			t.Errorf("%q was read: %+v", id, a)
		}
	}
}

func TestEveryRequestIsTakenOnce(t *testing.T) {
	dir := t.TempDir()
	set := Restore{Set: setID, Instance: "db1", Database: "shop", ManifestSHA256: digest}
	with := func(change func(*Restore)) Restore {
		r := set
		change(&r)
		return r
	}
	for id, r := range map[string]Restore{
		"new":     with(func(r *Restore) { r.To = "y" }),
		"rows":    with(func(r *Restore) { r.To, r.Confirm = "y", "y"; r.DataOnly, r.Tables = true, []string{"t"} }),
		"replace": with(func(r *Restore) { r.Replace, r.Confirm = "y", "y"; r.Terminate = true }),
		"swap":    {Swap: "y", With: "z", Request: restore.Request{Confirm: "y"}},
		"check":   with(func(r *Restore) { r.Check, r.Replace = true, "y" }),
	} {
		if err := Write(dir, id, r); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if got, err := Take(dir, id); err != nil || got.Replace+got.Swap+got.To != "y" {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
		if _, err := Take(dir, id); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s again: %v", id, err)
		}
	}
}
