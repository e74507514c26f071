package beside

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Look is what there is to see of a copy.
type Look struct {
	Copy      *Copy          `json:"copy"`
	Seen      Seen           `json:"seen"`
	Psql      string         `json:"psql"` // as a person types it
	Databases []DatabaseLook `json:"databases"`
}

// DatabaseLook is one of its databases.
type DatabaseLook struct {
	Name    printable.Name `json:"name"`
	Bytes   int64          `json:"bytes"`
	Tables  []TableRows    `json:"tables,omitempty"` // of the database that was asked for
	Amcheck string         `json:"amcheck,omitempty"`

	Relations int `json:"relations,omitempty"` // of a drill: tables, indexes, views, sequences of people
}

// TableRows is a table with its rows, counted.
type TableRows struct {
	Schema printable.Name `json:"schema"`
	Name   printable.Name `json:"name"`
	Rows   int64          `json:"rows"`
}

// PsqlLine is how a person looks into a copy.
func (c *Copy) PsqlLine(database string) string {
	socket := printable.ShellWord(c.place().socket())
	return "sudo -u " + printable.ShellWord(c.User) + " psql -h " + socket + " -p " + port + " -d " +
		printable.ShellWord(database)
}

// LookOptions say how closely a copy is looked at.
type LookOptions struct {
	Database string // whose tables are counted; "": none
	Amcheck  bool   // also pg_amcheck of that database, or of all
}

// Look looks at a copy. Counting rows and checking takes as long as reading them does.
func (c *Copy) Look(ctx context.Context, o LookOptions) (Look, error) {
	seen, err := c.mustSee(ctx)
	look := Look{Copy: c, Seen: seen}
	if err != nil {
		return look, err
	}
	if look.Databases, err = c.databases(ctx); err != nil {
		return look, err
	}
	look.Psql = c.PsqlLine("postgres")
	found := o.Database == ""
	for i := range look.Databases {
		one := &look.Databases[i]
		if o.Database != "" && string(one.Name) != o.Database {
			continue
		}
		found = true
		if o.Database != "" {
			look.Psql = c.PsqlLine(o.Database)
			if one.Tables, err = c.rows(ctx, o.Database); err != nil {
				return look, err
			}
		}
		if o.Amcheck {
			if one.Amcheck, err = c.amcheck(ctx, string(one.Name), seen.InRecovery); err != nil {
				return look, err
			}
		}
	}
	if !found {
		return look, c.noDatabase(o.Database)
	}
	return look, nil
}

func (c *Copy) noDatabase(name string) error {
	return fault.New(fault.NotFound, fmt.Sprintf("pitr: copy %s has no database %.80q", c.ID, name),
		"`pgbtui cluster look "+c.ID+"` lists them.", nil)
}

// askJSON is a question whose answer is one value of JSON.
func askJSON(ctx context.Context, target postgres.Target, sql string, into any) error {
	session, err := postgres.Connect(ctx, target, 0)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close(ctx) }()
	answer, err := session.Ask(ctx, sql, time.Minute)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(answer), into)
}

func (c *Copy) databases(ctx context.Context) (all []DatabaseLook, err error) {
	err = askJSON(ctx, c.Database("template1"), `SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
		'name', datname, 'bytes', pg_catalog.pg_database_size(oid)) ORDER BY datname), '[]')
		FROM pg_catalog.pg_database WHERE datallowconn`, &all)
	return all, err
}

// tablesSQL are the tables that have rows of their own and are in WAL.
const tablesSQL = `SELECT coalesce(pg_catalog.json_agg(
		pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname)
	ORDER BY n.nspname, c.relname), '[]')
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
		AND d.objid = c.oid AND d.deptype = 'e')`

func (c *Copy) tables(ctx context.Context, database string) (tables []postgres.Table, err error) {
	err = askJSON(ctx, c.Database(database), tablesSQL, &tables)
	return tables, err
}

func (c *Copy) rows(ctx context.Context, database string) (rows []TableRows, err error) {
	tables, err := c.tables(ctx, database)
	if err != nil {
		return nil, err
	}
	session, err := postgres.Connect(ctx, c.Database(database), 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close(ctx) }()
	counts, err := session.RowCounts(ctx, tables)
	for _, table := range tables {
		rows = append(rows, TableRows{
			Schema: printable.Name(table.Schema), Name: printable.Name(table.Name), Rows: counts[table],
		})
	}
	return rows, err
}

// amcheck is what pg_amcheck finds in a database. A copy in recovery cannot be given the extension that it needs.
func (c *Copy) amcheck(ctx context.Context, database string, inRecovery bool) (string, error) {
	tools, err := postgres.FindTools(ctx, c.BinDir, c.Major)
	if err != nil {
		return "", err
	}
	if !tools.HasAmcheck() {
		return "not checked: there is no pg_amcheck", nil
	}
	if inRecovery {
		var there bool
		err := askJSON(ctx, c.Database(database),
			`SELECT pg_catalog.to_json(EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'amcheck'))`, &there)
		if err != nil {
			return "", err
		}
		if !there {
			return "not checked: the database has no extension amcheck, which a promoted copy can be given", nil
		}
	}
	if err := tools.Amcheck(ctx, c.Database(database)); err != nil {
		if fault.CodeOf(err) == fault.Integrity {
			return strings.TrimSpace(printable.OneLine(err.Error())), err
		}
		return "", err
	}
	return "good", nil
}

// Live is the live server, for the owner of its files. The role is named: root who has become that user would else be
// taken for root still.
func (c *Copy) Live(e *pitr.Engine) postgres.Target {
	return postgres.Target{Host: e.Server.Host, Port: e.Server.Port, User: c.User}
}
