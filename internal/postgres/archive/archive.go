// Package archive reads PostgreSQL's custom dump format (pg_dump -Fc) while it streams past:
// the table of contents, and for each data block its place, bytes and rows.
//
// It never holds more than the table of contents in memory, never changes a byte, and never
// fails a backup: what it does not understand switches it off and is reported by Scanner.Err.
//
// Format versions 1.14 (pg_dump 12 to 15), 1.15 (16) and 1.16 (17 to 19) are read; any other
// is ErrUnsupported. They differ in two places: from 1.15 the header names the compression
// algorithm in one byte, where 1.14 has a zlib level as an integer; from 1.16 an entry has a
// relkind, and large objects come as many BLOBS blocks with BLOB METADATA entries instead of
// one block. Integers are a sign byte and little-endian bytes whatever machine wrote them, so
// there is no byte order to detect; their width comes from the header.
//
// Really seen: archives of pg_dump 15 (the tests make them, list them with pg_restore -l and
// count every table), 16.4, 17.5, 18.3 and 19rc1 (testdata/README.md). 12, 13 and 14 write what 15
// writes, by PostgreSQL's source: src/bin/pg_dump/pg_backup_archiver.c and pg_backup_custom.c.
// Data compressed with lz4 or zstd was never seen; its blocks are framed like gzip's.
//
// Rows are exact for uncompressed COPY data only (pg_dump -Z0 without --inserts); otherwise
// they are -1 and Data.RowsUnknown says why, while places and bytes stay exact. Large objects
// are counted in any case, because their framing is never compressed.
package archive

// Archive is what one pass over a custom-format dump found.
type Archive struct {
	Format        string `json:"format"`            // archive format version, e.g. "1.14.0"
	Database      string `json:"database"`          // name recorded by pg_dump
	ServerVersion string `json:"serverVersion"`     // e.g. "15.18 (Debian 15.18-0+deb12u1)"
	DumpVersion   string `json:"dumpVersion"`       // version of pg_dump
	Encoding      string `json:"encoding"`          // of all data, and of names unless Decoded, e.g. "UTF8"
	Decoded       bool   `json:"decoded,omitempty"` // names are text in UTF-8 although Encoding is another one
	// a backslash in its string literals begins an escape: no server from 19 on reads them
	OldStrings  bool    `json:"oldStrings,omitempty"`
	Compression string  `json:"compression"`       // of the data: "none", "gzip", "lz4", "zstd"
	HeadBytes   int64   `json:"headBytes"`         // header and table of contents: [0, HeadBytes)
	Bytes       int64   `json:"bytes"`             // whole archive
	Entries     []Entry `json:"entries"`           // table of contents, in archive order
	Omitted     int     `json:"omitted,omitempty"` // further entries, not kept: see Options.MaxEntryBytes
	Data        []Data  `json:"data"`              // data blocks, in archive order
}

// Entry is one object of the table of contents. Definitions (SQL text) are not kept. Names are
// unquoted text where their encoding is known (encoding.go), else the archive's bytes: nothing here is safe for a
// screen or for SQL as it is, and JSON keeps what is no UTF-8 in Raw.
type Entry struct {
	DumpID     int    `json:"id"`
	Section    string `json:"section"` // "none", "pre-data", "data", "post-data"
	Desc       string `json:"desc"`    // "TABLE DATA", "EXTENSION", "ACL", ...
	Namespace  string `json:"namespace,omitempty"`
	Tag        string `json:"tag"`
	Owner      string `json:"owner,omitempty"`
	Tablespace string `json:"tablespace,omitempty"`
	Deps       []int  `json:"deps,omitempty"` // DumpIDs

	Raw *RawNames `json:"raw,omitempty"`

	// Excludes is a constraint that compares by operators of an index. They may be an extension's, which no
	// dependency of an archive tells.
	Excludes bool `json:"-"`
}

// Data is one data block: COPY text of a table, or large objects.
type Data struct {
	DumpID   int   `json:"id"`
	Offset   int64 `json:"offset"`          // of the block's type byte, in the archive
	End      int64 `json:"end"`             // one past the block's last byte
	RawBytes int64 `json:"rawBytes"`        // payload as stored, without chunk headers
	Rows     int64 `json:"rows"`            // TABLE DATA: exact rows, -1 unknown; large objects: their count
	Blobs    bool  `json:"blobs,omitempty"` // large objects

	RowsUnknown string `json:"rowsUnknown,omitempty"` // why Rows is -1

	LargestRow int64 `json:"largestRow,omitempty"` // bytes of COPY text, where a row has noteworthyRow or more
}
