package backup

import (
	"bytes"
	"encoding/json"
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
			wantCode(t, err, fault.Integrity)
			if source.left == 0 {
				t.Error("it was read to its end")
			}
		})
	}
}

// Decoding by the piece gives what decoding at once gives.
func TestContentsAreDecodedAsTheyWereWritten(t *testing.T) {
	w, set := smallSet.world(t)
	contents, err := ReadContents(t.Context(), w.env.Bucket, set, nil)
	if err != nil || contents.Archive == nil || len(contents.Archive.Entries) == 0 {
		t.Fatalf("%+v, %v", contents, err)
	}
	packed, err := contents.pack()
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseContents(packed)
	if err != nil {
		t.Fatal(err)
	}
	var whole Contents
	if err := json.Unmarshal(packed, &whole); err != nil {
		t.Fatal(err)
	}
	one, _ := json.Marshal(again)
	other, _ := json.Marshal(whole)
	if !bytes.Equal(one, packed) || !bytes.Equal(other, packed) {
		t.Error("it is not what was written")
	}
}
