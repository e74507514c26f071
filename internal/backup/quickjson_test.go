package backup

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readsAsTheLibrary holds both readers of a document against each other.
func readsAsTheLibrary[T any](t *testing.T, raw []byte) {
	t.Helper()
	var quick, whole T
	err, want := unmarshal(raw, &quick), json.Unmarshal(raw, &whole)
	if (err == nil) != (want == nil) {
		t.Fatalf("%q: error %v, encoding/json says %v", raw, err, want)
	}
	if diff := cmp.Diff(whole, quick); diff != "" {
		t.Fatalf("%q is read otherwise than by encoding/json (-it +we):\n%s", raw, diff)
	}
}

// oddDocuments are of every kind that the two could read otherwise.
func oddDocuments(t testing.TB) []string {
	t.Helper()
	whole, _ := json.MarshalIndent(filled(t), "", "  ")
	proof, _ := json.Marshal(Proof{Schema: 1, Set: "x", Rows: 7, Sample: &Sample{Frames: 1}, Drill: &DrillFacts{Server: "15.18", Private: true}})
	return []string{
		string(whole), string(proof), wholeManifest, strings.Replace(wholeManifest, `"schema"`, `"SCHEMA"`, 1), wholeManifest + wholeManifest, wholeManifest + " ", "",
		"null", "{}", "[]", `{"schema":1,"schema":2}`, `{"schema":null}`, `{"schema":01}`, `{"schema":1e3}`, `{"schema":-1}`, `{"schema":1.5}`, `{"schema":1,}`,
		`{"id":"a\u0041","database":"ü"}`, `{"database":"a&b<>"}`, `{"globals":{"key":"a"},"globals":{"sizeBytes":1}}`, `{"warnings":[],"warnings":["a"]}`,
		`{"server":{"version":"1"},"server":{"versionNum":2}}`, `{"stages":[{"seconds":1.50},{"seconds":0.1e1},{"seconds":-0}]}`, `{"finishedAt":"2026-11-22T02:00:00.123+01:00"}`,
		`{"finishedAt":""}`, `{"finishedAt":7}`, `{"ok":true,"tables":3}`, `{"ok":truex}`, `{"unknown":{"a":[1]},"id":"x"}`, `{"previous":{"id":"x","manifestSha256":""}}`,
	}
}

func TestAnyDocumentIsReadAsTheLibraryReadsIt(t *testing.T) {
	for _, document := range oddDocuments(t) {
		readsAsTheLibrary[Manifest](t, []byte(document))
		readsAsTheLibrary[Proof](t, []byte(document))
	}
}

func FuzzADocumentIsReadAsTheLibraryReadsIt(f *testing.F) {
	for _, seed := range oddDocuments(f) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		readsAsTheLibrary[Manifest](t, raw)
		readsAsTheLibrary[Proof](t, raw)
	})
}

// filled is a manifest in which every field says something.
func filled(t testing.TB) *Manifest {
	t.Helper()
	var m Manifest
	fill(reflect.ValueOf(&m).Elem())
	return &m
}

func fill(v reflect.Value) {
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 22, 2, 0, 0, 123456789, time.UTC)))
	case v.Kind() == reflect.String:
		v.SetString("word")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(42)
	case v.CanFloat():
		v.SetFloat(1.9529999999999998)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

// A field of a type that the quick reader does not know would make every listing slow, and nothing else would tell.
func TestWhatThisProgramWritesIsReadQuickly(t *testing.T) {
	var p Proof
	fill(reflect.ValueOf(&p).Elem())
	for _, document := range []any{filled(t), &p} {
		raw, err := json.MarshalIndent(document, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		into := reflect.New(reflect.TypeOf(document).Elem())
		in := quickReader{rest: raw, words: &words{}}
		if in.value(into.Elem()); in.odd || len(in.rest) != 0 {
			t.Errorf("of %T it stops before %.80q", document, in.rest)
		}
		if diff := cmp.Diff(document, into.Interface()); diff != "" {
			t.Errorf("%T: %s", document, diff)
		}
	}
}

// Two documents must not be joined by a word that one of them changes: strings of Go cannot be changed, and this holds
// that the bytes they were read from can.
func TestWordsThatDocumentsShareAreNotTheBytesTheyWereReadFrom(t *testing.T) {
	first, second := []byte(`{"host":"db1","tool":"x"}`), []byte(`{"host":"db1","tool":"y"}`)
	var a, b Manifest
	if err := errors.Join(unmarshal(first, &a), unmarshal(second, &b)); err != nil {
		t.Fatal(err)
	}
	for i := range first {
		first[i], second[i] = '#', '#'
	}
	if a.Host != "db1" || b.Host != "db1" || a.Tool != "x" || b.Tool != "y" {
		t.Errorf("%q %q, %q %q", a.Host, a.Tool, b.Host, b.Tool)
	}
}
