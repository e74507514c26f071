package restore

import (
	"context"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// source is the set that is restored: what it says of itself, and what of it lies on this host's disk.
type source struct {
	set        *backup.Set
	identities []age.Identity
	contents   *backup.Contents // nil until they are read, and where the set has none

	spooled stored.Spool // for parallel sessions on disk: the head, or the raw dump of a set without an index
	kept    stored.Spool // the stored dump on disk, of a set without an index
	keptDir string
}

// remove takes what lies on this host's disk away.
func (s *source) remove() {
	s.spooled.Remove()
	s.kept.Remove()
}

func (s *source) readContents(ctx context.Context, env backup.Env) (err error) {
	if s.contents == nil {
		s.contents, err = stored.Contents(ctx, env, s.set, s.identities)
	}
	return err
}

// listed reports whether the set says which objects its dump has.
func (s *source) listed() bool { return s.contents != nil && s.contents.Archive != nil }

// rawBytes is what pg_restore will read, as far as it is known.
func (s *source) rawBytes() int64 {
	if s.set.Manifest != nil {
		return s.set.Manifest.RawBytes()
	}
	return s.set.StoredSize
}

// storedBytes is the size of the dump as it is stored.
func (s *source) storedBytes() int64 {
	if s.set.Manifest != nil {
		return s.set.Manifest.DumpBytes()
	}
	return s.set.StoredSize
}

// keys are the objects that a restore reads, with or without the globals.
func (s *source) keys(globals bool) []string {
	m := s.set.Manifest
	if m == nil {
		return []string{s.set.Dir}
	}
	var keys []string
	for _, o := range m.Archives() {
		keys = append(keys, s.set.Dir+o.Key)
	}
	if m.Contents != nil {
		keys = append(keys, s.set.Dir+m.Contents.Key)
	}
	if m.Globals != nil && globals {
		keys = append(keys, s.set.Dir+m.Globals.Key)
	}
	return keys
}

// evidence is what is known of a set that can be read.
func (s *source) evidence() Check {
	level, at := s.set.Proven()
	detail, remedy := "proven "+level.String()+" at "+at.UTC().Format(time.RFC3339), ""
	if level == backup.LevelNone {
		detail, remedy = "never verified", "Read it back first with `sudo pgbtui verify "+s.set.Address().String()+"`."
	}
	if failure := s.set.NotWhole(); failure != nil {
		return warns("source", detail+"; its bytes are right, but "+failure.FailureText(), remedy)
	}
	switch {
	case s.set.Signature == backup.SignatureMissing: // a forged one is never good
		return warns("source", detail+", NOT signed: accepted for this restore", remedy)
	case level == backup.LevelNone:
		return warns("source", detail, remedy)
	case s.set.Signature == backup.SignatureGood:
		detail += ", signed"
	}
	return passes("source", detail)
}

// unreadableInParts says why the whole dump has to be fetched, or "".
func (s *source) unreadableInParts() string {
	switch m := s.set.Manifest; {
	case m == nil || m.Contents == nil:
		return "this set was stored without an index"
	case !s.listed():
		return "the places of this set's tables are not known"
	case !stored.Readable(s.set, s.contents):
		return "the index does not fit the stored dump"
	}
	return ""
}

// sameHead compares the table of contents that was read with the recorded one.
func (s *source) sameHead(head *archive.Archive) error {
	recorded := s.contents.Archive
	if head.HeadBytes != recorded.HeadBytes || len(head.Entries)+head.Omitted != len(recorded.Entries)+recorded.Omitted {
		return fault.New(fault.Integrity, "restore: the dump's table of contents is not the one that was recorded",
			s.remedyOther(), nil)
	}
	return nil
}

// remedyOther is for a set that is not what was recorded.
func (s *source) remedyOther() string {
	return "Restore another set, and read this one back with `sudo pgbtui verify " + s.set.Address().String() + "`."
}

// extension is the version that an extension had in the source, or "".
func (s *source) extension(name string) string {
	if s.contents == nil {
		return ""
	}
	for _, e := range s.contents.Extensions {
		if e.Name == name {
			return e.Version
		}
	}
	return ""
}

// members are the tables and sequences of extensions of which the dump may have the contents.
func (s *source) members() map[archive.Member]string {
	if s.contents == nil {
		return nil
	}
	members := map[archive.Member]string{}
	for _, e := range s.contents.Extensions {
		for _, t := range e.Rows {
			members[archive.Member{Schema: t.Schema, Name: t.Name}] = e.Name
		}
	}
	return members
}

// grantsOnServer reports whether the dump grants rights on PostgreSQL's own functions.
func (s *source) grantsOnServer() bool {
	for _, e := range s.contents.Archive.Entries {
		if strings.HasSuffix(e.Desc, "ACL") && e.Namespace == "pg_catalog" {
			return true
		}
	}
	return false
}
