package main

import (
	"encoding/json"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// jsonSchema is the version of every document that --json prints. Fields may be added within a
// version; docs/json.md is the contract.
const jsonSchema = 1

func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

func (p *program) printJSONError(err error) {
	_ = p.printJSON(map[string]any{"schema": jsonSchema, "error": jsonFault{
		Code: int(fault.CodeOf(err)), Message: err.Error(), Remedy: fault.Remedy(err)}})
}

type jsonFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

type jsonSet struct {
	ID           string     `json:"id"`
	Kind         string     `json:"kind"`
	Good         bool       `json:"good"`
	Problem      string     `json:"problem,omitempty"`
	Instance     string     `json:"instance,omitempty"`
	Database     string     `json:"database"`
	FinishedAt   time.Time  `json:"finishedAt"`
	StoredBytes  int64      `json:"storedBytes"`
	RawBytes     *int64     `json:"rawBytes"` // null: unknown
	Tables       *int       `json:"tables"`
	Rows         *int64     `json:"rows"`
	Encrypted    bool       `json:"encrypted"`
	StorageClass string     `json:"storageClass,omitempty"`
	Proof        string     `json:"proof"`
	ProvenAt     *time.Time `json:"provenAt"`
	Warnings     []string   `json:"warnings,omitempty"`
}

func (p *program) setJSON(s *backup.Set) jsonSet {
	level, at := s.Proven()
	out := jsonSet{ID: s.ID, Kind: string(s.Kind), Good: s.Good(), Problem: s.Problem, Instance: s.Instance, Database: s.Database,
		FinishedAt: s.FinishedAt.UTC(), StoredBytes: s.StoredSize, Encrypted: s.Encrypted(), StorageClass: s.Class, Proof: level.String()}
	if !at.IsZero() {
		at = at.UTC()
		out.ProvenAt = &at
	}
	if m := s.Manifest; m != nil {
		out.RawBytes, out.Warnings = &m.Dump.RawBytes, m.Warnings
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
