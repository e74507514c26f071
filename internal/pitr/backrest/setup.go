package backrest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// Setting a cluster up. Rules: a file of somebody else is never written over; the server's settings are shown and left
// to people, since they may need a restart.

// Setup is what there is to do for a cluster.
type Setup struct {
	File    string   // the engine's configuration
	Text    string   // of it; "" when it is only read
	Exists  bool     // with this very text
	Changes []string // statements for the server, in SQL
	Restart bool     // the server has to be restarted for them
	Unknown string   // why nothing is known of the server's settings
}

// serverSettings are those that archiving stands on.
type serverSettings struct {
	Mode, Command, Library, Level string
}

const settingsSQL = `SELECT pg_catalog.json_build_object('mode', pg_catalog.current_setting('archive_mode'),
	'command', pg_catalog.current_setting('archive_command'),
	'library', coalesce(pg_catalog.current_setting('archive_library', true), ''),
	'level', pg_catalog.current_setting('wal_level'))`

// PlanSetup says what is to be done, and changes nothing.
func (e *PgBackRest) PlanSetup(ctx context.Context, keys Keys) (s Setup, err error) {
	s.File = e.File
	version, err := e.Release(ctx)
	if err != nil {
		return s, err
	}
	if !e.Cluster.OnlyRead() {
		s.Text, err = Conf{Cluster: e.Cluster, Server: e.Server, Keys: keys, LockPath: e.lockPath()}.Text(version)
		if err != nil {
			return s, err
		}
		if s.Exists, err = ours(e.File, s.Text); err != nil {
			return s, err
		}
	}
	var now serverSettings
	if err := e.Server.SQL(ctx, "postgres", settingsSQL, &now); err != nil {
		s.Unknown = err.Error()
		return s, nil //nolint:nilerr // the plan says so
	}
	return s, s.planServer(now, e)
}

// ours refuses a file of somebody else. The same text needs no writing.
func ours(file, text string) (same bool, err error) {
	raw, err := bounded.ReadFile(file, bounded.File)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fault.New(fault.NotPermitted, "pitr: read "+file, "Run it as root.", err)
	case !strings.HasPrefix(string(raw), Marker):
		return false, fault.New(fault.Refused, "pitr: "+file+" was written by somebody else",
			"Name it as `config` of the cluster, and it is only read; or move it away.", nil)
	}
	return string(raw) == text, nil
}

// planServer compares the server's settings with what archiving needs.
func (s *Setup) planServer(now serverSettings, e *PgBackRest) error {
	want := e.ArchiveCommand()
	switch {
	case now.Library != "":
		return fault.New(fault.Refused, "pitr: the server archives by the library "+now.Library,
			"Look who set archive_library, and take it out first: WAL goes one way only.", nil)
	case now.Command != "" && now.Command != "(disabled)" && !strings.Contains(now.Command, "pgbackrest"):
		return fault.New(fault.Refused, "pitr: the server archives by another command: "+now.Command,
			"Look who needs that archive, and take archive_command out first: WAL goes one way only.", nil)
	}
	set := func(name, value string) {
		s.Changes = append(s.Changes, "ALTER SYSTEM SET "+name+" = '"+strings.ReplaceAll(value, "'", "''")+"';")
	}
	if now.Level == "minimal" {
		set("wal_level", "replica")
		s.Restart = true
	}
	if now.Mode == "off" {
		set("archive_mode", "on")
		s.Restart = true
	}
	// A command of the engine by a configuration that is only read is its owner's.
	if now.Command != want && (!e.Cluster.OnlyRead() || now.Command == "" || now.Command == "(disabled)") {
		set("archive_command", want)
	}
	if len(s.Changes) > 0 {
		set("archive_timeout", "60s")
	}
	return nil
}

// Apply writes the file and makes what the engine needs in the repository; a stanza that is there stays as it is.
func (e *PgBackRest) Apply(ctx context.Context, s Setup) error {
	if s.Text != "" && !s.Exists {
		if err := e.writeFile(s.Text); err != nil {
			return err
		}
	}
	if !e.Cluster.OnlyRead() {
		if err := e.lockFolder(ctx); err != nil {
			return err
		}
	}
	_, err := e.Output(ctx, "stanza-create")
	return err
}

// writeFile writes the engine's configuration, which holds keys: root's, and read by the owner of the server's files.
func (e *PgBackRest) writeFile(text string) error {
	dir := filepath.Dir(e.File)
	what := "pitr: write " + e.File
	remedy := "Run it as root."
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the server's owner has to get through
		return fault.New(fault.NotPermitted, what, remedy, err)
	}
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return fault.New(fault.NotPermitted, what, remedy, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone when it was renamed
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chown(-1, int(e.Server.GID))
	}
	if err == nil {
		err = f.Chmod(0o640)
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), e.File)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Places are where setup writes besides the engine's file; "" is the system's place.
type Places struct {
	LockPath string
	TmpFiles string // makes the folder of the engine's locks at every boot
}

const tmpFiles = "/etc/tmpfiles.d/pgbtui-pgbackrest.conf"

func (e *PgBackRest) lockPath() string { return cmp.Or(e.Places.LockPath, LockPath) }

// lockFolder makes the folder of locks, now and at every boot: the server's archiver needs it before anything of ours
// runs.
func (e *PgBackRest) lockFolder(ctx context.Context) error {
	file, s := cmp.Or(e.Places.TmpFiles, tmpFiles), e.Server
	text := fmt.Sprintf("# Written by pgbtui: the locks of pgBackRest.\nd %s 0770 %d %d -\n", e.lockPath(), s.UID, s.GID)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // as the system has it
		return fmt.Errorf("pitr: write %s: %w", file, err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // it holds no secret
		return fmt.Errorf("pitr: write %s: %w", file, err)
	}
	create := pitr.Command{Program: "systemd-tmpfiles", Args: []string{"--create", file}}
	if _, err := pitr.Output(ctx, create); err != nil {
		return fmt.Errorf("pitr: make %s: %w", e.lockPath(), err)
	}
	return nil
}
