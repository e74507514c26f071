package systemd

import "testing"

func TestEveryUnitOfOursHasAnAction(t *testing.T) {
	for _, glob := range Patterns() {
		if ActionOf(glob) == "" {
			t.Errorf("nobody knows what %s does", glob)
		}
	}
	for unit, want := range map[string]string{
		"postgres-backup.service": "backup", "postgres-backup@a-verify.timer": "backup", "postgres-backup-verify@shop.timer": "verify",
		"postgres-drill@20261122T020000Z-1a2b3c.service": "drill", "postgres-restore@x.service": "restore", "postgresql.service": "",
	} {
		if got := ActionOf(unit); got != want {
			t.Errorf("%s does %q, want %q", unit, got, want)
		}
	}
}
