package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// `cluster restore` and what is done with a copy. Everything runs as the owner of the server's files: root becomes
// that user before the first program is started, and does not come back.

type clusterCopyOptions struct {
	*streams
	now    func() time.Time
	config func() (*config.Config, error)
	copies string // folder of their records
}

// newClusterCopyCommands are the verbs of `cluster` that make copies beside the live one, and work on them.
func newClusterCopyCommands(p *program) []*cobra.Command {
	o := &clusterCopyOptions{streams: p.streams, now: p.now, config: p.config}
	all := []*cobra.Command{
		newClusterRestoreCommand(o), newClusterCopiesCommand(o), newClusterLookCommand(o), newClusterExtractCommand(o),
		newClusterDrillCommand(p, o),
		newClusterKeepCommand(o), newClusterSweepCommand(o),
		o.simple("start", "Run the server of a copy again, where it stood", func(ctx context.Context, c *beside.Copy) error {
			e, err := o.engine(ctx, c.Cluster)
			if err != nil {
				return err
			}
			return c.Start(ctx, e)
		}),
		o.simple("stop", "End the server of a copy, and leave its files",
			func(_ context.Context, c *beside.Copy) error { return c.Stop() }),
		o.simple("promote", "End the recovery of a copy, so that it can be written to",
			func(ctx context.Context, c *beside.Copy) error { return c.Promote(ctx) }),
		o.simple("discard", "End a copy and remove all of it",
			func(_ context.Context, c *beside.Copy) error { return c.Discard() }),
	}
	for _, cmd := range all {
		cmd.Flags().StringVar(&o.copies, "copies", beside.DefaultDir, "`folder` of the copies' records and sockets")
	}
	return all
}

// becomeOwner makes root the owner of a server's files, once and for all.
func becomeOwner(uid, gid uint32) error {
	if os.Geteuid() != 0 || uid == 0 {
		return nil
	}
	account, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return fmt.Errorf("look up the owner of the server's files: %w", err)
	}
	ids, err := account.GroupIds()
	if err != nil {
		return fmt.Errorf("look up the groups of %s: %w", account.Username, err)
	}
	var groups []int
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			groups = append(groups, n)
		}
	}
	if err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(int(gid)), syscall.Setuid(int(uid))); err != nil {
		return fmt.Errorf("become %s: %w", account.Username, err)
	}
	for name, value := range map[string]string{
		"HOME": account.HomeDir, "USER": account.Username, "LOGNAME": account.Username,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return os.Chdir("/")
}

// engine opens that of a cluster, as the owner of the server's files.
func (o *clusterCopyOptions) engine(ctx context.Context, name string) (*pitr.PgBackRest, error) {
	e, err := openCluster(ctx, o.config, name)
	if err != nil {
		return nil, err
	}
	if err := beside.MakeDir(e, o.copies); err != nil {
		return nil, err
	}
	return e, becomeOwner(e.Server.UID, e.Server.GID)
}

// find is a copy, for its owner.
func (o *clusterCopyOptions) find(id string) (*beside.Copy, error) {
	c, err := beside.Find(o.copies, id)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(filepath.Join(o.copies, c.ID))
	if err != nil {
		return nil, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if os.Geteuid() != 0 && os.Geteuid() != int(stat.Uid) {
			return nil, fault.New(fault.NotPermitted, "cluster: copy "+c.ID+" is another user's",
				"Run it as root or as the owner of the server's files: `sudo pgbtui cluster copies`.", nil)
		}
		return c, becomeOwner(stat.Uid, stat.Gid)
	}
	return c, nil
}

// simple is a verb that needs a copy and nothing else.
func (o *clusterCopyOptions) simple(verb, short string, run func(context.Context, *beside.Copy) error) *cobra.Command {
	return &cobra.Command{
		Use: verb + " COPY", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.find(args[0])
			if err != nil {
				return err
			}
			if err := run(cmd.Context(), c); err != nil {
				return err
			}
			if o.json {
				return o.printJSON(jsonClusterCopyDone{Schema: jsonSchema, Copy: c.ID, Done: verb})
			}
			o.sayf("%s: done with copy %s\n", verb, c.ID)
			return nil
		},
	}
}

type jsonClusterCopyDone struct {
	Schema int    `json:"schema"`
	Copy   string `json:"copy"`
	Done   string `json:"done"`
}

type jsonClusterCopy struct {
	ID        string     `json:"id"`
	Cluster   string     `json:"cluster"`
	Target    string     `json:"target"`
	Phase     string     `json:"phase"`
	Running   bool       `json:"running"`
	Set       string     `json:"set"`
	Timeline  int64      `json:"timeline"`
	Folder    string     `json:"folder"`
	MadeAt    time.Time  `json:"madeAt"`
	ExpiresAt time.Time  `json:"expiresAt"`
	Commit    *time.Time `json:"lastCommitAt,omitempty"`
	LSN       string     `json:"lsn"`
	Stopped   string     `json:"stopped,omitempty"`
	Psql      string     `json:"psql"`
}

func clusterCopyJSON(c *beside.Copy) jsonClusterCopy {
	one := jsonClusterCopy{
		ID: c.ID, Cluster: c.Cluster, Target: c.Target.String(), Phase: string(c.State()), Running: c.Running(),
		Set:      c.Set,
		Timeline: int64(c.Timeline), Folder: c.Data, MadeAt: c.Made, ExpiresAt: c.Expires, LSN: c.Reached.LSN.String(),
		Stopped: printable.Text(c.Reached.Log), Psql: c.PsqlLine("postgres"),
	}
	if !c.Reached.Commit.IsZero() {
		one.Commit = &c.Reached.Commit
	}
	return one
}

type jsonClusterCopies struct {
	Schema   int               `json:"schema"`
	Copies   []jsonClusterCopy `json:"copies"`
	Problems []string          `json:"problems,omitempty"`
}

func newClusterCopiesCommand(o *clusterCopyOptions) *cobra.Command {
	return &cobra.Command{
		Use: "copies", Short: "List the copies beside the live clusters", Args: noArgs,
		Long: `List the copies that cluster restore has made, how far each has come, and until when it stays.`,
		RunE: func(*cobra.Command, []string) error {
			copies, problems := beside.Copies(o.copies)
			list := jsonClusterCopies{Schema: jsonSchema, Copies: []jsonClusterCopy{}}
			for _, c := range copies {
				list.Copies = append(list.Copies, clusterCopyJSON(c))
			}
			for _, problem := range problems {
				list.Problems = append(list.Problems, printable.Text(problem.Error()))
			}
			if o.json {
				return o.printJSON(list)
			}
			o.sayCopies(list)
			return errors.Join(problems...)
		},
	}
}

func (o *clusterCopyOptions) sayCopies(list jsonClusterCopies) {
	if len(list.Copies) == 0 && len(list.Problems) == 0 {
		o.sayf("no copies\n")
	}
	for _, c := range list.Copies {
		state := c.Phase
		if !c.Running {
			state += ", not running"
		}
		left := c.ExpiresAt.Sub(o.now())
		end := "stays " + readable.Age(left) + " more"
		if left <= 0 {
			end = "its time is over"
		}
		o.sayf("%s  %s as of %s: %s; made %s ago, %s\n", c.ID, c.Cluster, printable.Text(c.Target), state,
			readable.Age(o.now().Sub(c.MadeAt)), end)
		if c.Commit != nil {
			o.sayf("  last transaction in it: %s\n", c.Commit.Format(time.RFC3339Nano))
		}
	}
}
