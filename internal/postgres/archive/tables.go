package archive

// What restores and summaries ask of an archive.

// Table is the data of one table, or of one partition: partitions have blocks of their own, a
// partitioned table has none. Names are raw, see Entry.
type Table struct {
	Schema   string
	Name     string
	Rows     int64 // -1: unknown
	RawBytes int64
	DumpID   int
	Offset   int64
	End      int64

	LargestRow int64 // see Data
}

// Tables lists the tables with data blocks, empty ones included, in archive order.
func (a *Archive) Tables() []Table {
	entries := make(map[int]Entry, len(a.Data))
	for _, e := range a.Entries {
		if e.Desc == "TABLE DATA" {
			entries[e.DumpID] = e
		}
	}
	var tables []Table
	for _, d := range a.Data {
		e, ok := entries[d.DumpID]
		if !ok {
			continue
		}
		tables = append(tables, Table{
			Schema: e.Namespace, Name: e.Tag, Rows: d.Rows, RawBytes: d.RawBytes,
			DumpID: d.DumpID, Offset: d.Offset, End: d.End, LargestRow: d.LargestRow,
		})
	}
	return tables
}

// Rows is the sum over all tables. exact is false when some table's rows are unknown; rows
// then counts the others.
func (a *Archive) Rows() (rows int64, exact bool) {
	exact = true
	for _, d := range a.Data {
		switch {
		case d.Blobs:
		case d.Rows < 0:
			exact = false
		default:
			rows += d.Rows
		}
	}
	return rows, exact
}

// LargeObjects is how many large objects have their data in the archive.
func (a *Archive) LargeObjects() (n int64) {
	for _, d := range a.Data {
		if d.Blobs {
			n += d.Rows
		}
	}
	return n
}

// Extensions lists the names of the extensions that a restore creates, in archive order.
func (a *Archive) Extensions() []string {
	var names []string
	for _, e := range a.Entries {
		if e.Desc == "EXTENSION" {
			names = append(names, e.Tag)
		}
	}
	return names
}

// RowEntries are the entries that have blocks of data, in archive order.
func (a *Archive) RowEntries() (ids []int) {
	for _, d := range a.Data {
		ids = append(ids, d.DumpID)
	}
	return ids
}
