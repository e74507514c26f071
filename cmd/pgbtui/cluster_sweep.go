package main

import (
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// How long copies of clusters stay.

func newClusterKeepCommand(o *clusterCopyOptions) *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use: "keep COPY", Short: "Give a copy more time, from now on", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ttl < time.Hour || ttl > 365*24*time.Hour {
				return usageText("--for is from 1h to a year")
			}
			return o.change(cmd.Context(), request.Cluster{
				Verb: request.Keep, Copy: args[0], KeepSeconds: int64(ttl.Seconds()),
			})
		},
	}
	cmd.Flags().DurationVar(&ttl, "for", beside.DefaultTTL, "how `long`, such as 48h")
	return cmd
}

type jsonClusterSweep struct {
	Schema  int               `json:"schema"`
	Removed []string          `json:"removed"`
	Soon    []jsonClusterCopy `json:"soon"`
}

func newClusterSweepCommand(o *clusterCopyOptions) *cobra.Command {
	return &cobra.Command{
		Use: "sweep", Short: "Remove copies whose time is over, and what killed restores left", Args: noArgs,
		Long: `Remove the copies whose time is over and what killed restores have left. The end of a copy is told a day
before, with exit code 3; a copy of which that was never told is not removed before a day has passed.`,
		RunE: func(*cobra.Command, []string) error { return o.sweep() },
	}
}

func (o *clusterCopyOptions) sweep() error {
	if err := o.becomeOwnerOfCopies(); err != nil {
		return err
	}
	swept, err := beside.Sweep(o.copies, o.now())
	if err != nil {
		return err
	}
	removed := append([]string{}, swept.Removed...)
	document := jsonClusterSweep{Schema: jsonSchema, Removed: removed, Soon: []jsonClusterCopy{}}
	for _, c := range swept.Warned {
		document.Soon = append(document.Soon, clusterCopyJSON(c))
	}
	if o.json {
		err = o.printJSON(document)
	} else {
		o.saySwept(document)
	}
	if err == nil && len(document.Soon) > 0 {
		return exitWith(fault.Warnings)
	}
	return err
}

// becomeOwnerOfCopies makes root whoever the folder of copies belongs to. Where there is none, there are no copies.
func (o *clusterCopyOptions) becomeOwnerOfCopies() error {
	info, err := os.Stat(o.copies)
	if err != nil {
		return nil //nolint:nilerr // the sweep finds nothing
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return becomeOwner(stat.Uid, stat.Gid)
}

func (o *clusterCopyOptions) saySwept(swept jsonClusterSweep) {
	for _, id := range swept.Removed {
		o.sayf("removed copy %s\n", id)
	}
	for _, c := range swept.Soon {
		o.sayf("copy %s of %s will be removed at %s; `pgbtui cluster keep %s` gives it more time\n", c.ID, c.Cluster,
			c.ExpiresAt.Format(time.RFC3339), c.ID)
	}
}
