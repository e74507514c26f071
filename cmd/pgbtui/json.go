package main

import (
	"cmp"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
)

// jsonSchema is the version of every document that --json prints. Fields may be added within a
// version; docs/json.md is the contract.
const jsonSchema = 1

type jsonError struct {
	Schema int       `json:"schema"`
	Error  jsonFault `json:"error"`
}

// jsonFault has the shape in which errors are written down, too.
type jsonFault = record.Error

func asFault(err error) jsonFault {
	return jsonFault{Code: int(fault.CodeOf(err)), Message: err.Error(), Remedy: fault.Remedy(err)}
}

type jsonSet struct {
	ID           string       `json:"id"`
	Kind         string       `json:"kind"`
	Good         bool         `json:"good"`
	Problem      string       `json:"problem,omitempty"`
	Signature    string       `json:"signature,omitempty"`
	Instance     string       `json:"instance,omitempty"`
	Database     string       `json:"database"`
	Tenant       string       `json:"tenant,omitempty"` // the schema that it is of
	Job          string       `json:"job,omitempty"`
	FinishedAt   time.Time    `json:"finishedAt"`
	StoredBytes  int64        `json:"storedBytes"`
	RawBytes     *int64       `json:"rawBytes"` // null: unknown
	Tables       *int         `json:"tables"`
	Rows         *int64       `json:"rows"`
	Encrypted    bool         `json:"encrypted"`
	StorageClass string       `json:"storageClass,omitempty"`
	Proof        string       `json:"proof"`
	ProvenAt     *time.Time   `json:"provenAt"`
	Failure      *jsonWrong   `json:"failure,omitempty"`
	Lost         []string     `json:"lost,omitempty"`
	Acknowledged *jsonHold    `json:"acknowledged,omitempty"`
	Hold         *jsonHold    `json:"hold,omitempty"`
	LockedUntil  *time.Time   `json:"lockedUntil,omitempty"`
	Archive      *jsonArchive `json:"archive,omitempty"`
	Warnings     []string     `json:"warnings,omitempty"`

	Copies []jsonSetCopy `json:"copies,omitempty"` // none: its job has none

	Partial *backup.Partial `json:"partial,omitempty"` // nil: nothing of the database was left out

	RestoreTime *jsonEstimate `json:"restoreTime"` // null: nothing of this database was ever restored
}

// jsonWrong is a failed verification, restore or drill that nothing has answered since.
type jsonWrong struct {
	Kind    string           `json:"kind"`
	Fault   backup.FaultKind `json:"fault"`
	Level   string           `json:"level"`
	At      time.Time        `json:"at"`
	Error   string           `json:"error"`
	Objects []string         `json:"objects,omitempty"`
}

func failureJSON(p *backup.Proof) *jsonWrong {
	if p == nil {
		return nil
	}
	return &jsonWrong{
		Kind: p.Kind, Fault: p.FaultKind(), Level: p.Level, At: p.FinishedAt.UTC(), Error: p.Error, Objects: p.Objects,
	}
}

func acknowledgedJSON(a *backup.Acknowledgement) *jsonHold {
	if a == nil {
		return nil
	}
	return &jsonHold{By: a.By, Host: a.Host, At: a.At.UTC(), Reason: a.Reason}
}

// jsonArchive is how a set of an archive class stands.
type jsonArchive struct {
	State string     `json:"state"`
	Until *time.Time `json:"until,omitempty"`
}

func archiveJSON(a backup.Archive) *jsonArchive {
	if a.State == "" {
		return nil
	}
	out := &jsonArchive{State: string(a.State)}
	if !a.Until.IsZero() {
		until := a.Until.UTC()
		out.Until = &until
	}
	return out
}

// setJSON is a set as documents have it. among are the sets of its database, whose restores tell
// how long this one's will take; nil where that is not asked.
func setJSON(s *backup.Set, among []backup.Set) jsonSet {
	level, at := s.Proven()
	out := jsonSet{
		ID: s.ID, Kind: string(s.Kind), Good: s.Flaw() == "" && s.Good(), Problem: s.Problem,
		Signature: string(s.Signature), Instance: s.Instance, Database: s.Database, Tenant: s.Schema, Job: s.Job,
		FinishedAt: s.FinishedAt.UTC(), StoredBytes: s.StoredSize, Encrypted: s.Encrypted(), StorageClass: s.Class,
		Proof: level.String(), Failure: failureJSON(s.LastFailure()), Lost: s.Lost,
		Acknowledged: acknowledgedJSON(s.Acknowledged), Hold: holdJSON(s.Hold), RestoreTime: estimateJSON(among, s),
	}
	if !at.IsZero() {
		at = at.UTC()
		out.ProvenAt = &at
	}
	if !s.LockedUntil.IsZero() {
		until := s.LockedUntil.UTC()
		out.LockedUntil = &until
	}
	out.Archive = archiveJSON(s.Archive)
	out.Copies = setCopiesJSON(s.Copies)
	if m := s.Manifest; m != nil {
		out.Job = cmp.Or(out.Job, m.Job) // a run's own set was not read back
		rawBytes := m.RawBytes()
		out.RawBytes = &rawBytes
		out.Warnings = m.Warnings
		out.Partial = m.Partial
		if m.Summary.Scanned {
			out.Tables, out.Rows = &m.Summary.Tables, &m.Summary.Rows
		}
	}
	return out
}

type jsonRun struct {
	Schema   int      `json:"schema"`
	Set      jsonSet  `json:"set"`
	Deleted  []string `json:"deleted"`
	Warnings []string `json:"warnings,omitempty"`
}
