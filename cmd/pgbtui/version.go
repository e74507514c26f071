package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Both are set by the linker (-X main.release=…) in what scripts/release builds.
var (
	release  = "0.1.0-dev"
	revision = "" // the commit
)

func version() string { return release }

type jsonVersion struct {
	Schema   int    `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return runVersion(p.streams)
		},
	}
}

func runVersion(to *streams) error {
	v := jsonVersion{
		Schema: jsonSchema, Version: version(), Revision: builtFrom(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if to.json {
		return to.printJSON(v)
	}
	to.printf("pgbtui %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return nil
}

// builtFrom is the commit, as far as the linker or the compiler were told.
func builtFrom() string {
	if revision != "" {
		return revision
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return ""
}
