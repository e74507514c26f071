package walg

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// settings are how WAL-G is told where its own are.
type settings struct {
	options []string // before the command
	env     []string
}

// settingsFiles are endings of files that WAL-G reads by itself; every other one is taken for lines of NAME=value.
var settingsFiles = []string{".json", ".yaml", ".yml", ".toml"}

func (e *WALG) settings() (settings, error) {
	file := e.Cluster.ConfigFile
	const what = "pitr: read WAL-G's settings"
	_, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrPermission):
		return settings{}, fault.New(fault.NotPermitted, what, pitr.AsOwner, err)
	case err != nil:
		return settings{}, fault.New(fault.NotFound, what, "Correct `config` of the cluster.", err)
	}
	if slices.Contains(settingsFiles, strings.ToLower(filepath.Ext(file))) {
		return settings{options: []string{"--config=" + file}}, nil
	}
	env, err := config.EnvironmentOf(file)
	return settings{env: env}, err
}

// Environment is what a restored server needs to run wal-fetch.
func (e *WALG) Environment() []string {
	s, err := e.settings()
	if err != nil { // the server's log then says what wal-fetch lacks
		return pitr.Environment()
	}
	return append(pitr.Environment(), s.env...)
}
