// Package engines finds the engine of a cluster by its name in the configuration: the one place that knows them all.
package engines

import (
	"context"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/backrest"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/walg"
)

// Open finds the server and the engine of a cluster. It talks to no store and to no server.
func Open(ctx context.Context, c config.Cluster) (*pitr.Engine, error) {
	server, err := pitr.Find(ctx, c)
	if err != nil {
		return nil, err
	}
	switch c.Engine {
	case config.EnginePgBackRest:
		return backrest.New(c, server).Engine(), nil
	case config.EngineWALG:
		return walg.New(c, server).Engine(), nil
	}
	return nil, fault.New(fault.Config, fmt.Sprintf("pitr: %q is not an engine", c.Engine), "", nil)
}
