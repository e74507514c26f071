package dump

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// The databases that a server has, asked by each run and remembered on this host: status, watch and console may not log
// in, and say by this which ones no job backs up.

// Server is what was seen of one.
type Server struct {
	Schema     int       `json:"schema"`
	Host       string    `json:"host"` // as the jobs name it
	Port       string    `json:"port"`
	Identifier string    `json:"identifier"` // PostgreSQL's own; "" where the role may not ask
	At         time.Time `json:"at"`
	Databases  []string  `json:"databases"` // that want a backup
}

// LookAtServer asks a job's server for the databases that want a backup: all that can have one, but for postgres as
// long as nobody has put anything there.
func LookAtServer(ctx context.Context, job config.Job, env backup.Env, now time.Time) (*Server, error) {
	server, err := maintenance(ctx, job, env, 0)
	if err != nil {
		return nil, err
	}
	seen, err := lookAt(ctx, server, job, now)
	return seen, errors.Join(err, server.Close(context.WithoutCancel(ctx)))
}

func lookAt(ctx context.Context, server *postgres.Server, job config.Job, now time.Time) (*Server, error) {
	seen := &Server{Schema: backup.ManifestSchema, Host: job.Postgres.Host, Port: job.Postgres.Port, At: now.UTC()}
	var err error
	if seen.Databases, err = server.Backupable(ctx); err != nil {
		return nil, err
	}
	if seen.Identifier, err = server.SystemIdentifier(ctx); err != nil {
		return nil, err
	}
	const usual = "postgres"
	in, err := server.CurrentDatabase(ctx)
	if err != nil || in != usual {
		return seen, err
	}
	empty, err := server.Empty(ctx)
	if empty {
		seen.Databases = slices.DeleteFunc(seen.Databases, func(name string) bool { return name == usual })
	}
	return seen, err
}

func serverFile(dir string, of config.Postgres) string {
	return filepath.Join(dir, fmt.Sprintf("server-%x.json", sha256.Sum256([]byte(of.Host+"\x00"+of.Port))))
}

// Save keeps it for who may not ask.
func (s *Server) Save(dir string) error {
	if dir == "" {
		return nil
	}
	body, err := json.Marshal(s)
	if err == nil {
		err = writeForGroup(serverFile(dir, config.Postgres{Host: s.Host, Port: s.Port}), body)
	}
	if err != nil {
		return fmt.Errorf("backup: remember the databases of a server: %w", err)
	}
	return nil
}

// ReadServer is what this host's newest run saw of a server; nil where nothing is remembered.
func ReadServer(dir string, of config.Postgres) (*Server, error) {
	if dir == "" {
		return nil, nil
	}
	file := serverFile(dir, of)
	raw, err := bounded.ReadPlain(file, bounded.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backup: recall the databases of a server: %w", err)
	}
	var s Server
	if err := json.Unmarshal(raw, &s); err != nil || s.Host != of.Host || s.Port != of.Port {
		return nil, fault.New(fault.Failed, "backup: recall the databases of a server: "+file+" is damaged",
			"Remove it; the next backup writes it again.", err)
	}
	return &s, nil
}
