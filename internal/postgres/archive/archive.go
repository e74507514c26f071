// Package archive reads PostgreSQL's custom dump format (pg_dump -Fc) while it streams past:
// the table of contents, and for each data block its place, bytes and rows.
//
// It never holds more than the table of contents in memory, never changes a byte, and never
// fails a backup: what it does not understand switches it off and is reported by Scanner.Err.
// Source of the format: src/bin/pg_dump/pg_backup_archiver.c and pg_backup_custom.c.
package archive

// Archive is what one pass over a custom-format dump found.
type Archive struct {
	Format        string  `json:"format"`        // archive format version, e.g. "1.14.0"
	Database      string  `json:"database"`      // name recorded by pg_dump
	ServerVersion string  `json:"serverVersion"` // e.g. "15.18 (Debian 15.18-0+deb12u1)"
	DumpVersion   string  `json:"dumpVersion"`   // version of pg_dump
	HeadBytes     int64   `json:"headBytes"`     // header and table of contents: [0, HeadBytes)
	Bytes         int64   `json:"bytes"`         // whole archive
	Entries       []Entry `json:"entries"`       // table of contents, in archive order
	Data          []Data  `json:"data"`          // data blocks, in archive order
}

// Entry is one object of the table of contents. Definitions (SQL text) are not kept.
type Entry struct {
	DumpID     int    `json:"id"`
	Section    string `json:"section"` // "none", "pre-data", "data", "post-data"
	Desc       string `json:"desc"`    // "TABLE DATA", "EXTENSION", "ACL", ...
	Namespace  string `json:"namespace,omitempty"`
	Tag        string `json:"tag"`
	Owner      string `json:"owner,omitempty"`
	Tablespace string `json:"tablespace,omitempty"`
	Deps       []int  `json:"deps,omitempty"` // DumpIDs
}

// Data is one data block: COPY text of a table, or large objects.
type Data struct {
	DumpID   int   `json:"id"`
	Offset   int64 `json:"offset"`          // of the block's type byte, in the archive
	End      int64 `json:"end"`             // one past the block's last byte
	RawBytes int64 `json:"rawBytes"`        // payload, without chunk headers
	Rows     int64 `json:"rows"`            // TABLE DATA: exact rows; large objects: their count
	Blobs    bool  `json:"blobs,omitempty"` // large objects
}
