// Package pitr drives and shows the engine that keeps a PostgreSQL cluster's every second: base backups and archived
// WAL. No physical format is ours. What differs between engines is in a package of each, behind Engine. Rules:
//
//   - every program runs as the owner of the server's files, without a shell, with an environment of what it needs;
//     secrets are in the engine's own file or in that environment, never in an argument
//   - what the engine prints is typed, bounded and checked: whoever writes to the bucket decides what stands in it
//   - what can be recovered is computed from what is in the repository, and never taken from a summary
package pitr

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Server is the server of a cluster, as it was found on this host.
type Server struct {
	DataDirectory string
	Host          string // folder of the socket; "": libpq's default
	Port          string // "": libpq's default
	ConfigDir     string // Debian's, with postgresql.conf; "" where that is in the data directory
	Debian        string // "15/main"; "" of a server that postgresql-common does not know
	BinDir        string // its programs
	Major         int
	UID, GID      uint32 // of the owner of its files, as whom the engine runs
}

// debianServer is what `pg_lsclusters --json` says of a cluster.
type debianServer struct {
	Version   json.Number `json:"version"`
	Cluster   string      `json:"cluster"`
	Data      string      `json:"pgdata"`
	ConfigDir string      `json:"configdir"`
	SocketDir string      `json:"socketdir"`
	Port      string      `json:"port"`
}

// Find looks the server of a cluster up: it has to be on this host, running or not.
func Find(ctx context.Context, c config.Cluster) (Server, error) {
	s := Server{DataDirectory: c.DataDirectory, Host: c.Host, Port: c.Port, Debian: c.Debian}
	if c.Debian != "" {
		found, err := findDebian(ctx, c.Debian)
		if err != nil {
			return Server{}, err
		}
		s.DataDirectory, s.Port = found.Data, found.Port
		s.Host, s.ConfigDir = cmp.Or(c.Host, found.SocketDir), found.ConfigDir
	}
	return s, s.look()
}

func findDebian(ctx context.Context, name string) (debianServer, error) {
	what := "pitr: look for cluster " + name
	out, err := Output(ctx, Command{Program: "pg_lsclusters", Args: []string{"--json"}})
	if errors.Is(err, ErrNoProgram) {
		return debianServer{}, fault.New(fault.Config, what,
			"Give `data_directory` and `port` in place of `cluster`: this system has no postgresql-common.", err)
	}
	if err != nil {
		return debianServer{}, fmt.Errorf("%s: %w", what, err)
	}
	var all []debianServer
	if err := json.Unmarshal(out, &all); err != nil {
		return debianServer{}, fmt.Errorf("%s: read what pg_lsclusters prints: %w", what, err)
	}
	var names []string
	for _, one := range all {
		if one.Version.String()+"/"+one.Cluster == name {
			return one, nil
		}
		names = append(names, one.Version.String()+"/"+one.Cluster)
	}
	return debianServer{}, fault.New(fault.NotFound,
		what+": there are "+cmp.Or(strings.Join(names, ", "), "none on this host"),
		"Correct `cluster` in the configuration: it is version/name as `pg_lsclusters` lists them.", nil)
}

// look reads what the data directory says of itself.
func (s *Server) look() error {
	what := "pitr: look at the data directory " + s.DataDirectory
	info, err := os.Stat(s.DataDirectory)
	switch {
	case errors.Is(err, os.ErrPermission):
		return fault.New(fault.NotPermitted, what, AsOwner, err)
	case err != nil:
		return fault.New(fault.NotFound, what, "Correct `data_directory` or `cluster` in the configuration.", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		s.UID, s.GID = owner.Uid, owner.Gid
	}
	raw, err := bounded.ReadFile(filepath.Join(s.DataDirectory, "PG_VERSION"), 64)
	switch {
	case errors.Is(err, os.ErrPermission):
		return fault.New(fault.NotPermitted, what, AsOwner, err)
	case err != nil:
		return fault.New(fault.NotFound, what, "Give the data directory of a PostgreSQL server.", err)
	}
	if s.Major, err = strconv.Atoi(strings.TrimSpace(string(raw))); err != nil || s.Major < 10 {
		return fault.New(fault.Refused, what+": version "+strconv.Quote(strings.TrimSpace(string(raw)))+" is not supported",
			"Use PostgreSQL 10 or newer.", nil)
	}
	s.BinDir = filepath.Join("/usr/lib/postgresql", strconv.Itoa(s.Major), "bin")
	if _, err := os.Stat(s.BinDir); err != nil {
		s.BinDir = "" // then those on PATH
	}
	return nil
}

// AsOwner is the remedy where this user may not look.
const AsOwner = "Run it as root, or as the owner of the server's files (`sudo -u postgres`)."

// Program is the path of one of the server's programs.
func (s Server) Program(name string) string {
	if s.BinDir == "" {
		return name
	}
	return filepath.Join(s.BinDir, name)
}
