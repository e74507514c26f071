package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/engines"
)

// `cluster`: servers that can be recovered to any second, by pgBackRest or WAL-G.

type clusterOptions struct {
	*streams
	env    *environment
	config func() (*config.Config, error)
	kind   string
	yes    bool
	record bool
}

func newClusterCommand(p *program) *cobra.Command {
	o := &clusterOptions{streams: p.streams, env: p.environment, config: p.config}
	cmd := &cobra.Command{
		Use: "cluster", Short: "Servers that can be recovered to any second, by pgBackRest or WAL-G", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usageText("cluster needs status, setup, backup, check, verify, drill, restore, copies, look, start, stop, " +
				"promote, extract, keep, discard or sweep")
		},
	}
	cmd.AddCommand(
		o.statusCommand(), o.setupCommand(), o.backupCommand(),
		o.command("check [CLUSTER]", "Try that WAL reaches the archive", clusterCheckHelp, runClusterCheck),
		o.command("verify [CLUSTER]", "Let the engine look whether the repository is whole",
			clusterVerifyHelp, runClusterVerify),
	)
	cmd.AddCommand(newClusterCopyCommands(p)...)
	return cmd
}

const clusterStatusHelp = `Show what can be recovered of the clusters in the configuration: from when to when any
second can be reached, and which gaps are between. It is computed from the repository's own listing and from the
archived WAL itself, never taken from a summary. What is committed and not archived yet would be lost with this
host, and is shown as well. The exit code is 3 when anything is wrong. Run it as root or as the owner of the
server's files; another user is shown what that owner's unit, postgres-pitr-status, has written down, with
its time.`

const clusterCheckHelp = `Write a segment of WAL and wait until it is in the archive. Only WAL is
written. This does not notice that an earlier segment is missing; pgbtui cluster status does.`

const clusterVerifyHelp = `Let pgBackRest read every file of the repository back and compare its checksum; WAL-G
has no such command, and looks whether every segment of WAL is listed. The exit code is 65 when anything is damaged or
missing; that of the engine itself would be 0. With pgBackRest this does not notice a missing segment of WAL; pgbtui
cluster status does.`

// command is one that takes the name of a cluster.
func (o *clusterOptions) command(
	use, short, long string, run func(context.Context, *clusterOptions, string) error,
) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: oneAtMost, ValidArgsFunction: o.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return run(cmd.Context(), o, name)
		},
	}
}

func oneAtMost(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return unknownWord(cmd, args[1])
	}
	return nil
}

func (o *clusterOptions) complete(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
	c, err := o.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, one := range c.Clusters {
		names = append(names, one.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (o *clusterOptions) statusCommand() *cobra.Command {
	cmd := o.command("status [CLUSTER]", "Show what can be recovered, what would be lost, and what is wrong",
		clusterStatusHelp, runClusterStatus)
	cmd.Flags().BoolVar(&o.record, "record", false,
		"write down what was found, for the watch, the metrics and the console, as the unit does; what is wrong with a "+
			"cluster is no failure then")
	return cmd
}

func (o *clusterOptions) backupCommand() *cobra.Command {
	cmd := o.command("backup [CLUSTER]", "Make a base backup",
		"Make a base backup of a cluster, while it is in use. What is not kept any more is deleted afterwards, with the\n"+
			"WAL that only it needed; with WAL-G only where keep.full of the cluster is set. Whether WAL-G makes a delta\n"+
			"for diff and incr is decided by its WALG_DELTA_MAX_STEPS.", runClusterBackup)
	cmd.Flags().StringVar(&o.kind, "type", string(config.DiffBackup),
		"`KIND`: full, diff (what changed since the last full one) or incr (since the last of any kind)")
	return cmd
}

// one opens the engine of a cluster.
func (o *clusterOptions) one(ctx context.Context, name string) (*pitr.Engine, error) {
	return openCluster(ctx, o.config, name)
}

func openCluster(
	ctx context.Context, read func() (*config.Config, error), name string,
) (*pitr.Engine, error) {
	c, err := read()
	if err != nil {
		return nil, err
	}
	cluster, err := c.Cluster(name)
	if err != nil {
		return nil, err
	}
	return engines.Open(ctx, cluster)
}

func runClusterBackup(ctx context.Context, o *clusterOptions, name string) error {
	kind := config.BackupKind(o.kind)
	if kind != config.FullBackup && kind != config.DiffBackup && kind != config.IncrBackup {
		return usageText(fmt.Sprintf("--type %q is not full, diff or incr", o.kind))
	}
	engine, err := o.one(ctx, name)
	if err != nil {
		return err
	}
	failing := false // from the error's line on it is said at the end
	onLine := func(line string) {
		if failing = failing || strings.HasPrefix(line, "ERROR: "); !failing && !o.json {
			o.notef("%s", line)
		}
	}
	made, err := engine.Backup(ctx, kind, onLine)
	if err != nil {
		return err
	}
	newest := baseBackupJSON(made)
	if o.json {
		return o.printJSON(jsonClusterBackup{Schema: jsonSchema, Cluster: engine.Cluster.Name, Backup: newest})
	}
	o.printf("cluster %s has the base backup %s, %s\n", engine.Cluster.Name, newest.Label, newest.Kind)
	return nil
}

func runClusterCheck(ctx context.Context, o *clusterOptions, name string) error {
	engine, err := o.one(ctx, name)
	if err != nil {
		return err
	}
	if err := engine.Check(ctx); err != nil {
		return err
	}
	if o.json {
		return o.printJSON(jsonClusterCheck{Schema: jsonSchema, Cluster: engine.Cluster.Name, OK: true})
	}
	o.printf("cluster %s: WAL reaches the archive\n", engine.Cluster.Name)
	return nil
}

func runClusterVerify(ctx context.Context, o *clusterOptions, name string) error {
	engine, err := o.one(ctx, name)
	if err != nil {
		return err
	}
	v, err := engine.Verify(ctx)
	if err != nil {
		return err
	}
	if o.json {
		err = o.printJSON(jsonClusterVerify{
			Schema: jsonSchema, Cluster: engine.Cluster.Name, OK: v.OK, Bad: append([]string{}, v.Bad...),
			Lines: append([]string{}, v.Lines...),
		})
	} else {
		for _, line := range v.Lines {
			o.printf("%s\n", line)
		}
	}
	if err == nil && !v.OK {
		return fault.New(fault.Integrity, "cluster "+engine.Cluster.Name+": files of the repository are damaged or missing",
			"Make a full backup now: `pgbtui cluster backup --type full`; keep what is there until it is done.", nil)
	}
	return err
}

type jsonClusterBackup struct {
	Schema  int            `json:"schema"`
	Cluster string         `json:"cluster"`
	Backup  jsonBaseBackup `json:"backup"`
}

type jsonClusterCheck struct {
	Schema  int    `json:"schema"`
	Cluster string `json:"cluster"`
	OK      bool   `json:"ok"`
}

type jsonClusterVerify struct {
	Schema  int      `json:"schema"`
	Cluster string   `json:"cluster"`
	OK      bool     `json:"ok"`
	Bad     []string `json:"bad"`
	Lines   []string `json:"lines"`
}
