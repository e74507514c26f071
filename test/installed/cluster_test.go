package installed

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/lab"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// A host that has a cluster and no job: its repository is a folder, so that any pgBackRest will do, by a configuration
// of somebody else with the default place of locks, /tmp.
const (
	engineFile = "/etc/pgbackrest-lab.conf"
	engineConf = `[global]
repo1-path=/var/lib/pgbackrest-lab
repo1-retention-full=2
start-fast=y
log-level-file=off
[main]
pg1-path=%s
`
	clusterConf = `instance: db1
clusters:
  main: {cluster: %s, config: ` + engineFile + `}
`
	ownConf = `instance: db1
clusters:
  main:
    cluster: %s
    s3: {bucket: backups, region: us-east-1, endpoint: "https://localhost:1", credentials_file: /root/keys}
`
)

func TestAClusterIsLookedAtByTheOwnerOfItsFilesForEverybodyElse(t *testing.T) {
	need.Program(t, "pgbackrest")
	l := lab.Start(t, lab.Options{Hostname: "db1"})
	major, err := lab.PostgresMajor()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "pgbtui")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./cmd/pgbtui")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := l.Copy(program, "/usr/local/bin/pgbtui", 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(file, text string) {
		t.Helper()
		if err := l.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root := func(argv ...string) string { t.Helper(); return l.Run(t, "root", argv...) }
	says := func(user, what string, argv ...string) {
		t.Helper()
		out, err := l.Output(t.Context(), user, argv...)
		if said := out + fmt.Sprint(err); !strings.Contains(said, what) {
			t.Errorf("%s, as %s, does not say %q:\n%s", strings.Join(argv, " "), user, what, said)
		}
	}
	root("pgbtui", "units", "install")
	for user, groups := range map[string][]string{"ops": {"pgbtui", "systemd-journal"}, "stranger": nil} {
		if err := l.AddUser(t.Context(), user, groups...); err != nil {
			t.Fatal(err)
		}
	}

	// What setup writes has to be read by the server's archiver, also after a boot.
	write("/root/keys", "[default]\naws_access_key_id = lab-access-key\naws_secret_access_key = lab-secret-key\n")
	write("/etc/pgbtui/config.yaml", fmt.Sprintf(ownConf, major+"/main"))
	says("root", "stanza-create", "pgbtui", "cluster", "setup", "main", "--yes") // there is no store
	root("systemd-tmpfiles", "--create")
	says("postgres", "repo1-s3-bucket=backups", "cat", "/etc/pgbtui-pgbackrest/main.conf")
	says("postgres", "ermission denied", "ls", "/etc/pgbtui")
	says("stranger", "ermission denied", "cat", "/etc/pgbtui-pgbackrest/main.conf")

	data := "/var/lib/postgresql/" + major + "/main"
	write(engineFile, fmt.Sprintf(engineConf, data))
	write("/etc/pgbtui/config.yaml", fmt.Sprintf(clusterConf, major+"/main"))
	root("install", "-d", "-o", "postgres", "-g", "postgres", "/var/lib/pgbackrest-lab")
	write("/etc/postgresql/"+major+"/main/conf.d/archive.conf",
		"archive_mode = on\narchive_command = 'pgbackrest --config="+engineFile+" --stanza=main archive-push %p'\n")
	root("systemctl", "restart", "postgresql@"+major+"-main.service")
	engine := []string{"pgbackrest", "--config=" + engineFile, "--stanza=main"}
	l.Run(t, "postgres", append(engine, "stanza-create")...)
	root("pgbtui", "cluster", "backup", "main", "--type", "full")

	says("ops", "nothing is known here of cluster main", "pgbtui", "status")
	root("pgbtui", "jobs", "sync", "--yes")
	says("root", "enabled", "systemctl", "is-enabled", "postgres-pitr-status.timer")
	says("root", "active", "systemctl", "is-active", "postgres-backup-watch.timer")

	look := func() { t.Helper(); root("systemctl", "start", "postgres-pitr-status.service") }
	look()
	says("ops", "OK   cluster main: any second from ", "pgbtui", "cluster", "status")
	says("ops", "OK   cluster main: any second from ", "pgbtui", "status")
	says("ops", "cluster main: any second from ", "pgbtui", "watch")
	says("stranger", "ermission denied", "cat", "/var/lib/pgbtui-pitr/clusters.json")
	if out, err := l.Output(t.Context(), "ops", "pgbtui", "watch"); err != nil {
		t.Errorf("nothing is wrong: %v\n%s", err, out)
	}

	// A stop file in /tmp is seen by the unit, and told once by the watch.
	l.Run(t, "postgres", append(engine, "stop")...)
	look()
	says("ops", "CRITICAL cluster main: the engine is stopped by /tmp/pgbackrest/main.stop", "pgbtui", "watch")
	says("ops", "FAIL cluster main: any second from ", "pgbtui", "status")
	told := func(want int) {
		t.Helper()
		root("systemctl", "start", "postgres-backup-watch.service")
		out := root("sh", "-c", "journalctl -t pgbtui -o cat MESSAGE_ID=578e8a9ed8da4158842d45921704bcd2 | grep -c 'cluster main' || true")
		if got := strings.TrimSpace(out); got != fmt.Sprint(want) {
			t.Errorf("told %s times, want %d:\n%s", got, want, root("journalctl", "-t", "pgbtui", "-o", "cat", "--no-pager"))
		}
	}
	told(1)
	told(1)
	l.Run(t, "postgres", append(engine, "start")...)
	look()
	root("systemctl", "start", "postgres-backup-watch.service")
	if out := root("journalctl", "-t", "pgbtui", "-o", "cat", "MESSAGE_ID=373c2bc03020432cab158b67e0dd1a70", "--no-pager"); !strings.Contains(out, "cluster main") {
		t.Errorf("there is no all-clear:\n%s", out)
	}
	if out, err := l.Output(t.Context(), "ops", "pgbtui", "status"); err != nil {
		t.Errorf("all is well again: %v\n%s", err, out)
	}

	// A look that fails is no good news by what was known before.
	root("mv", engineFile, engineFile+".away")
	look()
	says("ops", "FAIL cluster main: ", "pgbtui", "status")
	root("mv", engineFile+".away", engineFile)

	// The sweep of copies runs by its unit as well.
	root("systemctl", "start", "postgres-pitr-sweep.service")
}
