package backup

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Names of the objects in a set's folder, and of the lease beside the sets.
const (
	ManifestName = "manifest.json"
	ProofsFolder = "proofs/"
	LeaseName    = "lease.json"
)

// IDTime is the first part of a set's ID: UTC, ISO 8601 basic format.
const IDTime = "20060102T150405Z"

var (
	SetID      = regexp.MustCompile(`^\d{8}T\d{6}Z-[0-9a-f]{6}$`)
	legacyName = regexp.MustCompile(`(?s)^postgresql_(.+)_(\d{8})_(\d{6})\.backup$`)
)

// NewID names a set (and its run) that starts now.
func NewID(now time.Time) string {
	var tail [3]byte
	_, _ = rand.Read(tail[:]) // never fails: crypto/rand
	return now.UTC().Format(IDTime) + "-" + hex.EncodeToString(tail[:])
}

// Folder is where one database of one instance keeps its sets: `<prefix>/<instance>/<db>/`.
func Folder(prefix, instance, database string) string {
	return Root(prefix) + EncodeName(instance) + "/" + EncodeName(database) + "/"
}

// SchemasFolder is where a database of which jobs of tenants make sets has these, one folder for each schema:
// `<prefix>/<instance>/<db>/schemas/<schema>/`. It is no ID of a set, so that programs which know of no such sets
// pass by.
const SchemasFolder = "schemas"

// FolderOf is where a job keeps its sets: in its database's folder, or in one of a schema, which can be granted and
// destroyed alone.
func FolderOf(job config.Job) string {
	return folderIn(job.S3.Prefix, Scope{Instance: job.Instance, Database: job.Database, Schema: job.Schema})
}

func folderIn(prefix string, of Scope) string {
	folder := Folder(prefix, of.Instance, of.Database)
	if of.Schema != "" {
		folder += SchemasFolder + "/" + EncodeName(of.Schema) + "/"
	}
	return folder
}

// InFolder reports whether a key is of a set in a job's own folder. Below that of a database are those of its schemas.
func InFolder(job config.Job, key string) bool {
	at, ours := ParseKey(strings.TrimPrefix(key, Root(job.S3.Prefix)))
	return !ours || at.schema == job.Schema
}

// LeaseKey is where the lease of a job's database lies.
func LeaseKey(job config.Job) string {
	return Folder(job.S3.Prefix, job.Instance, job.Database) + LeaseName
}

// Root is the prefix as the start of keys: with one slash at its end, or empty.
func Root(prefix string) string {
	if prefix = strings.Trim(prefix, "/"); prefix == "" {
		return ""
	}
	return prefix + "/"
}

// EncodeName makes any name safe as one component of a key: bytes other than letters, digits,
// `_`, `-` and inner dots become %XX. DecodeName is its inverse; no two names share a code.
func EncodeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		plain := c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c == '.' && i > 0)
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// DecodeName gives back the name of a component; ok is false for what EncodeName never writes.
func DecodeName(code string) (name string, ok bool) {
	var b []byte
	for i := 0; i < len(code); i++ {
		if code[i] != '%' {
			b = append(b, code[i])
			continue
		}
		if i+2 >= len(code) {
			return "", false
		}
		c, err := hex.DecodeString(code[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b = append(b, c[0])
		i += 2
	}
	return string(b), len(b) > 0 && EncodeName(string(b)) == code
}

// place is what a key below the prefix belongs to.
type place struct {
	instance, database, ID string // native sets
	schema                 string // of a tenant's
	rest                   string // the object within the set's folder
	Legacy                 bool
}

// isID reports whether a name is that of a set: of a time that there is.
func isID(name string) bool {
	_, ok := IDBegan(name)
	return ok
}

// legacyMatch spares the names of sets the regular expression, of which there are many.
func legacyMatch(key string) []string {
	if !strings.HasPrefix(key, legacyPrefix) {
		return nil
	}
	return legacyName.FindStringSubmatch(key)
}

// ParseKey tells ours from foreign objects. key is relative to the prefix.
func ParseKey(key string) (place, bool) {
	if m := legacyMatch(key); m != nil {
		return place{database: m[1], ID: legacyID(key), Legacy: true}, true
	}
	parts := strings.SplitN(key, "/", 4)
	schema, ok := "", true
	if len(parts) == 4 && parts[2] == SchemasFolder {
		of := strings.SplitN(parts[3], "/", 3)
		if len(of) != 3 {
			return place{}, false
		}
		schema, ok = DecodeName(of[0])
		parts[2], parts[3] = of[1], of[2]
	}
	if len(parts) != 4 || parts[3] == "" || !isID(parts[2]) {
		return place{}, false
	}
	instance, ok1 := DecodeName(parts[0])
	database, ok2 := DecodeName(parts[1])
	return place{instance: instance, database: database, schema: schema, ID: parts[2], rest: parts[3]}, ok && ok1 && ok2
}

// legacyIDPrefix begins the IDs of the old script's objects, and no others.
const legacyIDPrefix = "legacy-"

// legacyID is short and safe in a unit's name, whatever the database's name is. The hash keeps
// sets of equal times apart.
func legacyID(name string) string {
	m := legacyName.FindStringSubmatch(name)
	sum := sha256.Sum256([]byte(name))
	return legacyIDPrefix + m[2] + "T" + m[3] + "-" + hex.EncodeToString(sum[:3])
}

// Names of a set's objects, before their endings.
const (
	DumpName     = "dump.pgc.zst"
	GlobalsName  = "globals.sql.zst"
	ContentsName = "contents.json.zst"
)
