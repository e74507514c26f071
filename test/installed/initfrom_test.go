package installed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A host that runs the article's way, with a script that really dumps and uploads: init takes over from it.

// dumpScript does in its own words what such scripts do.
const dumpScript = `#!/bin/bash
set -euo pipefail
DB_NAME="${DB_NAME:-production}"
S3_BUCKET="${S3_BUCKET:-elsewhere}"
AWS_REGION="${AWS_REGION:-us-east-1}"
RETENTION_DAYS="${RETENTION_DAYS:-14}"
file=/var/tmp/postgresql_${DB_NAME}_$(date +%Y%m%d_%H%M%S).backup
pg_dump --format=custom --dbname="$DB_NAME" --file="$file"
aws s3 cp --quiet "$file" "s3://$S3_BUCKET/postgresql/"
rm "$file"
`

// runsTheArticlesWay installs unit, timer and script, and lets them make a backup.
func (h *host) runsTheArticlesWay(t *testing.T) {
	t.Helper()
	aws, err := exec.LookPath("aws")
	if err != nil {
		t.Fatal(err)
	}
	// It may be installed for root alone: the lab is thrown away, so its folders may be opened.
	for folder := filepath.Dir(aws); folder != "/"; folder = filepath.Dir(folder) {
		h.root(t, "chmod", "o+rx", folder)
	}
	// Debian 12's client does not know the variable.
	for file, text := range map[string]string{
		"/usr/local/bin/aws": "#!/bin/sh\nexec " + aws + " --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n", "/usr/local/bin/nightly-dump.sh": dumpScript,
	} {
		if err := h.lab.WriteFile(file, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	service := strings.Replace(articleService, "PrivateTmp=true\nReadWritePaths=/tmp/pg_backups\n", "", 1)
	h.write(t, "/etc/systemd/system/"+plainUnit, strings.Replace(service, "Environment=RETENTION_DAYS=30\n", "", 1))
	h.write(t, "/etc/systemd/system/"+plainTimer, strings.Replace(articleTimer, "Requires=postgres-backup.service\n", "", 1))
	if err := h.lab.WriteFile("/etc/default/nightly-dump", storeEnvironment, 0o600); err != nil {
		t.Fatal(err)
	}
	h.root(t, "systemctl", "daemon-reload")
	h.root(t, "systemctl", "enable", "--now", plainTimer)
	h.root(t, "systemctl", "enable", plainUnit)
	if _, err := h.lab.Output(t.Context(), "root", "systemctl", "start", plainUnit); err != nil {
		t.Fatalf("the script: %v\n%s", err, h.lastLines(t, plainUnit))
	}
	if !strings.Contains(h.keys(t), "postgresql/postgresql_shop_") {
		t.Fatalf("the script stored nothing: %s", h.keys(t))
	}
}

// keys are the names of the objects in the store.
func (h *host) keys(t *testing.T) string {
	t.Helper()
	return h.root(t, "sh", "-c", "cat /var/lib/store/backups/keys/*.json | grep -o '\"Key\":\"[^\"]*' | cut -d'\"' -f4 | sort")
}

func (h *host) takesOver(t *testing.T) {
	h.strip(t)
	h.runsTheArticlesWay(t)
	argv := []string{"pgbtui", "init", "--from-unit", plainUnit}
	if code, said := h.refused(t, "root", "pgbtui", "init"); code != 4 || !strings.Contains(said, "init --from-unit "+plainUnit) {
		t.Errorf("without --from-unit: exit %d\n%s", code, said)
	}
	plan := h.root(t, append(argv, "--dry-run", "--json")...)
	for _, want := range []string{"bucket: backups", "prefix: postgresql", "database: shop", "days: 14", "*-*-* 01:45:00", "secret/writer"} {
		if !strings.Contains(plan, want) {
			t.Errorf("no %q in\n%s", want, plan)
		}
	}
	if strings.Contains(plan, secretKey) {
		t.Error("the plan has the secret")
	}
	if _, killed := h.killedAt(t, []string{"first drill:"}, argv...); !killed {
		t.Error("there was no drill")
	}
	if timer := h.show(t, plainTimer); timer["UnitFileState"] != "enabled" || timer["ActiveState"] != "active" {
		t.Errorf("the old timer is %s and %s before anything is proven", timer["UnitFileState"], timer["ActiveState"])
	}
	if service := h.show(t, plainUnit); service["User"] != "postgres" {
		t.Error("the old service is another one before anything is proven")
	}
	before := h.keys(t)
	said, err := h.lab.Command(t.Context(), "root", argv...).CombinedOutput()
	t.Logf("%v\n%s", err, said)
	if !strings.Contains(string(said), "Protected now: shop.") {
		t.Error("it does not say what is protected")
	}
	h.isProtected(t, "shop")
	if timer := h.show(t, plainTimer); timer["UnitFileState"] != "disabled" || timer["ActiveState"] != "inactive" {
		t.Errorf("the old timer is %s and %s", timer["UnitFileState"], timer["ActiveState"])
	}
	if service := h.show(t, plainUnit); service["User"] != "pgbtui" || service["WantedBy"] != "" {
		t.Errorf("the service runs as %s, wanted by %q", service["User"], service["WantedBy"])
	}
	if timer := h.show(t, "postgres-backup@shop.timer"); !strings.Contains(timer["TimersCalendar"], "01:45:00") || timer["UnitFileState"] != "enabled" {
		t.Errorf("the new timer is %s, at %s", timer["UnitFileState"], timer["TimersCalendar"])
	}
	for _, name := range []string{plainUnit, plainTimer} {
		if _, err := os.Stat(filepath.Join(h.lab.Root(), "etc/systemd/system", name+".before-pgbtui")); err != nil {
			t.Error(err)
		}
	}
	for key := range strings.Lines(before) {
		if strings.Contains(key, "postgresql_shop_") && !strings.Contains(h.keys(t), key) {
			t.Errorf("the old script's backup is gone: %s", key)
		}
	}
	if list := h.root(t, "pgbtui", "list"); !strings.Contains(list, "legacy-") {
		t.Errorf("the old backup is not listed:\n%s", list)
	}
	again, _ := h.lab.Command(t.Context(), "root", argv...).CombinedOutput()
	if !strings.Contains(string(again), "was taken over before") || !strings.Contains(string(again), "Protected now: shop.") {
		t.Errorf("once more: %s", again)
	}
}
