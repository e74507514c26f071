package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// Looking into a copy of a cluster, and bringing something of it into the live one.

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
			if o.byUnit {
				return o.lookByUnit(cmd.Context(), args[0], options)
			}
			c, err := o.find(args[0])
			if err != nil {
				return err
			}
			look, err := c.Look(cmd.Context(), options)
			if err != nil {
				return err
			}
			return o.printLook(look, clusterCopyJSON(c))
		},
	}
	cmd.Flags().StringVar(&options.Database, "database", "", "count the rows of this `database`'s tables")
	cmd.Flags().BoolVar(&options.Amcheck, "amcheck", false, "run pg_amcheck, on that database or on all")
	return cmd
}

func (o *clusterCopyOptions) printLook(look beside.Look, of jsonClusterCopy) error {
	document := jsonClusterLook{Schema: jsonSchema, Copy: of, InRecovery: look.Seen.InRecovery}
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
	var done beside.Extracted
	var err error
	if o.byUnit {
		done, err = o.extractByUnit(ctx, id, x)
	} else {
		done, err = o.extractHere(ctx, id, x)
	}
	if err != nil {
		return err
	}
	return o.printExtracted(done)
}

func (o *clusterCopyOptions) extractHere(
	ctx context.Context, id string, x beside.Extract,
) (done beside.Extracted, err error) {
	c, err := beside.Find(o.copies, id)
	if err != nil {
		return done, err
	}
	e, err := o.engine(ctx, c.Cluster)
	if err != nil {
		return done, err
	}
	if c, err = o.find(id); err != nil {
		return done, err
	}
	x.Live = c.Live(e)
	return c.Extract(ctx, x)
}

func (o *clusterCopyOptions) printExtracted(done beside.Extracted) error {
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
