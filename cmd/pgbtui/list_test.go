package main

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestEveryVerbTellsTheSameSizeOfASet(t *testing.T) {
	set := backup.Set{
		ID: "20261122T020000Z-0000ff", Kind: backup.KindNative, Database: "sales", Job: "weekly", StoredSize: 4500, FinishedAt: time.Now(),
		Manifest: &backup.Manifest{Dump: backup.Object{Key: "dump.pgc.zst", SizeBytes: 2300}},
	}
	p := &program{now: time.Now}
	if got := p.setJSON(&set, nil).StoredBytes; got != 2300 {
		t.Errorf("status and --json: %d", got)
	}
	if line := listLine(&set, time.Now()); !strings.Contains(line, "\t"+size(2300)+"\t") || !strings.Contains(line, "sales (weekly)") {
		t.Errorf("list: %q", line)
	}
}
