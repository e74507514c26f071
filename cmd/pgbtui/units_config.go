package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What the configuration says of timers that are about to be switched on. Installing must work before
// there is a configuration; one that is there and wrong is told rather than guessed at.

// drilledByHand are those of jobs whose drills are not for a timer. An image's configuration is the
// image's own; "" is this machine.
func (p *program) drilledByHand(image string, jobs []string) ([]string, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	c, err := p.configOf(image)
	if err != nil {
		if _, missing := os.Stat(p.configPath(image)); errors.Is(missing, fs.ErrNotExist) && p.configFile == "" {
			return nil, nil
		}
		return nil, fault.New(fault.CodeOf(err), "", fault.Remedy(err)+". Timers are switched on only by a configuration that can be read; without --enable units are installed all the same", err)
	}
	var byHand []string
	for _, name := range jobs {
		job, err := c.Job(name)
		if err != nil {
			return nil, err
		}
		if job.Drill.By == config.DrillByHand {
			byHand = append(byHand, name)
		}
	}
	return byHand, nil
}

func (p *program) configPath(image string) string {
	return cmp.Or(p.configFile, filepath.Join("/", image, config.DefaultFile))
}

func (p *program) configOf(image string) (*config.Config, error) {
	if image == "" || p.configFile != "" {
		return p.config()
	}
	return config.Load(config.Source{
		File: p.configPath(image), EnvFile: filepath.Join("/", image, config.DefaultEnvFile),
		Getenv: func(string) string { return "" }, Hostname: hostname(),
	})
}
