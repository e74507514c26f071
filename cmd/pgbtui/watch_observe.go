package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// observer is what status and the watch look with: the bucket, and systemd where bus is not nil.
func observer(env *environment, stores client, bus *systemd.Bus, busErr error) watch.Observer {
	o := watch.Observer{
		HostErr:   busErr,
		StateDirs: []string{env.getenv("STATE_DIRECTORY"), dump.DefaultStateDir},
		Sets:      stores.setsOf,
	}
	if bus != nil {
		o.Host = bus
		o.Ends = lastEnds
	}
	return o
}

// ownUnits connects to systemd if this host has our units, and they are this configuration's business;
// else it is nil, for whatever reason: the bucket can be judged without.
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
