package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
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
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	cluster, err := c.Cluster(name)
	if err != nil {
		return nil, err
	}
	e, err := pitr.Open(ctx, cluster)
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

type jsonClusterLook struct {
	Schema     int                   `json:"schema"`
	Copy       jsonClusterCopy       `json:"copy"`
	InRecovery bool                  `json:"inRecovery"`
	Databases  []jsonClusterDatabase `json:"databases"`
}

type jsonClusterDatabase struct {
	Name      string            `json:"name"`
	SizeBytes int64             `json:"sizeBytes"`
	Tables    []jsonClusterRows `json:"tables,omitempty"`
	Amcheck   string            `json:"amcheck,omitempty"`
}

type jsonClusterRows struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
}

func newClusterLookCommand(o *clusterCopyOptions) *cobra.Command {
	var options beside.LookOptions
	cmd := &cobra.Command{
		Use: "look COPY", Short: "Show what is in a copy, and how to look into it", Args: cobra.ExactArgs(1),
		Long: `Show the databases of a copy and the psql line that opens it. With --database the rows of its tables are
counted, and with --amcheck pg_amcheck reads every table and index. A copy in recovery can only be checked where its
database has the extension amcheck already; a promoted one is given it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.find(args[0])
			if err != nil {
				return err
			}
			look, err := c.Look(cmd.Context(), options)
			if err != nil {
				return err
			}
			return o.printLook(look)
		},
	}
	cmd.Flags().StringVar(&options.Database, "database", "", "count the rows of this `database`'s tables")
	cmd.Flags().BoolVar(&options.Amcheck, "amcheck", false, "run pg_amcheck, on that database or on all")
	return cmd
}

func (o *clusterCopyOptions) printLook(look beside.Look) error {
	document := jsonClusterLook{Schema: jsonSchema, Copy: clusterCopyJSON(look.Copy), InRecovery: look.Seen.InRecovery}
	document.Copy.Psql = look.Psql
	for _, d := range look.Databases {
		one := jsonClusterDatabase{Name: d.Name.String(), SizeBytes: d.Bytes, Amcheck: d.Amcheck}
		for _, table := range d.Tables {
			one.Tables = append(one.Tables,
				jsonClusterRows{Schema: table.Schema.String(), Name: table.Name.String(), Rows: table.Rows})
		}
		document.Databases = append(document.Databases, one)
	}
	if o.json {
		return o.printJSON(document)
	}
	o.sayf("%s\n", look.Psql)
	for _, d := range document.Databases {
		o.sayf("%s  %s", d.Name, readable.Size(d.SizeBytes))
		if d.Amcheck != "" {
			o.sayf("  pg_amcheck: %s", d.Amcheck)
		}
		o.sayf("\n")
		for _, table := range d.Tables {
			o.sayf("  %s.%s  %d rows\n", table.Schema, table.Name, table.Rows)
		}
	}
	return nil
}

type jsonClusterExtract struct {
	Schema   int      `json:"schema"`
	Copy     string   `json:"copy"`
	Database string   `json:"database"`
	Table    string   `json:"table,omitempty"`
	Into     string   `json:"into"`
	Tables   int      `json:"tables"`
	Rows     int64    `json:"rows"`
	Problems []string `json:"problems,omitempty"`
}

func newClusterExtractCommand(o *clusterCopyOptions) *cobra.Command {
	var database, table, into, confirm string
	cmd := &cobra.Command{
		Use:   "extract COPY --database DB [--table SCHEMA.TABLE] --into DB",
		Short: "Bring a database or a table of a copy into the live server",
		Long: `Dump a database of a copy and restore it into a new database of the live server; or, with --table, one table
into an existing database that has none of that name. The table comes with its rows, indexes, constraints, triggers,
owner and grants, or not at all. Foreign keys of other tables that pointed to it do not come. Nothing that exists is
changed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			x := beside.Extract{Database: database, Into: into, Tell: func(line string) { o.notef("%s", line) }}
			if database == "" || into == "" {
				return usageText("extract needs --database and --into")
			}
			if table != "" {
				schema, name, ok := strings.Cut(table, ".")
				if !ok || schema == "" || name == "" {
					return usageText("--table is SCHEMA.TABLE, as in public.orders, without quotes")
				}
				x.Table = postgres.Table{Schema: schema, Name: name}
			}
			if (table != "") != (confirm != "") || confirm != "" && confirm != into {
				return usageText("--confirm repeats the name of the live database that a table goes into; " +
					"a new database needs none")
			}
			return o.extract(cmd.Context(), args[0], x)
		},
	}
	cmd.Flags().StringVar(&database, "database", "", "the copy's `database`")
	cmd.Flags().StringVar(&table, "table", "", "only this `table`, with its schema")
	cmd.Flags().StringVar(&into, "into", "", "new `database` of the live server; with --table an existing one")
	cmd.Flags().StringVar(&confirm, "confirm", "", "with --table: the live `database`'s name once more")
	return cmd
}

func (o *clusterCopyOptions) extract(ctx context.Context, id string, x beside.Extract) error {
	c, err := beside.Find(o.copies, id)
	if err != nil {
		return err
	}
	e, err := o.engine(ctx, c.Cluster)
	if err != nil {
		return err
	}
	if c, err = o.find(id); err != nil {
		return err
	}
	x.Live = c.Live(e)
	done, err := c.Extract(ctx, x)
	if err != nil {
		return err
	}
	for i, problem := range done.Problems {
		done.Problems[i] = printable.Text(problem)
	}
	if o.json {
		return o.printJSON(jsonClusterExtract{
			Schema: jsonSchema, Copy: done.Copy, Database: printable.Text(done.Database), Table: printable.Text(done.Table),
			Into: printable.Text(done.Into), Tables: done.Tables, Rows: done.Rows, Problems: done.Problems,
		})
	}
	o.sayf("%d tables with %d rows are in database %s now\n", done.Tables, done.Rows, printable.Text(done.Into))
	for _, problem := range done.Problems {
		o.sayf("  refused by the live server: %s\n", problem)
	}
	if len(done.Problems) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

func newClusterKeepCommand(o *clusterCopyOptions) *cobra.Command {
	var ttl time.Duration
	cmd := o.simple("keep", "Give a copy more time, from now on",
		func(_ context.Context, c *beside.Copy) error { return c.Keep(ttl) })
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
		RunE: func(*cobra.Command, []string) error {
			if info, err := os.Stat(o.copies); err == nil {
				if stat, ok := info.Sys().(*syscall.Stat_t); ok {
					if err := becomeOwner(stat.Uid, stat.Gid); err != nil {
						return err
					}
				}
			}
			swept, err := beside.Sweep(o.copies, o.now())
			if err != nil {
				return err
			}
			document := jsonClusterSweep{Schema: jsonSchema, Removed: append([]string{}, swept.Removed...), Soon: []jsonClusterCopy{}}
			for _, c := range swept.Warned {
				document.Soon = append(document.Soon, clusterCopyJSON(c))
			}
			if o.json {
				if err := o.printJSON(document); err != nil {
					return err
				}
			} else {
				o.saySwept(document)
			}
			if len(document.Soon) > 0 {
				return exitWith(fault.Warnings)
			}
			return nil
		},
	}
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
