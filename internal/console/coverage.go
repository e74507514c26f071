package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// coverage is ui.Coverage by what the runs of this host remember.
type coverage struct {
	config   *config.Config
	stateDir string
}

// Uncovered implements ui.Coverage.
func (c coverage) Uncovered(context.Context) (found []ui.Uncovered) {
	read := func(of config.Postgres) *dump.Server {
		seen, _ := dump.ReadServer(c.stateDir, of)
		return seen
	}
	for _, one := range watch.Coverages(c.config, read) {
		for _, name := range one.Uncovered {
			found = append(found, ui.Uncovered{Database: name, Server: one.Server()})
		}
	}
	return found
}
