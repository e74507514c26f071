package docs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// host is the machine of the examples: db1, with a database `production`, a store that holds the
// bucket `company-backups`, and a person called anna.
type host struct {
	lab  *lab.Lab
	used map[string]bool // substitutions that occurred
}

const (
	storeURL  = "http://127.0.0.1:9000"
	awsConfig = "[default]\nregion = eu-central-1\nendpoint_url = " + storeURL + `
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
`
	storeUnit = `[Service]
ExecStart=/usr/local/bin/s3server --dir=/var/lib/store --bucket=company-backups --region=eu-central-1 --access-key=AKIAIOSFODNN7EXAMPLE --secret-key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
DynamicUser=yes
StateDirectory=store
`
	// sudo is what the examples use of the real one, which not every test machine has.
	sudo = `#!/bin/sh
user=root group=
while :; do case $1 in
-u) user=$2; shift 2;;
-g) group=$2; shift 2;;
*) break;;
esac; done
exec setpriv --reset-env --reuid "$user" --regid "${group:-$(id -g "$user")}" --init-groups env PATH="$PATH" LANG=C.UTF-8 "$@"
`
	content = `CREATE ROLE shop NOLOGIN;
CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text NOT NULL);
ALTER TABLE items OWNER TO shop;
INSERT INTO items (label) SELECT 'item ' || i FROM generate_series(1, 1000) AS i;
GRANT SELECT ON items TO PUBLIC;`
)

func newHost(t *testing.T) *host {
	t.Helper()
	need.Program(t, "go", "aws", "age", "zstd")
	h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1"}), used: map[string]bool{}}
	h.copyPrograms(t)
	h.write(t, "/usr/local/bin/sudo", sudo, 0o755)
	h.write(t, "/etc/systemd/system/store.service", storeUnit, 0o644)
	h.lab.Run(t, "root", "systemctl", "start", "store.service")
	if err := h.lab.AddUser(t.Context(), "anna"); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{"/root", "/var/lib/postgresql"} {
		h.write(t, home+"/.aws/config", awsConfig, 0o644)
	}
	for _, sql := range []string{"CREATE DATABASE production TEMPLATE template0", content} {
		database := "production"
		if strings.HasPrefix(sql, "CREATE DATABASE") {
			database = "postgres"
		}
		if _, err := h.lab.SQL(t.Context(), database, sql); err != nil {
			t.Fatal(err)
		}
	}
	h.lab.Run(t, "root", "bash", "-euo", "pipefail", "-c",
		"sudo -u postgres pg_dump -Fc production | aws s3 cp --quiet - s3://company-backups/postgresql/postgresql_production_20261001_020001.backup")
	return h
}

// copyPrograms builds what runs in the lab. pgbtui is put where `make build` would have put it.
func (h *host) copyPrograms(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir+"/", "./cmd/pgbtui", "./test/s3server/cmd/s3server")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for program, target := range map[string]string{"pgbtui": "/root/bin/pgbtui", "s3server": "/usr/local/bin/s3server"} {
		if err := h.lab.Copy(filepath.Join(dir, program), target, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	aws, err := exec.LookPath("aws")
	if err != nil {
		t.Fatal(err)
	}
	// It may be installed for root alone: the lab is thrown away, so its folders may be opened.
	for folder := filepath.Dir(aws); folder != "/"; folder = filepath.Dir(folder) {
		h.lab.Run(t, "root", "chmod", "o+rx", folder)
	}
	// Debian 12's client takes the store's address from nowhere else.
	h.write(t, "/usr/local/bin/aws", "#!/bin/sh\nexec "+aws+" --endpoint-url "+storeURL+" \"$@\"\n", 0o755)
}

func (h *host) write(t testing.TB, file, content string, mode os.FileMode) {
	t.Helper()
	if err := h.lab.WriteFile(file, content, mode); err != nil {
		t.Fatal(err)
	}
}

// put writes an example to the place that its comment names: "PATH OWNER:GROUP MODE".
func (h *host) put(t *testing.T, b block) {
	t.Helper()
	var file, owner string
	var mode os.FileMode
	if n, err := fmt.Sscanf(b.notes["file"], "%s %s %o", &file, &owner, &mode); n != 3 {
		t.Fatalf("%s: file: PATH OWNER:GROUP MODE: %v", b.at(), err)
	}
	h.write(t, file, h.substitute(t, b.text), mode)
	h.lab.Run(t, "root", "chown", owner, file)
}

// blockBound is for one example on a loaded machine.
const blockBound = time.Minute

func (h *host) run(t *testing.T, b block) {
	t.Helper()
	user := b.notes["as"]
	if user == "" {
		user = "root"
	}
	ctx, cancel := context.WithTimeout(t.Context(), blockBound)
	defer cancel()
	text := h.substitute(t, b.text)
	out, err := h.lab.Command(ctx, user, "bash", "-euo", "pipefail", "-c", "cd\n"+text).CombinedOutput()
	t.Logf("%s\n%s\n%s", b.at(), text, out)
	var exit *exec.ExitError
	if errors.As(err, &exit) && b.notes["exits"] == strconv.Itoa(exit.ExitCode()) {
		return
	}
	if err != nil || b.notes["exits"] != "" {
		t.Fatalf("%s: %v\n%s", b.at(), err, h.lab.Run(t, "root", "journalctl", "--no-pager", "-n", "25", "-t", "pgbtui", "-t", "systemd"))
	}
}

// newestSet is the ID of the newest set of ours, encrypted or not.
func (h *host) newestSet(t testing.TB, encrypted bool) string {
	t.Helper()
	var found struct {
		Sets []struct {
			ID, Kind  string
			Encrypted bool
		}
	}
	if err := json.Unmarshal([]byte(h.lab.Run(t, "root", "pgbtui", "list", "--json")), &found); err != nil {
		t.Fatal(err)
	}
	for _, s := range found.Sets {
		if s.Kind == "native" && s.Encrypted == encrypted {
			return s.ID
		}
	}
	t.Fatalf("no set with encrypted=%v among %+v", encrypted, found.Sets)
	return ""
}

func TestTheExamplesWorkOnAHostInDocumentOrder(t *testing.T) {
	need.All(t, "the lab")
	h := newHost(t)
	for _, b := range blocks(t, "sh", "yaml", "ini") {
		switch {
		case b.notes["file"] != "":
			h.put(t, b)
		case b.language == "sh" && b.notes["not run"] == "" && b.notes["script"] == "":
			h.run(t, b)
		}
	}
	h.oldScriptFailsBesideOurFolders(t)
	for _, s := range substitutions() {
		if !h.used[s.shown] {
			t.Errorf("the substitution of %q (%s) is not needed any more", s.shown, s.why)
		}
	}
}

// oldScriptFailsBesideOurFolders holds the README's warning to what really happens: the way in which the
// old script finds names and dates in a listing, tried beside folders and without them.
func (h *host) oldScriptFailsBesideOurFolders(t *testing.T) {
	t.Helper()
	loop := `aws s3 ls s3://company-backups/%s | while read -r entry; do
		name=$(echo "$entry" | awk '{print $4}')
		day=$(echo "$name" | grep -o '[0-9]\{8\}' | head -1)
		echo "$day"
	done
	echo finished`
	for prefix, want := range map[string]string{"postgresql/": "", "script-alone/": "20261001\nfinished\n"} {
		h.lab.Run(t, "root", "aws", "s3", "cp", "--quiet", "s3://company-backups/postgresql/postgresql_production_20261001_020001.backup", "s3://company-backups/script-alone/postgresql_production_20261001_020001.backup")
		out, err := h.lab.Command(t.Context(), "root", "bash", "-euo", "pipefail", "-c", fmt.Sprintf(loop, prefix)).Output()
		if string(out) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", prefix, out, err)
		}
	}
}
