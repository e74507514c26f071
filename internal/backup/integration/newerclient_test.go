package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newerClients are the programs of this host, which say that they are of a newer major version.
func newerClients(t *testing.T, w *world, major int) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"pg_dump", "pg_dumpall", "pg_restore"} {
		script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = --version ]; then echo '%s (PostgreSQL) %d.1'; else exec '%s' \"$@\"; fi\n",
			program, major, filepath.Join(w.pg.BinDir, program))
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestABackupSaysThatItsProgramsCannotRestoreItHere(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	if w.run(t); strings.Contains(w.log.text(), "transaction_timeout") {
		t.Error("the server's own programs are complained about")
	}
	if major := w.pg.QueryInt(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000"); major >= 17 {
		return // then programs of every newer version restore here
	}
	w.job.Postgres.BinDir = newerClients(t, w, 17)
	warnings := w.run(t).Manifest.Warnings
	if !slices.ContainsFunc(warnings, func(warning string) bool {
		return strings.Contains(warning, "transaction_timeout") && strings.Contains(warning, "Install postgresql-client-")
	}) {
		t.Errorf("warnings: %q", warnings)
	}
}
