package backup

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Contents are small in the bucket and may be anything when they are decompressed and decoded.
func TestContentsThatGrowAreRefusedBeforeTheyFillMemory(t *testing.T) {
	endless := func(head, row string) *repeating {
		return &repeating{head: []byte(head), row: []byte(row), left: 64 << 20}
	}
	for name, source := range map[string]*repeating{
		"entries":       endless(`{"schema":1,"archive":{"entries":[{}`, `,{}`),
		"data":          endless(`{"schema":1,"archive":{"data":[{}`, `,{}`),
		"frames":        endless(`{"schema":1,"frames":{"sizes":[1`, `,1`),
		"digests":       endless(`{"schema":1,"frames":{"digests":"`, `AAAA`),
		"one long name": endless(`{"schema":1,"archive":{"entries":[{"tag":"`, `aaaaaaaa`),
		"one long key":  endless(`{"`, `aaaaaaaa`),
		"dependencies":  endless(`{"schema":1,"archive":{"entries":[{"deps":[1`, `,1`),
		"roles":         endless(`{"schema":1,"roles":[{}`, `,{}`),
		"a later field": endless(`{"schema":1,"later":`, `[`),
		"spaces":        endless(`{"schema":1,`, `        `),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeWithin(source, 4<<20, 1<<20)
			if fault.CodeOf(err) != fault.Integrity {
				t.Errorf("code %d: %v", fault.CodeOf(err), err)
			}
			if source.left == 0 {
				t.Error("it was read to its end")
			}
		})
	}
}

// Each field of the archive is read by its name: one that is forgotten is lost without a word.
func TestNoFieldOfAnArchiveIsLostOnItsWay(t *testing.T) {
	c := Contents{Schema: 1, Archive: &archive.Archive{
		Entries: []archive.Entry{{DumpID: 1, Section: "data", Desc: "TABLE", Tag: "t", Deps: []int{2}}},
		Data:    []archive.Data{{DumpID: 1, Offset: 1, End: 2, RawBytes: 1, Rows: 3, RowsUnknown: "x", LargestRow: 4}},
	}}
	fields := reflect.ValueOf(c.Archive).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(7)
		case reflect.Slice:
		default:
			t.Fatalf("%s is of a kind that this test does not fill", fields.Type().Field(i).Name)
		}
	}
	raw, err := c.Pack()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeWithin(bytes.NewReader(raw), 1<<20, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Archive, got.Archive); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

// repeating is a head and then the same for a gigabyte.
type repeating struct {
	head, row []byte
	left      int64
}

func (r *repeating) Read(p []byte) (n int, err error) {
	if len(r.head) > 0 {
		n = copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.left <= 0 {
		return 0, fmt.Errorf("the end")
	}
	for n+len(r.row) <= len(p) {
		n += copy(p[n:], r.row)
	}
	if n == 0 { // less room than a row
		n = copy(p, r.row)
		r.head = r.row[n:]
	}
	r.left = max(0, r.left-int64(n))
	return n, nil
}
