package backup

import (
	"encoding/json"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Documents come from a bucket that others write to: what is read here is checked before anything
// trusts it.

// parseManifest refuses what is not JSON, of a newer schema, or without the facts that reading a
// set back relies on.
func parseManifest(raw []byte) (*Manifest, error) {
	var m Manifest
	err := unmarshal(raw, &m)
	if m.Schema > StreamsSchema || err != nil {
		return nil, whyUnreadable(raw, err)
	}
	if err := Sane(&m); err != nil {
		return nil, fault.New(fault.Integrity, "manifest is not usable", "", err)
	}
	if m.Schema == PartialSchema && m.Partial == nil {
		return nil, fault.New(fault.Integrity, "manifest is incomplete: it does not say what the set leaves out", "", nil)
	}
	if m.Schema < 1 || m.ID == "" || m.FinishedAt.IsZero() {
		return nil, fault.New(fault.Integrity, "manifest is incomplete", "", nil)
	}
	if wrong := m.badStreams(); wrong != "" {
		return nil, fault.New(fault.Integrity, "manifest is not usable: "+wrong, "", nil)
	}
	for _, o := range m.Objects() {
		if o.Key == "" || o.SizeBytes < 0 || o.RawBytes < 0 || !isSHA256(o.SHA256) {
			return nil, fault.New(fault.Integrity, "manifest is incomplete: it does not vouch for every object", "", nil)
		}
	}
	return &m, nil
}

// whyUnreadable is why a manifest cannot be read. A newer schema may have changed the types of all other fields.
func whyUnreadable(raw []byte, err error) error {
	var schema struct {
		Schema int `json:"schema"`
	}
	if only := json.Unmarshal(raw, &schema); only == nil && schema.Schema > StreamsSchema {
		return newerSchema("manifest", schema.Schema)
	}
	return fault.New(fault.Integrity, "manifest is not readable", "", err)
}

// isSHA256 reports whether a text is one in hex, as this program writes it.
func isSHA256(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// parseProof is false for what is no proof, or one of a newer schema.
func parseProof(raw []byte) (p Proof, ok bool) {
	if unmarshal(raw, &p) != nil || p.Schema < 1 || p.Schema > ManifestSchema {
		return Proof{}, false
	}
	if !p.OK && p.Fault == "" { // by a version that repeated PostgreSQL's words, with people's rows in them
		p.Error = postgres.WithoutRows(p.Error)
	}
	return p, Sane(&p) == nil
}

// Disagrees says how a manifest does not fit the folder that it was found in, or "".
func (m *Manifest) Disagrees(g *Gathered) string {
	if !m.isOf(g) {
		return fmt.Sprintf("the manifest is of another set (%s of %q on %q)", m.ID, m.Database, m.Instance)
	}
	for _, o := range m.Objects() {
		size, there := g.Sizes[o.Key]
		switch {
		case !there:
			return o.Key + " is missing"
		case size != o.SizeBytes:
			return fmt.Sprintf("%s has %d bytes, the manifest says %d", o.Key, size, o.SizeBytes)
		}
	}
	return ""
}

// schema is the tenant's that it is of, or "".
func (m *Manifest) schema() string {
	if m.Partial == nil {
		return ""
	}
	return string(m.Partial.Schema)
}

// isOf reports whether it is the manifest of this folder.
func (m *Manifest) isOf(g *Gathered) bool {
	return m.ID == g.ID && string(m.Instance) == g.Instance && string(m.Database) == g.Database && m.schema() == g.Schema
}

// Objects are the stored objects that the manifest vouches for.
func (m *Manifest) Objects() []Object {
	all := m.Archives()
	for _, o := range []*Object{m.Globals, m.Contents} {
		if o != nil {
			all = append(all, *o)
		}
	}
	return all
}
