package systemd

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestTheRuleNamesShippedUnitsAlone: with a name that has no unit file, an operator of systemd 257 is root.
func TestTheRuleNamesShippedUnitsAlone(t *testing.T) {
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	var shipped []string
	for _, f := range files {
		if filepath.Dir(f.Path) == unitDir {
			shipped = append(shipped, filepath.Base(f.Path))
		}
	}
	named := regexp.MustCompile(`"(postgres-[^"]*)"`).FindAllStringSubmatch(rendered(t, filepath.Base(polkitFile)), -1)
	var names []string
	for _, match := range named {
		names = append(names, match[1])
		if !slices.Contains(shipped, match[1]) {
			t.Errorf("the rule names %s, which is not installed", match[1])
		}
	}
	// Whoever adds a unit decides here whether operators may start it.
	want := []string{
		"postgres-backup-copy.service", "postgres-backup-copy.timer", "postgres-backup-copy@.service", "postgres-backup-copy@.timer",
		"postgres-backup-doctor.service", "postgres-backup-doctor@.service",
		"postgres-backup-drill.service", "postgres-backup-drill.timer", "postgres-backup-drill@.service", "postgres-backup-drill@.timer",
		"postgres-backup-prune.service", "postgres-backup-prune.timer", "postgres-backup-prune@.service", "postgres-backup-prune@.timer",
		"postgres-backup-verify.service", "postgres-backup-verify.timer", "postgres-backup-verify@.service", "postgres-backup-verify@.timer",
		"postgres-backup-watch.service", "postgres-backup-watch.timer",
		"postgres-backup.service", "postgres-backup.timer", "postgres-backup@.service", "postgres-backup@.timer",
		"postgres-drill@.service", "postgres-pitr-status.service", "postgres-pitr-status.timer", "postgres-pitr@.service",
		"postgres-restore@.service", "postgres-verify@.service",
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("the rule names %q", names)
	}
}

func TestTheRuleKnowsWhatAJobIsCalledInAUnit(t *testing.T) {
	instance := regexp.MustCompile(jobInstance)
	for _, job := range []string{"production", "my-db", "a b", `q"u'o\te`, "größe", "数据库", "-x", "--help", ".hidden", "a/b", "x.y:z_1", "%i", "\n"} {
		if !instance.MatchString(Escape(job)) {
			t.Errorf("%q, which is %q in a unit, is left out", job, Escape(job))
		}
	}
	for _, bad := range []string{"", "-", "--help", "-x", ".x", `a\`, `a\x`, `a\x2`, `a\x2D`, "a b", "a\n", "a@b", "ö"} {
		if instance.MatchString(bad) {
			t.Errorf("%q is let through", bad)
		}
	}
}
