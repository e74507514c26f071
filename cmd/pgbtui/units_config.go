package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What the configuration says of timers that are about to be switched on. Installing must work before
// there is a configuration; one that is there and wrong is told rather than guessed at.

// unitsConfig is the configuration as installing reads it.
type unitsConfig struct {
	env    *environment
	config func() (*config.Config, error)
}

// jobs are those of these names; none where nothing is configured yet. An image's configuration is the image's own; ""
// is this machine.
func (u unitsConfig) jobs(image string, names []string) (map[string]config.Job, error) {
	if len(names) == 0 {
		return nil, nil
	}
	c, err := u.of(image)
	if err != nil {
		if _, missing := os.Stat(u.path(image)); errors.Is(missing, fs.ErrNotExist) && u.env.configFile == "" {
			return nil, nil
		}
		remedy := strings.TrimSuffix(fault.Remedy(err), ".") + ". Timers are switched on only by a configuration that " +
			"can be read; without --enable the units are still installed."
		return nil, fault.New(fault.CodeOf(err), "", remedy, err)
	}
	jobs := map[string]config.Job{}
	for _, name := range names {
		job, err := c.Job(name)
		if err != nil {
			return nil, err
		}
		jobs[name] = job
	}
	return jobs, nil
}

// clusters reports whether the configuration, which could be read, has any.
func (u unitsConfig) clusters(image string) bool {
	c, err := u.of(image)
	return err == nil && len(c.Clusters) > 0
}

func (u unitsConfig) path(image string) string {
	return cmp.Or(u.env.configFile, filepath.Join("/", image, config.DefaultFile))
}

func (u unitsConfig) of(image string) (*config.Config, error) {
	if image == "" || u.env.configFile != "" {
		return u.config()
	}
	return config.Load(config.Source{
		File: u.path(image), EnvFile: filepath.Join("/", image, config.DefaultEnvFile),
		Getenv: func(string) string { return "" }, Hostname: hostname(),
	})
}
