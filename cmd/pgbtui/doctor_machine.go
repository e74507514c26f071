package main

import (
	"context"
	"errors"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// thisMachine is what doctor looks at of this host, besides PostgreSQL and the store.
func (o *doctorOptions) thisMachine(ctx context.Context, c *config.Config) (doctor.Host, func()) {
	m := &doctor.Machine{Config: c, Now: o.env.now, Journal: readsJournal}
	m.Channels = func(job config.Job) (int, error) {
		channels, bad := alertChannels(o.env, c, job)
		return len(channels), errors.Join(bad...)
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		m.BusErr = err
		return m, func() {}
	}
	m.Bus = bus
	return m, func() { _ = bus.Close() }
}

// readsJournal says why this user cannot read the system's journal.
func readsJournal(ctx context.Context) error {
	reader, err := journal.Open(ctx, journal.Options{})
	if err != nil {
		return err
	}
	return reader.Close()
}
