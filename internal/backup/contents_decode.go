package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Contents are decoded as they come, list item by list item, and what becomes of them is counted: an
// empty object of three bytes becomes an entry of a hundred. So neither the JSON nor what it decodes to
// is ever larger in memory than its limit.

// maxValue bounds one item of a list, and every value that is no list.
const maxValue = 16 << 20

// maxDepth bounds what is nested in a field that this program does not know.
const maxDepth = 100

var errDeep = errors.New("nested too deeply")

// decoding is one pass over contents.
type decoding struct {
	json  *json.Decoder
	from  *allowance
	left  int64             // of the memory that it may need
	one   int64             // what one value may take
	names map[string]string // one copy of what most entries repeat
	out   Contents
}

// allowance fails when a value takes more than its allowance.
type allowance struct {
	from  io.Reader
	read  int64
	until int64
}

func (m *allowance) Read(p []byte) (int, error) {
	if m.read > m.until {
		return 0, bounded.ErrTooLarge
	}
	n, err := m.from.Read(p)
	m.read += int64(n)
	return n, err
}

// DecodeContents reads packed contents item by item. What takes more memory than contents may is code Integrity.
func DecodeContents(from io.Reader) (*Contents, error) {
	return decodeWithin(from, maxContentsMemory, maxValue)
}

func decodeWithin(from io.Reader, memory, one int64) (*Contents, error) {
	m := &allowance{from: from, until: one}
	d := &decoding{json: json.NewDecoder(m), from: m, left: memory, one: one, names: map[string]string{}}
	err := d.object(d.field)
	if err == nil {
		if _, more := d.token(); more != io.EOF { //nolint:errorlint // the decoder ends with the very value
			err = errors.New("something follows the contents")
		}
	}
	switch {
	case d.out.Schema > StreamsSchema:
		return nil, newerSchema("contents", d.out.Schema)
	case fault.CodeOf(err) == fault.OK:
		return &d.out, nil
	case fault.CodeOf(err) != fault.Failed: // of the source
		return nil, err
	}
	return nil, fault.New(fault.Integrity, "backup: read contents", "", err)
}

func (d *decoding) field(name string) error {
	switch name {
	case "schema":
		err := d.value(&d.out.Schema)
		if err == nil && d.out.Schema > StreamsSchema {
			err = errors.New("newer schema") // its fields may have changed their types
		}
		return err
	case "archive":
		return d.object(d.archive)
	case "frames":
		return d.object(d.frame(&d.out.Frames))
	case "streams":
		d.out.Streams = &Streams{}
		return d.object(d.streams)
	case "database":
		return d.value(&d.out.Database)
	case "roles":
		return d.list(func() error {
			one, err := item[postgres.RoleUse](d)
			d.out.Roles = append(d.out.Roles, one)
			return errors.Join(err, d.spend(len(one.Role)+len(one.Use)))
		})
	case "server":
		return d.list(func() error {
			one, err := item[postgres.Parameter](d)
			d.out.Server = append(d.out.Server, one)
			return errors.Join(err, d.spend(len(one.Role)+len(one.Name)+len(one.Value)))
		})
	case "tenant":
		return d.value(&d.out.Tenant)
	case "outside":
		return d.list(func() error {
			one, err := item[postgres.Outside](d)
			d.out.Outside = append(d.out.Outside, one)
			return errors.Join(err, d.spend(int(unsafe.Sizeof(one))+len(one.Kind)+len(one.Name)+len(one.Extension)))
		})
	case "withoutTables":
		return d.tableNames(&d.out.WithoutTables)
	case "withoutRows":
		return d.tableNames(&d.out.WithoutRows)
	case "extensions":
		d.out.Extensions = []postgres.Extension{} // asked for, and perhaps none
		return d.list(func() error {
			one, err := item[postgres.Extension](d)
			d.out.Extensions = append(d.out.Extensions, one)
			size := len(one.Name) + len(one.Version)
			for _, t := range one.Rows {
				size += int(unsafe.Sizeof(t)) + len(t.Schema) + len(t.Name)
			}
			return errors.Join(err, d.spend(size))
		})
	}
	return d.skip()
}

func (d *decoding) tableNames(into *[]postgres.Table) error {
	return d.list(func() error {
		one, err := item[postgres.Table](d)
		*into = append(*into, one)
		return errors.Join(err, d.spend(int(unsafe.Sizeof(one))+len(one.Schema)+len(one.Name)))
	})
}

func (d *decoding) archive(name string) error {
	if d.out.Archive == nil {
		d.out.Archive = &archive.Archive{}
	}
	a := d.out.Archive
	switch name {
	case "format":
		return d.value(&a.Format)
	case "database":
		return d.value(&a.Database)
	case "serverVersion":
		return d.value(&a.ServerVersion)
	case "dumpVersion":
		return d.value(&a.DumpVersion)
	case "encoding":
		return d.value(&a.Encoding)
	case "decoded":
		return d.value(&a.Decoded)
	case "oldStrings":
		return d.value(&a.OldStrings)
	case "compression":
		return d.value(&a.Compression)
	case "headBytes":
		return d.value(&a.HeadBytes)
	case "bytes":
		return d.value(&a.Bytes)
	case "omitted":
		return d.value(&a.Omitted)
	case "entries":
		return d.list(func() error { return d.entry(a) })
	case "data":
		return d.list(func() error {
			one, err := item[archive.Data](d)
			one.RowsUnknown = d.once(one.RowsUnknown)
			a.Data = append(a.Data, one)
			return err
		})
	}
	return d.skip()
}

func (d *decoding) entry(a *archive.Archive) error {
	e, err := item[archive.Entry](d)
	if err != nil {
		return err
	}
	if err := d.spend(e.RestoreRaw()); err != nil {
		return err
	}
	for _, repeated := range []*string{&e.Section, &e.Desc, &e.Namespace, &e.Owner, &e.Tablespace} {
		*repeated = d.once(*repeated)
	}
	a.Entries = append(a.Entries, e)
	return d.spend(len(e.Tag) + 8*cap(e.Deps))
}

// streams reads a field of how several are joined.
func (d *decoding) streams(name string) error {
	switch name {
	case "inserted":
		err := d.value(&d.out.Streams.Inserted)
		return errors.Join(err, d.spend(len(d.out.Streams.Inserted.Entries)))
	case "rows":
		return d.list(func() error {
			if len(d.out.Streams.Rows) >= MaxStreams {
				return errors.New("more streams than any set has")
			}
			var one RowStream
			err := d.object(func(name string) error {
				switch name {
				case "headBytes":
					return d.value(&one.HeadBytes)
				case "frames":
					return d.object(d.frame(&one.Frames))
				}
				return d.skip()
			})
			d.out.Streams.Rows = append(d.out.Streams.Rows, one)
			return err
		})
	}
	return d.skip()
}

// frame reads a field of an index. Sizes come before digests, whose length follows from them.
func (d *decoding) frame(index *sealed.Index) func(name string) error {
	return func(name string) error {
		switch name {
		case "frameBytes":
			return d.value(&index.FrameBytes)
		case "rawBytes":
			return d.value(&index.RawBytes)
		case "sizes":
			return d.list(func() error {
				one, err := item[int64](d)
				index.Sizes = append(index.Sizes, one)
				return err
			})
		case "digests":
			allowed := 32*int64(len(index.Sizes)) + d.one // in base64
			if err := d.spend(16 * len(index.Sizes)); err != nil {
				return err
			}
			return d.decode(&index.Digests, allowed)
		}
		return d.skip()
	}
}

// item decodes one of a list, and pays for its place there.
func item[T any](d *decoding) (one T, err error) {
	if err := d.spend(int(unsafe.Sizeof(one))); err != nil {
		return one, err
	}
	return one, d.value(&one)
}

func (d *decoding) spend(bytes int) error {
	if d.left -= int64(bytes); d.left < 0 {
		return fmt.Errorf("it needs more memory than any of ours: %w", bounded.ErrTooLarge)
	}
	return nil
}

// once keeps one copy of a text. Its bytes are paid for when it is new.
func (d *decoding) once(s string) string {
	if known, ok := d.names[s]; ok {
		return known
	}
	d.left -= int64(2*len(s) + 64)
	d.names[s] = s
	return s
}

func (d *decoding) value(into any) error { return d.decode(into, d.one) }

func (d *decoding) decode(into any, allowed int64) error {
	d.from.until = d.json.InputOffset() + allowed
	return d.json.Decode(into)
}

func (d *decoding) token() (json.Token, error) {
	d.from.until = d.json.InputOffset() + d.one
	return d.json.Token()
}

// object calls field for each field of an object, whose value it has to take. null is an empty one.
func (d *decoding) object(field func(name string) error) error {
	return d.each('{', func() error {
		name, err := d.token()
		if err != nil {
			return err
		}
		key, _ := name.(string) // the decoder sees to it
		return field(key)
	})
}

func (d *decoding) list(item func() error) error { return d.each('[', item) }

func (d *decoding) each(opening json.Delim, do func() error) error {
	first, err := d.token()
	if err != nil || first == nil {
		return err
	}
	if first != opening {
		return fmt.Errorf("%v in place of %v", first, opening)
	}
	for d.more() {
		if err := do(); err != nil {
			return err
		}
	}
	_, err = d.token()
	return err
}

func (d *decoding) more() bool {
	d.from.until = d.json.InputOffset() + d.one
	return d.json.More()
}

// skip passes over the value of a field that a later program added.
func (d *decoding) skip() error {
	for depth := 0; ; {
		token, err := d.token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if depth > maxDepth {
			return errDeep
		}
	}
}
