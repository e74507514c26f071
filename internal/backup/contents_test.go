package backup

import (
	"fmt"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
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
