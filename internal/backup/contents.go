package backup

import (
	"encoding/json"
	"fmt"
	"sort"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Contents is what a set's dump holds, in detail. It is stored compressed, and encrypted when
// the dump is, since names and database settings can be secrets.
type Contents struct {
	Schema   int                `json:"schema"`
	Archive  *archive.Archive   `json:"archive,omitempty"` // nil when the scanner was switched off
	Frames   sealed.Index       `json:"frames"`            // places in the dump's compressed, decrypted stream
	Streams  *Streams           `json:"streams,omitempty"` // nil: there is one
	Database *postgres.Settings `json:"database,omitempty"`
	Roles    []postgres.RoleUse `json:"roles,omitempty"` // that the database's objects refer to

	Extensions []postgres.Extension `json:"extensions,omitempty"` // with the source's versions; nil: not asked
	// the server's settings that change what text means; nil: not asked
	Server []postgres.Parameter `json:"server,omitempty"`

	Tenant  string             `json:"tenant,omitempty"`  // the only schema that the dump has; "": all
	Outside []postgres.Outside `json:"outside,omitempty"` // what it needs from outside of that schema

	WithoutTables []postgres.Table `json:"withoutTables,omitempty"` // that were left out as a whole; see Partial
	WithoutRows   []postgres.Table `json:"withoutRows,omitempty"`   // that were left out but for their definition
}

// Pack is the contents as JSON, before compression and encryption.
func (c *Contents) Pack() ([]byte, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("backup: write contents: %w", err)
	}
	return raw, nil
}

func newerSchema(what string, schema int) error {
	return fault.New(fault.Config,
		fmt.Sprintf("backup: %s has schema %d, this pgbtui knows up to %d", what, schema, StreamsSchema),
		"Use the newer pgbtui that wrote the set.", nil)
}

// Summarise counts an archive for the manifest.
func Summarise(a *archive.Archive, rawBytes int64) Summary {
	s := Summary{RawBytes: rawBytes}
	if a == nil {
		return s
	}
	s.Scanned, s.Objects = true, len(a.Entries)
	for _, d := range a.Data {
		switch {
		case d.Blobs:
			s.LargeObjects += max(0, d.Rows)
		default:
			s.Tables++
			s.Rows += max(0, d.Rows)
		}
	}
	for _, e := range a.Entries {
		if e.Desc == "EXTENSION" {
			s.Extensions = append(s.Extensions, e.Tag)
		}
	}
	sort.Strings(s.Extensions)
	return s
}

// Index is the index of the dump, if there is one.
func (c *Contents) Index() sealed.Index {
	if c == nil {
		return sealed.Index{}
	}
	return c.Frames
}
