package archive

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Several archives of one snapshot, read as one: the lead has everything but the rows of some tables, the others have
// these rows and nothing else.
//
// Rules:
//
//   - what is read is an archive as pg_dump could have written it: the lead's head with the others' entries of rows
//     before its post-data section, then the lead's blocks, then the others' blocks in the order of their entries, in
//     which pg_restore reads a pipe
//   - a block of rows is what its archive has, but for its number: each pg_dump counts anew. A number takes the same
//     bytes whatever it is, so no place moves
//   - the rows of each table come once, and belong to a table that the lead makes

// Inserted are entries for another head, as they stand in one.
type Inserted struct {
	Count   int    `json:"count"`
	Entries []byte `json:"entries"`
}

// RowsArchive is an archive of nothing but rows.
type RowsArchive struct {
	Found *Archive
	Head  []byte // its first Found.HeadBytes
}

// Join is the archive that lead and rows are read as, and what its head has besides the lead's. Errors: ErrUnsupported
// for archives that do not go together, ErrTooLarge for a lead of which entries were omitted.
func Join(lead *Archive, rows []RowsArchive) (*Archive, Inserted, error) {
	j := joining{lead: lead, tables: map[string]int{}, rows: map[string]bool{}}
	if err := j.begin(); err != nil {
		return nil, Inserted{}, err
	}
	for _, r := range rows {
		if err := j.add(r); err != nil {
			return nil, Inserted{}, err
		}
	}
	whole := j.whole()
	return whole, Inserted{Count: len(j.entries), Entries: j.written.Bytes()}, nil
}

// joining is the state of Join.
type joining struct {
	lead    *Archive
	tables  map[string]int  // the lead's, and their dump IDs
	rows    map[string]bool // of tables that have come
	highest int

	written bytes.Buffer
	entries []Entry
	data    []Data // as if the lead's head had not grown
	end     int64  // of data
}

func (j *joining) begin() error {
	if j.lead.Omitted > 0 {
		return cannotJoin(ErrTooLarge, "the table of contents is too long")
	}
	if err := wholeData(j.lead); err != nil {
		return err
	}
	for _, e := range j.lead.Entries {
		j.highest = max(j.highest, e.DumpID)
		switch e.Desc {
		case "TABLE":
			j.tables[joinKey(e)] = e.DumpID
		case "TABLE DATA":
			j.rows[joinKey(e)] = true
		}
	}
	j.end = j.lead.Bytes
	return nil
}

// joinKey is the table that an entry is of.
func joinKey(e Entry) string { return e.Namespace + "\x00" + e.Tag }

// wholeData: behind the last block there is nothing.
func wholeData(a *Archive) error {
	end := a.HeadBytes
	if n := len(a.Data); n > 0 {
		end = a.Data[n-1].End
	}
	if end != a.Bytes {
		return cannotJoin(ErrUnsupported, fmt.Sprintf("%d bytes follow the last block", a.Bytes-end))
	}
	return nil
}

func (j *joining) add(r RowsArchive) error {
	a := r.Found
	switch {
	case a.Format != j.lead.Format || a.Encoding != j.lead.Encoding || a.Compression != j.lead.Compression:
		return cannotJoin(ErrUnsupported, "an archive of another form")
	case a.Omitted > 0 || int64(len(r.Head)) != a.HeadBytes:
		return cannotJoin(ErrTooLarge, "the table of contents of rows is too long")
	}
	if err := wholeData(a); err != nil {
		return err
	}
	numbers, err := j.take(r)
	if err != nil {
		return err
	}
	shift := j.end - a.HeadBytes
	for _, d := range a.Data {
		id, ok := numbers[d.DumpID]
		if !ok {
			return cannotJoin(ErrUnsupported, fmt.Sprintf("block %d is not of a table", d.DumpID))
		}
		d.DumpID = id
		d.Offset += shift
		d.End += shift
		j.data = append(j.data, d)
	}
	j.end += a.Bytes - a.HeadBytes
	return nil
}

// take writes the entries of an archive's rows for the joined head, and says by which numbers they go there.
func (j *joining) take(r RowsArchive) (numbers map[int]int, err error) {
	numbers = map[int]int{}
	e := &editor{src: bufio.NewReader(bytes.NewReader(r.Head)), left: -1, inserted: true}
	if err := e.header(); err != nil {
		return nil, err
	}
	if e.left != int64(len(r.Found.Entries)) {
		return nil, cannotJoin(ErrCorrupt, "a table of contents has changed")
	}
	for _, entry := range r.Found.Entries {
		e.out.Reset()
		if err := e.entry(); err != nil {
			return nil, err
		}
		if entry.Desc != "TABLE DATA" {
			continue // how to read the rows, which the lead says too; sequences, whose values it has
		}
		name, key := qualified(entry), joinKey(entry)
		table, made := j.tables[key]
		switch {
		case !made:
			return nil, cannotJoin(ErrUnsupported, "rows of table "+name+", which the lead does not make")
		case j.rows[key]:
			return nil, cannotJoin(ErrUnsupported, "rows of table "+name+" come twice")
		}
		j.rows[key] = true
		j.highest++
		numbers[entry.DumpID] = j.highest
		j.written.Write(e.renumbered(j.highest, table))
		entry.DumpID = j.highest
		entry.Deps = []int{table}
		j.entries = append(j.entries, entry)
	}
	return numbers, nil
}

// renumbered is the entry at hand under another number, as one of a table's rows.
func (e *editor) renumbered(id, table int) []byte {
	texts := bytes.Clone(e.out.Bytes()[1+e.intSize : e.deps])
	e.out.Reset()
	e.putInt(int64(id))
	e.out.Write(texts)
	e.putText(strconv.Itoa(table))
	e.putInt(-1)
	e.out.WriteByte(offsetNotSet)
	e.out.Write(make([]byte, e.offSize))
	return e.out.Bytes()
}

// whole is what there is, in the places of the joined archive.
func (j *joining) whole() *Archive {
	a := *j.lead
	grown := int64(j.written.Len())
	a.HeadBytes += grown
	a.Bytes = j.end + grown
	at := slices.IndexFunc(a.Entries, func(e Entry) bool { return e.Section == "post-data" })
	if at < 0 {
		at = len(a.Entries)
	}
	a.Entries = slices.Concat(a.Entries[:at], j.entries, a.Entries[at:])
	a.Data = slices.Concat(a.Data, j.data)
	for i := range a.Data {
		a.Data[i].Offset += grown
		a.Data[i].End += grown
	}
	return &a
}

// Number sets the numbers of the data blocks in p, which are the bytes of the joined archive from at on.
func (a *Archive) Number(p []byte, at int64) {
	const number, bytesOf = 2, 4 // behind the block's type and the sign; what is behind is zero
	first := sort.Search(len(a.Data), func(i int) bool { return a.Data[i].Offset+number+bytesOf > at })
	for _, d := range a.Data[first:] {
		if d.Offset+number >= at+int64(len(p)) {
			return
		}
		for i := range int64(bytesOf) {
			if place := d.Offset + number + i - at; place >= 0 && place < int64(len(p)) {
				p[place] = byte(d.DumpID >> (8 * i))
			}
		}
	}
}

func cannotJoin(kind error, why string) error {
	return fault.New(fault.Refused, "archive: read several as one", "Make the set with one stream (streams: 1).",
		fmt.Errorf("%w: %s", kind, why))
}
