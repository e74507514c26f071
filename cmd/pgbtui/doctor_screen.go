package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
)

// screenDoctor is the verb for the console's screen: the same checks, and the same file for a ticket.
type screenDoctor struct {
	env    *environment
	config *config.Config
}

func (s *screenDoctor) options() *doctorOptions {
	return &doctorOptions{
		streams: &streams{out: io.Discard, err: io.Discard}, env: s.env, stores: &stores{env: s.env},
		config: func() (*config.Config, error) { return s.config, nil },
	}
}

// examine looks at every job.
func (s *screenDoctor) examine(ctx context.Context, only string, inUnit bool) ([]doctor.Report, error) {
	o := s.options()
	defer o.stores.close()
	o.only, o.noUnit = only, !inUnit
	out, err := o.look(ctx, s.config, s.config.All())
	return out.Reports, err
}

// write puts the file where whoever runs the console finds it.
func (s *screenDoctor) write(reports []doctor.Report) (string, error) {
	o := s.options()
	defer o.stores.close()
	dir, err := os.UserHomeDir()
	if err != nil {
		dir = os.TempDir()
	}
	file := filepath.Join(dir, "pgbtui-doctor-"+s.env.now().UTC().Format("20060102T150405Z")+".txt")
	jobs := s.config.All()
	out := jsonDoctor{Schema: jsonSchema, BugsOf: doctor.BugsAsOf, Reports: reports}
	return file, writeReport(file, s.config, jobs, out, o.secrets(s.config, jobs))
}
