package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestShowTellsWhatAProofLeavesOpenAndWhatWasOdd(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	set := backup.Set{Kind: backup.KindNative, Proofs: []backup.Proof{
		{
			Kind: "drill", Level: "restored", Host: "db1", OK: true,
			StartedAt: at, FinishedAt: at.Add(90 * time.Second), Tables: 3, Rows: 3000, Bytes: 2048,
			Drill:    &backup.DrillFacts{Server: "15.18", Owners: 4, Grants: 2, Expectations: 1, Amcheck: true},
			Warnings: []string{"extension odd\x1b[31m is 1.2 here"}, NotProven: []string{"that roles exist\x07"},
		},
		{
			Kind: "drill", Level: "restored", Host: "db1", Error: "expectation 1: no",
			Drill: &backup.DrillFacts{Server: "15.18"},
		},
		{
			Kind: "verify", Level: "stored", Host: "db2", OK: true,
			Sample: &backup.Sample{Frames: 2, OfFrames: 40}, NotProven: []string{"that the dump can be decoded"},
		},
	}}
	var out bytes.Buffer
	showProofs(&streams{out: &out}, &set)
	text := out.String()
	for _, want := range []string{
		"drill on db1: restored, ok: 3 tables, 3000 rows, 2.0 KiB read, took 1m30s",
		"compared too: 4 owners, 2 grants, in PostgreSQL 15.18", "also good: expectations (1), pg_amcheck",
		"WARNING: extension odd", "does not prove that roles exist",
		"drill on db1: FAILED: expectation 1: no",
		"verify on db2: stored, ok: 2 of 40 parts of the dump read back", "does not prove that the dump can be decoded",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\x07") || strings.Count(text, "compared too") != 1 {
		t.Errorf("control characters, or a comparison that a failed drill never made:\n%q", text)
	}
}
