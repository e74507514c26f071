package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// hostile is what a terminal would act on and what misleads a reader: a clipboard write, a title, C1
// controls, a line of its own, bidirectional overrides, invisible characters.
const hostile = "x\x1b]52;c;ZXZpbA==\x07\x1b]0;t\x07\u009b2J\nFAKE ok\r\t\u202egpj\u2066\u200b\ufeff\x7f"

// poison puts hostile text into every string of a document, also into those that a later version adds,
// but for the fields that are named.
func poison(v reflect.Value, but ...string) {
	switch v.Kind() { // the others hold no text
	case reflect.String:
		v.SetString(hostile)
	case reflect.Pointer:
		if v.IsNil() && v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeFor[time.Time]() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			poison(v.Elem(), but...)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			poison(v.Index(i), but...)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if !slices.Contains(but, v.Type().Field(i).Name) {
				poison(v.Field(i), but...)
			}
		}
	}
}

// poisoned is a world whose one set says hostile things wherever a document has text.
func poisoned(t *testing.T) (w *world, id string, rewrite func(change func(*backup.Manifest))) {
	w = newWorld(t)
	w.pg.Exec(t, w.db, sample)
	w.run(t, 0, "--headless")
	s := w.store(t)
	keys, err := s.keys()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(keys, func(k string) bool { return strings.HasSuffix(k, "/manifest.json") })
	key := keys[at]
	dir := strings.TrimSuffix(key, "manifest.json")
	raw, err := s.get(key)
	if err != nil {
		t.Fatal(err)
	}
	var m backup.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	rewrite = func(change func(*backup.Manifest)) {
		changed := m
		change(&changed)
		body, err := json.Marshal(&changed)
		if err != nil {
			t.Fatal(err)
		}
		w.plant(t, key, body)
	}
	var contents backup.Contents
	poison(reflect.ValueOf(&contents).Elem(), "Frames")
	contents.Schema = 1
	raw, err = json.Marshal(contents)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := sealed.Pack(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.plant(t, dir+m.Contents.Key, packed)
	m.Contents.SizeBytes = int64(len(packed))
	m.Contents.RawBytes = int64(len(raw))
	m.Contents.SHA256 = fmt.Sprintf("%x", sha256.Sum256(packed))
	poison(reflect.ValueOf(&m).Elem(),
		"Schema", "ID", "Instance", "Database", "Job", "Key", "SHA256", "Recipients", "DumpClient",
		"Streams") // of a set that has none, they are refused
	m.DumpClient += hostile
	rewrite(func(*backup.Manifest) {})

	p := backup.Proof{Schema: 1, StartedAt: time.Now().UTC(), FinishedAt: time.Now().UTC()}
	for n, ok := range []bool{true, false} {
		poison(reflect.ValueOf(&p).Elem())
		p.Set, p.OK = m.ID, ok
		w.plantJSON(t, fmt.Sprintf("%sproofs/20261122T02000%dZ-0a0a0a-verify.json", dir, n), p)
	}
	const moment = "2026-11-22T02:00:00.000Z"
	w.plantJSON(t, dir+"holds/20261122T020000.000Z-0a0a0a-hold.json",
		map[string]any{"schema": 1, "set": m.ID, "by": hostile, "host": hostile, "at": moment, "reason": hostile})
	folder := strings.TrimSuffix(dir, m.ID+"/")
	w.plantJSON(t, folder+"lease.json", map[string]any{"schema": 1, "run": hostile, "host": hostile, "source": hostile})
	w.plant(t, folder+"20200101T000000Z-0a0a0a/"+"dump.pgc.zst", []byte("x"))
	w.plant(t, folder+"20200101T000001Z-0a0a0a/"+"manifest.json", []byte(`{"schema":1,"id":"\u001b[2J\u009b"}`))
	planted := "postgresql/" + backup.EncodeName(hostile) + "/" + backup.EncodeName(hostile) + "/20200101T000002Z-0a0a0a"
	w.plant(t, planted+"/manifest.json", []byte(`{"schema":7,"job":"\u001b[2J"}`))
	w.plant(t, "postgresql/postgresql_\u202e\u009b2J_20200101_000000.backup", []byte("x"))
	return w, m.ID, rewrite
}

func (w *world) plant(t *testing.T, key string, body []byte) {
	t.Helper()
	if err := w.store(t).put(key, body); err != nil {
		t.Fatal(err)
	}
}

func (w *world) plantJSON(t *testing.T, key string, document any) {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	w.plant(t, key, body)
}

func TestNoDocumentOfTheBucketReachesATerminalRaw(t *testing.T) {
	t.Parallel()
	w, id, rewrite := poisoned(t)
	all := [][]string{
		{"list"},
		{"show", id},
		{"show", id, "--tables"},
		{"show", "20200101T000002Z-0a0a0a"},
		{"status"},
		{"watch"},
		{"prune", "--dry-run", "--legacy", "--unsigned"},
		{"verify", id},
		{"verify", "--unproven"},
		{"verify", id, "--read-data-subset", "50%"},
		{"restore", id, "--to", "copy", "--check"},
		{"restore", id, "--to", "copy", "--table", "x"},
		{"hold", id, "--reason", hostile, "--yes"},
		{"unhold", id, "--yes"},
		{"--headless"},
	}
	for _, change := range []func(*backup.Manifest){
		func(*backup.Manifest) {},
		func(m *backup.Manifest) { m.Encryption.Recipients = []string{hostile} },
		func(m *backup.Manifest) { m.Job = hostile },
		func(m *backup.Manifest) { m.Database = hostile },
		func(m *backup.Manifest) { m.Dump.Key = hostile },
		func(m *backup.Manifest) { m.Dump.SHA256 = hostile },
	} {
		rewrite(change)
		for _, args := range all {
			for _, args := range [][]string{args, append(slices.Clone(args), "--json")} {
				run := w.start(t, args...)
				code := run.code(t)
				if text := run.out.String() + run.err.String(); len(controls(text)) > 0 || code == int(fault.Usage) {
					t.Errorf("%q: exit %d, %q in %q", args, code, controls(text), text)
				}
			}
		}
	}
	rewrite(func(*backup.Manifest) {})
	w.run(t, 0, "hold", id, "--reason", hostile, "--yes")
	for _, what := range []string{
		"stage", "trigger", "written by", "sse", "WARNING", "hold", "server", "signer", "extensions",
	} {
		line := regexp.MustCompile(`(?m)^` + what + ` .*$`).FindString(w.run(t, 0, "show", id).out.String())
		if !strings.Contains(line, `\x1b]52`) { // made visible, not left out
			t.Errorf("%s: %q", what, line)
		}
	}
}

// Output for people goes through one gate. What does not is JSON, which escapes, and the console.
func TestLinesForPeopleGoThroughTheGate(t *testing.T) {
	allowed := map[string]string{
		"streams.go": "the gate, and JSON", "program.go": "wires it", "console.go": "draws",
		"root.go": "help and completions, which are ours", "units.go": "unit files, which are ours",
	}
	direct := regexp.MustCompile(`\w\.out\b`)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || allowed[file] != "" {
			continue
		}
		if direct.Match(text) {
			t.Errorf("%s writes to standard output itself: use printf or text of streams", file)
		}
	}
}
