package main

import (
	"cmp"
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
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// `cluster restore` and what is done with a copy. Everything runs as the owner of the server's files: root becomes
// that user before the first program is started, and does not come back.

type clusterCopyOptions struct {
	*streams
	now    func() time.Time
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	copies string // folder of their records
	byUnit bool   // an operator without root asks the unit
}

// newClusterCopyCommands are the verbs of `cluster` that make copies beside the live one, and work on them.
func newClusterCopyCommands(p *program) []*cobra.Command {
	o := &clusterCopyOptions{streams: p.streams, now: p.now, env: p.environment, logs: p.logs, config: p.config}
	all := []*cobra.Command{
		newClusterRestoreCommand(o), newClusterCopiesCommand(o), newClusterLookCommand(o), newClusterExtractCommand(o),
		newClusterDrillCommand(p, o),
		newClusterKeepCommand(o), newClusterSweepCommand(o),
		o.simple(request.Cluster{Verb: request.Start}, "Run the server of a copy again, where it stood"),
		o.simple(request.Cluster{Verb: request.Stop}, "End the server of a copy, and leave its files"),
		o.simple(request.Cluster{Verb: request.Promote}, "End the recovery of a copy, so that it can be written to"),
		o.simple(request.Cluster{Verb: request.Discard}, "End a copy and remove all of it"),
	}
	for _, cmd := range all {
		cmd.Flags().StringVar(&o.copies, "copies", beside.DefaultDir, "`folder` of the copies' records and sockets")
		if name := cmd.Name(); name != "copies" && name != "sweep" {
			cmd.Flags().BoolVar(&o.byUnit, "by-unit", false,
				"let postgres-pitr@.service do it, for operators without root, and wait for it")
		}
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
func (o *clusterCopyOptions) engine(ctx context.Context, name string) (*pitr.Engine, error) {
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
func (o *clusterCopyOptions) simple(wish request.Cluster, short string) *cobra.Command {
	return &cobra.Command{
		Use: string(wish.Verb) + " COPY", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wish.Copy = args[0]
			return o.change(cmd.Context(), wish)
		},
	}
}

// change does something with a copy, here or by the unit.
func (o *clusterCopyOptions) change(ctx context.Context, wish request.Cluster) error {
	if o.byUnit {
		if _, err := o.ask(ctx, wish); err != nil {
			return err
		}
	} else if err := o.changeCopy(ctx, wish); err != nil {
		return err
	}
	if o.json {
		return o.printJSON(jsonClusterCopyDone{Schema: jsonSchema, Copy: wish.Copy, Done: string(wish.Verb)})
	}
	o.sayf("%s: done with copy %s\n", wish.Verb, wish.Copy)
	return nil
}

func (o *clusterCopyOptions) changeCopy(ctx context.Context, wish request.Cluster) error {
	c, err := o.find(wish.Copy)
	if err != nil {
		return err
	}
	switch wish.Verb {
	case request.Start:
		e, err := o.engine(ctx, c.Cluster)
		if err != nil {
			return err
		}
		return c.Start(ctx, e)
	case request.Stop:
		return c.Stop()
	case request.Promote:
		return c.Promote(ctx)
	case request.Keep:
		return c.Keep(cmp.Or(time.Duration(wish.KeepSeconds)*time.Second, beside.DefaultTTL))
	case request.Discard:
		return c.Discard()
	case request.RestoreBeside, request.CheckBeside, request.Look, request.Extract:
	}
	return usageText(fmt.Sprintf("%q changes no copy", wish.Verb))
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
	Running   *bool      `json:"running"` // null: this user may not see it
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
		ID: c.ID, Cluster: c.Cluster, Target: c.Target.String(), Phase: string(c.State()), Set: c.Set,
		Timeline: int64(c.Timeline), Folder: c.Data, MadeAt: c.Made, ExpiresAt: c.Expires, LSN: c.Reached.LSN.String(),
		Stopped: printable.Text(c.Reached.Log), Psql: c.PsqlLine("postgres"),
	}
	if c.Visible() {
		running := c.Running()
		one.Running = &running
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
		if c.Running != nil && !*c.Running {
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
