package docs

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// duty is what docs/units.md and a rendered unit say of the secrets of one service.
type duty struct {
	user    string
	secrets string // sorted names, separated by blanks
}

// renderedDuties are by the service's name without its instance.
func renderedDuties(t testing.TB) map[string]duty {
	t.Helper()
	files, err := systemd.Files(systemd.DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]duty{}
	for _, f := range files {
		name, isService := strings.CutSuffix(path.Base(f.Path), ".service")
		user := regexp.MustCompile(`(?m)^User=(.+)$`).FindStringSubmatch(f.Text)
		if !isService || user == nil {
			continue
		}
		var secrets []string
		for _, m := range regexp.MustCompile(`(?m)^LoadCredential=(.+):(.+)$`).FindAllStringSubmatch(f.Text, -1) {
			secrets = append(secrets, path.Base(m[2]))
			if path.Dir(m[2]) != systemd.SecretDir {
				t.Errorf("%s is handed %s, which is not below %s", name, m[2], systemd.SecretDir)
			}
			if !strings.Contains(f.Text, "\nSetCredential="+m[1]+":"+systemd.NoSecret+"\n") {
				t.Errorf("%s does not start without %s", name, m[2])
			}
		}
		if len(secrets) == 0 {
			continue
		}
		slices.Sort(secrets)
		base := strings.TrimSuffix(name, "@")
		one := duty{user: user[1], secrets: strings.Join(secrets, " ")}
		if other, there := found[base]; there && other != one {
			t.Errorf("%s: %+v with an instance, and %+v without", base, one, other)
		}
		found[base] = one
	}
	return found
}

func TestTheTableOfSecretsIsWhatTheUnitsAreHanded(t *testing.T) {
	documented := map[string]duty{}
	for _, row := range rows(t, "docs/units.md", "`postgres-[a-z-]+`") {
		var secrets []string
		for _, m := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(row[2], -1) {
			secrets = append(secrets, m[1])
		}
		slices.Sort(secrets)
		documented[strings.Trim(row[0], "`")] = duty{user: strings.Trim(row[1], "`"), secrets: strings.Join(secrets, " ")}
	}
	if rendered := renderedDuties(t); !maps.Equal(documented, rendered) {
		t.Errorf("docs/units.md has\n%+v\nthe units\n%+v", documented, rendered)
	}
}

// What only one duty needs, no other unit is handed.
func TestWhatWritesDeletesOrSignsIsHandedToOneDutyAlone(t *testing.T) {
	for secret, alone := range map[string]string{
		"writer": "postgres-backup", "signing-key": "postgres-backup", "database-password": "postgres-backup",
		"keeper": "postgres-backup-prune", "copier": "postgres-backup-copy", "reader": "postgres-backup-watch",
	} {
		for unit, d := range renderedDuties(t) {
			// The doctor looks with what backups have, as their user; it signs nothing.
			if unit == "postgres-backup-doctor" && alone == "postgres-backup" && secret != "signing-key" {
				unit = alone
			}
			if slices.Contains(strings.Fields(d.secrets), secret) != (unit == alone) {
				t.Errorf("%s, which %s alone needs: %s has %q", secret, alone, unit, d.secrets)
			}
		}
	}
}
