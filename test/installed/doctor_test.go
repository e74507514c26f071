package installed

import (
	"encoding/json"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
)

// doctor as an operator calls it: from the shell, and from the unit that they may start.

func (h *host) doctorLooksWhereBackupsRun(t *testing.T) {
	found := h.examined(t, operator, "doctor", "--job", "production")
	if len(found) == 0 || found["postgresql.reach"].From != doctor.FromUnit {
		t.Fatalf("the unit did not look: %+v", found)
	}
	// The unit logs in as the backups' role, which the operator's own login cannot.
	if f := found["postgresql.reach"]; f.Result != doctor.OK || f.Other == nil || f.Other.Result != doctor.Fail {
		t.Errorf("%+v", f)
	}
	for _, check := range []string{"s3.reach", "s3.writer.put", "s3.writer.list", "s3.writer.multipart-upload", "postgresql.tables"} {
		if f := found[check]; f.Result != doctor.OK || f.From != doctor.FromUnit {
			t.Errorf("%s: %+v", check, f)
		}
	}
	alone := h.examined(t, operator, "doctor", "--job", "production", "--no-unit")
	if f := alone["postgresql.reach"]; f.Result != doctor.Fail || f.From != doctor.FromShell {
		t.Errorf("%+v", f)
	}
	if left := h.root(t, "find", "/var/lib/store", "-name", "*trial*"); left != "" {
		t.Errorf("left in the store: %s", left)
	}
	// Somebody who is no operator may not read the configuration, and is told which group is missing.
	code, said := h.refused(t, guest, "pgbtui", "doctor", "--job", "production")
	if code != 78 || !strings.Contains(said, "member of group pgbtui") {
		t.Errorf("a guest was told, with exit %d:\n%s", code, said)
	}
}

// examined are the findings of one call, by check.
func (h *host) examined(t *testing.T, user string, args ...string) map[string]doctor.Finding {
	t.Helper()
	found := map[string]doctor.Finding{}
	report := h.examination(t, user, args...)
	for _, f := range report.Findings {
		found[f.ID] = f
	}
	if report.UnitError != "" {
		t.Errorf("the unit did not look: %s", report.UnitError)
	}
	return found
}

func (h *host) examination(t *testing.T, user string, args ...string) doctor.Report {
	t.Helper()
	// Its exit code says what it found, which is read below.
	out, _ := h.lab.Output(t.Context(), user, append([]string{"sh", "-c", `"$@" 2>/dev/null`, "sh", "pgbtui", "--json"}, args...)...)
	var document struct {
		Reports []doctor.Report `json:"reports"`
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil || len(document.Reports) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	return document.Reports[0]
}
