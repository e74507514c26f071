package backup

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Sets whose dump came in several streams at once, from one snapshot. Rules:
//
//   - each stream is a whole archive and an object of its own: pg_restore reads each alone. The dump, which leads, has
//     everything but the rows of some tables; the others have these rows and nothing else
//   - their manifests have a schema of their own, so that a program that knows of no such sets refuses them by name: it
//     would take the dump for all that there is
//   - whoever reads one sees one archive, package stored joins them; the contents say how, and there are none without

// StreamsSchema is the schema of the manifest and the contents of sets of several streams, also of partial ones.
const StreamsSchema = 3

// MaxStreams is the most that a set has.
const MaxStreams = 8

// Streams is how the streams of a set are joined. The contents' Archive is the joined one, their Frames are the dump's.
type Streams struct {
	Inserted archive.Inserted `json:"inserted"` // what the joined head has besides the dump's
	Rows     []RowStream      `json:"rows"`     // the others, in the manifest's order
}

// RowStream is one of them.
type RowStream struct {
	HeadBytes int64        `json:"headBytes"` // of its archive
	Frames    sealed.Index `json:"frames"`
}

const rowsPrefix, rowsSuffix = "rows-", ".pgc.zst"

// RowsName is the name of a further stream, before its ending; the first is number 1.
func RowsName(number int) string { return fmt.Sprintf("%s%02d%s", rowsPrefix, number, rowsSuffix) }

// DumpNames are the names of all streams that a set may have, before their endings.
func DumpNames() []string {
	names := []string{DumpName}
	for i := 1; i < MaxStreams; i++ {
		names = append(names, RowsName(i))
	}
	return names
}

// isRows reports whether a name, before its ending, is a further stream's.
func isRows(name string) bool {
	for i := 1; strings.HasPrefix(name, rowsPrefix) && i < MaxStreams; i++ {
		if name == RowsName(i) {
			return true
		}
	}
	return false
}

// IsDump reports whether an object's name is that of the dump, or of a further stream.
func IsDump(key string) bool {
	name := strings.TrimSuffix(key, ".age")
	return name == DumpName || isRows(name)
}

// Archives are the objects of all streams, the dump first.
func (m *Manifest) Archives() []Object {
	return append([]Object{m.Dump}, m.Streams...)
}

// RawBytes is what pg_dump wrote, in all streams.
func (m *Manifest) RawBytes() (total int64) {
	for _, o := range m.Archives() {
		total = saturated(total, o.RawBytes)
	}
	return total
}

// DumpBytes is what the dump takes in the store, in all streams.
func (m *Manifest) DumpBytes() (total int64) {
	for _, o := range m.Archives() {
		total = saturated(total, o.SizeBytes)
	}
	return total
}

// badStreams says what is wrong with the streams that a manifest names, or "".
func (m *Manifest) badStreams() string {
	if several := len(m.Streams) > 0; several != (m.Schema == StreamsSchema) {
		return fmt.Sprintf("schema %d with %d further streams", m.Schema, len(m.Streams))
	}
	if len(m.Streams) == 0 {
		return ""
	}
	if len(m.Streams) >= MaxStreams || m.Contents == nil {
		return "its streams cannot be joined"
	}
	for i, o := range m.Streams {
		if strings.TrimSuffix(o.Key, ".age") != RowsName(i+1) {
			return fmt.Sprintf("stream %d has another name", i+1)
		}
	}
	return ""
}
