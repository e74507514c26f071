package pitrlab

import (
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/walg"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// walgProgram names a real WAL-G for PostgreSQL, which no package has. Without it, a stand-in takes its place.
const walgProgram = "PGBTUI_TEST_WALG"

//go:embed wal-g.sh
var walgStandIn []byte

// StartWALG makes a cluster whose WAL goes to a storage by WAL-G: an S3 server if it is the real one, else a folder.
// Dir has the program and its settings, wal-g and wal-g.json.
func StartWALG(t testing.TB) *Lab {
	t.Helper()
	l := &Lab{Dir: engineDir(t)}
	program, found := filepath.Join(l.Dir, "wal-g"), os.Getenv(walgProgram)
	settings := map[string]string{
		"WALG_PG_WAL_SIZE": "1", "WALG_COMPRESSION_METHOD": "lz4", "WALG_DELTA_MAX_STEPS": "3",
	}
	if found == "" {
		if err := os.WriteFile(program, walgStandIn, 0o755); err != nil { //nolint:gosec // the engine is another user
			t.Fatal(err)
		}
		settings["WALG_FILE_PREFIX"] = filepath.Join(l.Dir, "storage")
	} else {
		if err := os.Symlink(found, program); err != nil {
			t.Fatal(err)
		}
		l.Store = s3server.Start(t)
		settings["WALG_S3_PREFIX"] = "s3://" + l.Store.Bucket + "/walg/db1"
		settings["AWS_ENDPOINT"], settings["AWS_REGION"] = l.Store.Endpoint, l.Store.Region
		settings["AWS_S3_FORCE_PATH_STYLE"] = "true"
		settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"] = l.Store.AccessKey, l.Store.SecretKey
	}
	file := filepath.Join(l.Dir, "wal-g.json")
	raw, err := json.Marshal(settings)
	if err == nil {
		err = os.WriteFile(file, raw, 0o644) //nolint:gosec // the engine is another user
	}
	if err != nil {
		t.Fatal(err)
	}
	l.Postgres = pgtest.StartWith(t, pgtest.Options{InitArgs: []string{"--wal-segsize=1"}, Settings: map[string]string{
		"archive_mode": "on", "archive_command": program + " --config=" + file + " wal-push %p",
		"full_page_writes": "on", "wal_level": "replica", "max_wal_senders": "3",
	}})
	l.Cluster = config.Cluster{
		Name: "main", Engine: config.EngineWALG, Instance: "db1", ConfigFile: file,
		DataDirectory: l.Postgres.Data, Host: l.Postgres.Host, Port: l.Postgres.Port,
		RPO: 10 * time.Minute, BaseWithin: 8 * 24 * time.Hour,
	}
	server, err := pitr.Find(t.Context(), l.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	l.WALG = &walg.WALG{Cluster: l.Cluster, Server: server, Bin: program}
	l.Engine = l.WALG.Engine()
	return l
}

// RealWALG reports whether the WAL-G of a laboratory is the real one.
func RealWALG() bool { return os.Getenv(walgProgram) != "" }

// RunWALG runs a command of WAL-G as the owner of the server's files, and fails the test if it fails.
func (l *Lab) RunWALG(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.WALG.Bin, append([]string{"--config=" + l.Cluster.ConfigFile}, args...)...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: l.WALG.Server.UID, Gid: l.WALG.Server.GID},
		}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("wal-g %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
