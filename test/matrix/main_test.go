package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestOnlyWhatPassedCountsAndNothingThatFailedOrWasSkippedIsLeftOut(t *testing.T) {
	const out = "=== RUN   TestA\n" +
		"--- PASS: TestA (0.1s)\n    --- PASS: TestA/step (0.1s)\n--- FAIL: TestB (1s)\n--- SKIP: TestC (0s)\nFAIL\n"
	r := rowOf("trixie", "PostgreSQL 17.12", "x", []byte(out), errors.New("exit status 1"))
	if r.passed != 2 || strings.Join(r.failed, ", ") != "TestB, TestC (skipped)" {
		t.Errorf("%+v", r)
	}
	if r := rowOf("trixie", "", "x", nil, errors.New("exit status 127")); len(r.failed) != 1 {
		t.Errorf("a program that never began: %+v", r)
	}
	text := table([]row{r}, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	for _, part := range []string{"2026-11-28", "| trixie | PostgreSQL 17.12 | x | 2 | TestB, TestC (skipped) |\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("the table lacks %q:\n%s", part, text)
		}
	}
}
