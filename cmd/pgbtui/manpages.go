//go:build manpages

package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// releaseVerbs are for building a release alone: the program that people install has no use for
// them, nor for the libraries behind them.
func (p *program) releaseVerbs() []*cobra.Command {
	return []*cobra.Command{{
		Use: "manpages DIRECTORY", Hidden: true, Args: exactly(1, "a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Source: "pgbtui " + version(), Manual: "pgbtui"}, args[0])
		},
	}}
}
