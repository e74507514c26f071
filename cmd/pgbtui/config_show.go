package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// `config show`: every setting as it holds here, and where it was written. No secret is shown.

type jsonSettings struct {
	Schema int               `json:"schema"`
	File   string            `json:"file"`
	Files  []string          `json:"jobFiles"` // of conf.d
	Jobs   []jsonJobSettings `json:"jobs"`
}

type jsonJobSettings struct {
	Name     string        `json:"name"`
	Settings []jsonSetting `json:"settings"`
}

type jsonSetting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	From   string `json:"from"`
	Secret bool   `json:"secret"`
}

type configShowOptions struct {
	*streams
	config func() (*config.Config, error)
	job    string
	set    bool // without the defaults
	wide   bool
}

func newConfigShowCommand(p *program) *cobra.Command {
	o := &configShowOptions{streams: p.streams, config: p.config}
	cmd := &cobra.Command{
		Use: "show", Short: "Show every setting, and where it comes from", Args: noArgs,
		Long: `Show every setting of every job as whoever calls this gets it, and where it comes from: a line of the file, a
variable of the environment or of the units' environment file, or nowhere, which is the default. Secrets are not shown.
Variables of this shell that override what the units use are listed besides, as by every verb.`,
		RunE: func(*cobra.Command, []string) error { return runConfigShow(o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "only the settings of this `job`")
	wideFlag(cmd, &o.wide)
	cmd.Flags().BoolVar(&o.set, "set", false, "only what somebody has set, without the defaults")
	return cmd
}

func runConfigShow(o *configShowOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := c.Named(o.job)
	if err != nil {
		return err
	}
	out := jsonSettings{
		Schema: jsonSchema, File: c.File, Files: append([]string{}, c.JobFiles...), Jobs: []jsonJobSettings{},
	}
	for _, job := range jobs {
		one := jsonJobSettings{Name: job.Name, Settings: []jsonSetting{}}
		for _, s := range c.Settings(job) {
			if o.set && strings.HasPrefix(s.From, config.FromDefault) {
				continue
			}
			one.Settings = append(one.Settings, jsonSetting{
				Key: s.Key, Value: s.Value, From: s.From, Secret: s.Secret,
			})
		}
		out.Jobs = append(out.Jobs, one)
	}
	return printSettings(o.streams, out, o.wide)
}

func printSettings(to *streams, out jsonSettings, wide bool) error {
	if to.json {
		return to.printJSON(out)
	}
	printFiles(to, out.File, out.Files)
	for _, job := range out.Jobs {
		title := "job " + printable.Text(job.Name)
		if job.Name == "" {
			title = "no job is configured; a job without a section of its own would have"
		}
		to.printf("\n%s\n", title)
		all := table{folds: true}
		for _, s := range job.Settings {
			all.rows = append(all.rows, []string{"  " + s.Key, cmp.Or(printable.Text(s.Value), "-"), printable.Text(s.From)})
		}
		columns := to.columns(wide)
		// where it comes from goes behind its value
		if columns > 0 && len(all.rows) > 0 && before(widthsOf(all.rows))+leastText > columns {
			for i, row := range all.rows {
				all.rows[i] = []string{row[0], row[1] + " (" + row[2] + ")"}
			}
		}
		if err := all.write(to.text(), columns); err != nil {
			return err
		}
	}
	return nil
}

// printFiles says what the configuration was read from.
func printFiles(to *streams, file string, jobFiles []string) {
	if file != "" || len(jobFiles) == 0 {
		to.printf("file: %s\n", cmp.Or(printable.Text(file), noFile))
	}
	for _, beside := range jobFiles {
		to.printf("file: %s\n", printable.Text(beside))
	}
}

const noFile = "none (environment only)"
