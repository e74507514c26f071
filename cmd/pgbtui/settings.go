package main

import (
	"cmp"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// settings reads the configuration for verbs.
type settings struct {
	env   *environment
	notes io.Writer // where overrides are reported
	noted bool      // they were
	from  string    // the copy that a verb works at; "": the main places
}

// config reads the configuration, and reports once what this shell overrides of what the units use.
func (s *settings) config() (*config.Config, error) {
	c, err := s.readConfig()
	if err == nil && !s.noted && !s.env.inUnit() {
		for _, o := range c.Overrides() {
			_, _ = io.WriteString(s.notes, "note: "+printable.Text(o.String())+"\n")
		}
		s.noted = true
	}
	if err != nil {
		return nil, err
	}
	return c.From(s.from)
}

// readConfig reads it without a word.
func (s *settings) readConfig() (*config.Config, error) {
	if err := s.env.adoptEnvironment(config.DefaultEnvFile); err != nil {
		return nil, err
	}
	return config.Load(config.Source{
		File:     cmp.Or(s.env.configFile, config.DefaultFile),
		Explicit: s.env.configFile != "",
		EnvFile:  config.DefaultEnvFile,
		Getenv:   s.env.getenv,
		Hostname: hostname(),
	})
}
