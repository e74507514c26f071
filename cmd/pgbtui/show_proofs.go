package main

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// The evidence of one set, newest first: what each proof shows, what was odd about it, and what it
// leaves open.

func showProofs(to *streams, s *backup.Set) {
	to.sayf("\nevidence:\n")
	if len(s.Proofs) == 0 {
		level, _ := s.Proven()
		to.sayf("  %s only; never verified since: `sudo pgbtui verify %s`\n", level, s.ID)
	}
	for i := range s.Proofs {
		showProof(to, &s.Proofs[i])
	}
}

func showProof(to *streams, proof *backup.Proof) {
	took := proof.FinishedAt.Sub(proof.StartedAt).Round(time.Second)
	result := fmt.Sprintf("%s, ok: %s, %s read, took %s", proof.Level, proof.Shown(), readable.Size(proof.Bytes), took)
	if !proof.OK {
		result = "FAILED: " + proof.Why()
		if proof.FaultKind() == backup.FaultRestore {
			result = "does NOT restore as a whole, its bytes are right: " + proof.Why()
		}
	}
	to.sayf("  %s  %s on %s: %s\n", proof.FinishedAt.Local().Format("2006-01-02 15:04 MST"), printable.Text(proof.Kind),
		printable.Text(proof.Host), printable.Text(result))
	if d := proof.Drill; d != nil && proof.OK {
		to.sayf("      compared too: %d owners, %d grants, in PostgreSQL %s\n",
			d.Owners, d.Grants, printable.Text(d.Server))
		if checks := extraChecks(d); checks != "" {
			to.sayf("      also good: %s\n", checks)
		}
	}
	for _, warning := range proof.Warnings {
		to.sayf("      WARNING: %s\n", printable.Text(warning))
	}
	for _, not := range proof.NotProven {
		to.sayf("      does not prove %s\n", printable.Text(not))
	}
}
