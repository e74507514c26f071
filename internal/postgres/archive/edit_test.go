package archive

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func edited(raw []byte, edit Edit) ([]byte, error) {
	return io.ReadAll(EditHead(iotest.OneByteReader(bytes.NewReader(raw)), edit))
}

// unchanged asks for every text and gives it back.
var unchanged = Edit{
	Owner:      func(_, owner string) string { return owner },
	Definition: func(_ int, _, sql string) (string, error) { return sql, nil },
}

func TestWithoutAChangeAnArchiveStaysAsItIsButForRecordedPlaces(t *testing.T) {
	for name, raw := range stored(t) {
		before, err := scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, edit := range []Edit{{}, unchanged} {
			got, err := edited(raw, edit)
			if err != nil || len(got) != len(raw) || !bytes.Equal(got[before.HeadBytes:], raw[before.HeadBytes:]) {
				t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(raw), err)
			}
			if after, err := scan(got); err != nil || !reflect.DeepEqual(after, before) {
				t.Errorf("%s: %v", name, err)
			}
			if again, err := edited(got, edit); err != nil || !bytes.Equal(again, got) {
				t.Errorf("%s: a streamed archive changed, %v", name, err)
			}
		}
	}
}

func TestOnlyOwnersAndDefinitionsChange(t *testing.T) {
	for name, raw := range stored(t) {
		before, err := scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		definitions := map[string]int{}
		got, err := edited(raw, Edit{
			Owner: func(_, owner string) string { return strings.Repeat("数据 \"", 40) + owner },
			Definition: func(id int, desc, sql string) (string, error) {
				definitions[desc]++
				if desc == "ENCODING" {
					return sql, nil
				}
				return strings.Repeat("-- longer\n", 300) + sql, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		after, err := scan(got)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(after.Entries) != len(before.Entries) || len(after.Data) != len(before.Data) || definitions["TABLE"] == 0 {
			t.Fatalf("%s: %d entries of %d, %v", name, len(after.Entries), len(before.Entries), definitions)
		}
		for i, e := range after.Entries {
			was := before.Entries[i]
			if was.Owner != "" && !strings.HasSuffix(e.Owner, `"`+was.Owner) || was.Tag != e.Tag || was.DumpID != e.DumpID || len(e.Deps) != len(was.Deps) {
				t.Errorf("%s: %+v became %+v", name, was, e)
			}
		}
		shift := after.HeadBytes - before.HeadBytes
		for i, d := range after.Data {
			if was := before.Data[i]; d.Offset-shift != was.Offset || d.Rows != was.Rows || d.RawBytes != was.RawBytes {
				t.Errorf("%s: block %+v became %+v", name, was, d)
			}
		}
	}
}

func TestAnArchiveThatCannotBeEditedFailsBeforeItIsPassedOn(t *testing.T) {
	raw := stored(t)["pg18.pgc"]
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"no archive":      {[]byte("-- PostgreSQL database dump"), ErrUnsupported},
		"a newer version": {append([]byte("PGDMP\x01\x63"), raw[7:]...), ErrUnsupported},
		"odd widths":      {append([]byte("PGDMP\x01\x10\x00\x05"), raw[9:]...), ErrUnsupported},
		"cut":             {raw[:200], ErrTruncated},
		"empty":           {nil, ErrTruncated},
	} {
		if _, err := edited(c.raw, unchanged); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused := errors.New("not this one")
	_, err := edited(raw, Edit{Definition: func(int, string, string) (string, error) { return "", refused }})
	if !errors.Is(err, refused) {
		t.Errorf("an edit that fails: %v", err)
	}
	broken := fault.New(fault.Unavailable, "the store is gone", "", nil)
	_, err = io.ReadAll(EditHead(io.MultiReader(bytes.NewReader(raw[:300]), iotest.ErrReader(broken)), unchanged))
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a source that breaks: %v", err)
	}
}

func FuzzEditHead(f *testing.F) {
	for _, raw := range stored(f) {
		f.Add(raw)
	}
	whole := func(raw []byte) ([]byte, error) { return io.ReadAll(EditHead(bytes.NewReader(raw), unchanged)) }
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := whole(raw)
		if err != nil {
			return
		}
		if again, err := whole(got); len(got) != len(raw) || err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%d bytes became %d, %v", len(raw), len(got), err)
		}
	})
}
