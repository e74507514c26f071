package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// prober is what status and the watch take their snapshot with: the bucket, and systemd where bus is not nil.
func prober(env *environment, stores client, bus *systemd.Bus, busErr error) watch.Prober {
	w := watch.Prober{
		HostErr:   busErr,
		StateDirs: []string{env.getenv("STATE_DIRECTORY"), dump.DefaultStateDir},
		Sets:      stores.setsOf,
		Copies:    stores.copiesOfJob,
		Clusters:  func() ([]record.Cluster, error) { return record.Read(env.readRecords()) },
		Now:       env.now(),
	}
	if bus != nil {
		w.Host = bus
		w.History = runHistory
	}
	return w
}

// ownUnits connects to systemd if this host has our units and this configuration backs up. Else it is nil, for whatever
// reason: the bucket can be judged without.
func ownUnits(ctx context.Context, c *config.Config) *systemd.Bus {
	if c.ReadOnly {
		return nil
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return nil
	}
	if u, err := bus.Unit(ctx, systemd.BackupService("")); err != nil || u.LoadState != "loaded" {
		_ = bus.Close()
		return nil
	}
	return bus
}
