// Package pitrlab is a PostgreSQL cluster whose WAL goes to an S3 server over TLS by the pgBackRest of this machine, or
// by WAL-G: what the tests of base backups, windows, restores to a time and drills stand on. Segments have 1 MiB, so
// that WAL is quick to make. Every program runs as the user postgres when the tests are root.
package pitrlab

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/backrest"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/walg"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// SegmentBytes is how large a WAL segment is.
const SegmentBytes = 1 << 20

// Lab is one of them. The stanza is there, and no backup.
type Lab struct {
	Postgres *pgtest.Server
	Store    *s3server.Running
	Cluster  config.Cluster
	Engine   *pitr.Engine
	Tool     *backrest.PgBackRest // behind the engine; nil of one with WAL-G
	WALG     *walg.WALG           // behind the engine of StartWALG
	Dir      string               // of the engine: its file, its locks
}

// Options change how one is made.
type Options struct {
	Settings map[string]string // of the server
	InitArgs []string          // for initdb
	Global   []string          // lines of the engine's [global]
}

// Start makes one, with further settings of the server and lines of the engine's [global].
func Start(t testing.TB, settings map[string]string, global ...string) *Lab {
	t.Helper()
	return StartWith(t, Options{Settings: settings, Global: global})
}

// StartWith is Start with options.
func StartWith(t testing.TB, o Options) *Lab {
	t.Helper()
	engine := need.Program(t, "pgbackrest") // of the PATH, so that another version can be tried
	l := &Lab{Store: s3server.Start(t, s3server.WithTLS()), Dir: engineDir(t)}
	l.onBothLoopbacks(t)
	file := filepath.Join(l.Dir, "main.conf")
	all := map[string]string{
		"archive_mode": "on", "archive_command": engine + " --config=" + file + " --stanza=main archive-push %p",
		"full_page_writes": "on", "wal_level": "replica", "max_wal_senders": "3",
	}
	for name, value := range o.Settings {
		all[name] = value
	}
	l.Postgres = pgtest.StartWith(t, pgtest.Options{InitArgs: append([]string{"--wal-segsize=1"}, o.InitArgs...), Settings: all})
	l.Cluster = config.Cluster{
		Name: "main", Engine: config.EnginePgBackRest, Stanza: "main", Instance: "db1",
		DataDirectory: l.Postgres.Data, Host: l.Postgres.Host, Port: l.Postgres.Port,
		Repository: config.Repository{
			S3:   config.S3{Bucket: l.Store.Bucket, Region: l.Store.Region, Endpoint: l.endpoint()},
			Path: "pitr/db1/main", CAFile: l.readable(t, l.Store.CAFile),
		},
		Keep: config.ClusterKeep{Full: 2}, RPO: 10 * time.Minute, BaseWithin: 8 * 24 * time.Hour,
	}
	server, err := pitr.Find(t.Context(), l.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	l.Tool = &backrest.PgBackRest{Cluster: l.Cluster, Server: server, File: file}
	l.Engine = l.Tool.Engine()
	l.Configure(t, o.Global...)
	l.PgBackRest(t, "stanza-create")
	return l
}

// endpoint names the store by a name: the engine looks for no address in a certificate.
func (l *Lab) endpoint() string {
	return strings.Replace(l.Store.Endpoint, "127.0.0.1", "localhost", 1)
}

// engineDir is a folder that the owner of the server's files may use, with a short path.
func engineDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pitrlab") //nolint:usetesting // the engine is another user, and test folders are closed to it
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// readable copies a file to where the engine may read it.
func (l *Lab) readable(t testing.TB, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	to := filepath.Join(l.Dir, filepath.Base(file))
	if err == nil {
		err = os.WriteFile(to, raw, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Configure writes the engine's file anew, with more lines in its [global].
func (l *Lab) Configure(t testing.TB, global ...string) {
	t.Helper()
	version, err := l.Tool.Release(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := backrest.Conf{
		Cluster: l.Cluster, Server: l.Engine.Server, LockPath: filepath.Join(l.Dir, "lock"),
		Keys: backrest.Keys{Access: l.Store.AccessKey, Secret: l.Store.SecretKey},
	}.Text(version)
	if err != nil {
		t.Fatal(err)
	}
	global = append(global, "archive-timeout=10", "spool-path="+filepath.Join(l.Dir, "spool"))
	text = strings.Replace(text, "[global]\n", "[global]\n"+strings.Join(global, "\n")+"\n", 1)
	if err := os.WriteFile(l.Tool.File, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// PgBackRest runs a command of the engine, and fails the test if it fails.
func (l *Lab) PgBackRest(t testing.TB, args ...string) string {
	t.Helper()
	out, err := l.TryPgBackRest(args...)
	if err != nil {
		t.Fatalf("pgbackrest %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TryPgBackRest is PgBackRest for commands that may fail.
func (l *Lab) TryPgBackRest(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "pgbackrest", l.Tool.Command(args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: l.Engine.Server.UID, Gid: l.Engine.Server.GID},
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Backup makes a base backup and returns its label.
func (l *Lab) Backup(t testing.TB, kind config.BackupKind) string {
	t.Helper()
	made, err := l.Engine.Backup(t.Context(), kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made.Label
}

// SwitchWAL ends the segment that is being written, waits until it is archived, and returns its name.
func (l *Lab) SwitchWAL(t testing.TB) string {
	t.Helper()
	// A message makes sure that there is something to switch; a switch right behind another does nothing.
	name := l.Postgres.QueryString(t, "postgres", `SELECT pg_walfile_name(pg_logical_emit_message(false, 'pitrlab', 'switch'))`)
	l.Postgres.Exec(t, "postgres", "SELECT pg_switch_wal()")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		done := filepath.Join(l.Postgres.Data, "pg_wal", "archive_status", name+".done")
		if _, err := os.Stat(done); err == nil {
			return name
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was not archived\n%s", name, l.Postgres.Log())
		}
	}
}

// Promote makes the server recover from its own archive and begin a timeline.
func (l *Lab) Promote(t testing.TB) {
	t.Helper()
	l.Postgres.Stop(t)
	if err := os.WriteFile(filepath.Join(l.Postgres.Data, "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l.Postgres.Run(t)
	l.Postgres.Exec(t, "postgres", "SELECT pg_promote()")
}

// Object is the key of an object of the stanza in the bucket.
func (l *Lab) Object(path string) string {
	return fmt.Sprintf("%s/%s", l.Cluster.Repository.Path, path)
}

// Archive is the folder of the server's WAL in the repository; its name has the server's version.
func (l *Lab) Archive(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("archive/main/%d-1", l.Postgres.Major(t))
}

// SegmentFile is the name in the repository of a segment.
func (l *Lab) SegmentFile(t testing.TB, segment string) string {
	t.Helper()
	folder := l.Archive(t) + "/" + segment[:16]
	for _, name := range strings.Fields(l.PgBackRest(t, "repo-ls", folder)) {
		if strings.HasPrefix(name, segment+"-") {
			return folder + "/" + name
		}
	}
	t.Fatalf("%s is not in the repository", segment)
	return ""
}

// Delete removes a file of the repository from the bucket, as somebody would who has the right to.
func (l *Lab) Delete(t testing.TB, path string) {
	t.Helper()
	key := l.Object(path)
	if _, err := l.client(t).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &l.Store.Bucket, Key: &key}); err != nil {
		t.Fatal(err)
	}
}

// Put writes a file of the repository, as somebody would who has the right to.
func (l *Lab) Put(t testing.TB, path string, body []byte) {
	t.Helper()
	key := l.Object(path)
	_, err := l.client(t).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &l.Store.Bucket, Key: &key, Body: bytes.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
}

// Swap puts another file of the repository in the place of one.
func (l *Lab) Swap(t testing.TB, path, other string) {
	t.Helper()
	key, from := l.Object(path), l.Store.Bucket+"/"+l.Object(other)
	_, err := l.client(t).CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &l.Store.Bucket, Key: &key, CopySource: &from})
	if err != nil {
		t.Fatal(err)
	}
}

func (l *Lab) client(t testing.TB) *s3.Client {
	t.Helper()
	cfg := aws.Config{
		Region: l.Store.Region, HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: l.trust(t)}},
		Credentials: credentials.NewStaticCredentialsProvider(l.Store.AccessKey, l.Store.SecretKey, ""),
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.BaseEndpoint, o.UsePathStyle = &l.Store.Endpoint, true
	})
}

func (l *Lab) trust(t testing.TB) *tls.Config {
	t.Helper()
	raw, err := os.ReadFile(l.Store.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(raw)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// Anonymous replaces what is of this laboratory in what a program printed, for documentation.
func (l *Lab) Anonymous(text string) string {
	return strings.NewReplacer(l.Tool.File, "/etc/pgbtui-pgbackrest/main.conf").Replace(text)
}
