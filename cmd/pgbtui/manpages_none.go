//go:build !manpages

package main

import "github.com/spf13/cobra"

// releaseVerbs: none in the program that people install, see manpages.go.
func releaseVerbs() []*cobra.Command { return nil }
