package backup

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// ManifestSchema is the version that this program writes. Readers refuse higher ones by name.
const ManifestSchema = 1

// Manifest is a set's commit marker: a backup exists when its manifest.json exists. It is
// written last, once, with a conditional put, and holds nothing secret: what could be (table
// names, database settings) is in the contents object, which is encrypted when the dump is.
type Manifest struct {
	Schema     int            `json:"schema"`
	ID         string         `json:"id"` // 20261122T020000Z-1a2b3c
	Instance   printable.Name `json:"instance"`
	Database   printable.Name `json:"database"`
	Job        string         `json:"job"`
	StartedAt  time.Time      `json:"startedAt"`
	FinishedAt time.Time      `json:"finishedAt"`

	Host         string `json:"host"`
	RunID        string `json:"runId"`
	InvocationID string `json:"invocationId,omitempty"` // systemd's, leads to the journal lines
	Trigger      string `json:"trigger,omitempty"`      // "timer", "operator", "cli"
	Tool         string `json:"tool"`                   // "pgbtui 0.1.0"
	Signer       string `json:"signer,omitempty"`       // name of the public key, see package signing

	Sequence int64     `json:"sequence,omitempty"` // one more than the set before
	Previous *Previous `json:"previous,omitempty"` // nil: there was none, or the run could not look

	Server     Server     `json:"server"`
	DumpClient string     `json:"dumpClient"` // "pg_dump (PostgreSQL) 15.18"
	Summary    Summary    `json:"summary"`
	Encryption Encryption `json:"encryption"`
	Partial    *Partial   `json:"partial,omitempty"` // nil: the set holds all of its database

	Compression *Compression `json:"compression,omitempty"` // nil: of a program before 0.2, at one level

	Dump     Object   `json:"dump"`
	Streams  []Object `json:"streams,omitempty"`  // rows that the dump lacks; none: it has all
	Globals  *Object  `json:"globals,omitempty"`  // nil: could not be dumped, see Warnings
	Contents *Object  `json:"contents,omitempty"` // zstd (and age) of JSON Contents

	Stages   []StageTime `json:"stages"`
	Warnings []string    `json:"warnings,omitempty"`
}

// Server is the source as it was at the time of the dump.
type Server struct {
	Version          string `json:"version"`    // "15.18"
	VersionNum       int    `json:"versionNum"` // 150018
	SystemIdentifier string `json:"systemIdentifier,omitempty"`
	SizeBytes        int64  `json:"sizeBytes"` // pg_database_size
	Encoding         string `json:"encoding"`
	Collate          string `json:"collate"`
	Ctype            string `json:"ctype"`
	LocaleProvider   string `json:"localeProvider"` // "libc", "icu", "builtin"
	Locale           string `json:"locale,omitempty"`
	InRecovery       bool   `json:"inRecovery,omitempty"`
}

// Summary counts what the archive scanner saw. Scanned is false when the scanner was switched off.
type Summary struct {
	Scanned      bool     `json:"scanned"`
	Tables       int      `json:"tables"` // with data blocks
	Rows         int64    `json:"rows"`
	LargeObjects int64    `json:"largeObjects"`
	Objects      int      `json:"objects"`              // entries of the table of contents
	RawBytes     int64    `json:"rawBytes"`             // pg_dump's stream
	Extensions   []string `json:"extensions,omitempty"` // names
}

// Encryption is empty for sets that only the store encrypts.
type Encryption struct {
	Recipients []string `json:"recipients,omitempty"` // age public keys
}

// Compression is how hard the dump was compressed.
type Compression struct {
	Setting string               `json:"setting"` // "auto", or the level of zstd that was asked for
	Levels  []sealed.LevelFrames `json:"levels"`  // what was done, lowest first
}

// Object is one stored object of a set.
type Object struct {
	Key          string `json:"key"` // relative to the set's folder
	SizeBytes    int64  `json:"sizeBytes"`
	SHA256       string `json:"sha256"`              // hex, of the stored bytes
	CRC64NVME    string `json:"crc64nvme,omitempty"` // base64, of the stored bytes, as S3 writes it
	RawBytes     int64  `json:"rawBytes"`            // before compression and encryption
	StorageClass string `json:"storageClass,omitempty"`
	SSE          string `json:"sse,omitempty"` // as the store answered
	VersionID    string `json:"versionId,omitempty"`

	RetainUntil *time.Time `json:"retainUntil,omitempty"` // object lock, as the store confirmed it
	LockMode    string     `json:"lockMode,omitempty"`    // "governance", "compliance"
}

// StageTime is how long one stage took.
type StageTime struct {
	Stage     Stage     `json:"stage"`
	StartedAt time.Time `json:"startedAt"`
	Seconds   float64   `json:"seconds"`
}

// Stage names a step of a run, in the order of the constants of its kind.
type Stage string

// Stages of a backup.
const (
	StageLock      Stage = "lock"
	StagePreflight Stage = "preflight"
	StageGlobals   Stage = "globals"
	StageDump      Stage = "dump"
	StageConfirm   Stage = "confirm" // read back size and checksum
	StageCommit    Stage = "commit"
	StageRetention Stage = "retention"
)

// StageCopy is the only stage of a copy.
const StageCopy Stage = "copy"

// Stages of a verification and of a restore.
const (
	StageThaw    Stage = "thaw" // waits until an archived set can be read
	StageRead    Stage = "read"
	StageDecode  Stage = "decode"
	StageCreate  Stage = "create"
	StageRestore Stage = "restore"
	StageFinish  Stage = "finish" // the database's own settings, statistics
	StageCompare Stage = "compare"
	StageSwap    Stage = "swap" // with a live database
)

// Further stages of a drill.
const (
	StageServer Stage = "server" // its own, made and started
	StageCheck  Stage = "check"  // owners, grants, extensions, pg_amcheck, expectations
)

// StoredBytes is the size of all objects that the manifest vouches for.
func (m *Manifest) StoredBytes() (total int64) {
	for _, o := range m.Objects() {
		total += o.SizeBytes
	}
	return total
}

// lockedUntil is when the last of the set's objects may be deleted, as the store confirmed it; zero: at
// any time.
func (m *Manifest) lockedUntil() (until time.Time) {
	for _, o := range m.Objects() {
		if o.RetainUntil != nil && o.RetainUntil.After(until) {
			until = o.RetainUntil.UTC()
		}
	}
	return until
}

// ContentType of stored objects, and the metadata that leads back to their set: IDs only, since
// names may hold what a header can't.
const ContentType = "application/octet-stream"
