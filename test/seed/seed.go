// Package seed fills a database with believable data: a shop with customers, orders and an audit
// trail, and beside it whatever PostgreSQL can put into a dump: roles, grants, default
// privileges, row security, extensions, large objects, partitions, generated and identity
// columns, materialised views, cycles of foreign keys, odd names, settings.
//
// The same Options give the same data. Structure is in sql/, in the order in which it is run;
// the rows that make up the size are written here and go in by COPY.
package seed

import (
	"context"
	"embed"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

//go:embed sql/*.sql
var structure embed.FS

// Options of the data.
type Options struct {
	SizeBytes int64  // of the database with its indexes, within a fifth; at least some 20 MB arise
	Seed      uint64 // another number, other rows
}

// Roles are the roles that Load creates in the cluster, in an order in which they can be dropped
// once the seeded databases are gone.
func Roles() []string {
	return []string{"analyst_anna", "sales_app", "reporting", "auditor", "hr_admin", "sales_owner", `Odd "role"`}
}

// Load fills the empty database that connString (URI, keywords, or empty for libpq's environment)
// leads to. It needs a superuser, PostgreSQL 14 or later, and Debian's contrib extensions.
func Load(ctx context.Context, connString string, options Options) error {
	conn, err := pgx.Connect(ctx, connString)
	if err != nil {
		return fmt.Errorf("seed: connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, file := range []string{"10-roles", "20-tables", "30-odd"} {
		if err := run(ctx, conn, file); err != nil {
			return err
		}
	}
	for number, table := range tables(options.SizeBytes) {
		source := rand.New(rand.NewPCG(options.Seed, uint64(number)))
		if err := table.load(ctx, conn, source); err != nil {
			return err
		}
	}
	if err := loadLargeObjects(ctx, conn, options); err != nil {
		return err
	}
	for _, file := range []string{"50-small", "60-after"} {
		if err := run(ctx, conn, file); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, conn *pgx.Conn, name string) error {
	sql, err := structure.ReadFile("sql/" + name + ".sql")
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if _, err := conn.PgConn().Exec(ctx, string(sql)).ReadAll(); err != nil {
		return fmt.Errorf("seed: run %s.sql: %w", name, err)
	}
	return nil
}

// load streams the table's rows, written on one goroutine and sent on another.
func (t table) load(ctx context.Context, conn *pgx.Conn, source *rand.Rand) error {
	reader, writer := io.Pipe()
	var group errgroup.Group
	group.Go(func() error {
		err := t.write(writer, source)
		writer.CloseWithError(err)
		return err
	})
	_, err := conn.PgConn().CopyFrom(ctx, reader, "COPY "+t.target+" FROM STDIN")
	reader.CloseWithError(err)
	if written := group.Wait(); err == nil {
		err = written
	}
	if err != nil {
		return fmt.Errorf("seed: copy into %s: %w", t.target, err)
	}
	return nil
}

// loadLargeObjects stores documents of 8 KiB to 256 KiB, one per 8 MB of database, under fixed
// numbers, with owners, grants and comments on some.
func loadLargeObjects(ctx context.Context, conn *pgx.Conn, options Options) error {
	source := rand.New(rand.NewPCG(options.Seed, 1000))
	count := min(max(options.SizeBytes>>23, 6), 400)
	for i := range count {
		id := 700001 + i
		content := make([]byte, 0, 256<<10)
		for size := 8<<10 + source.IntN(248<<10); len(content) < size; {
			content = append(sentence(content, source, 12), '\n')
		}
		if _, err := conn.Exec(ctx, `WITH stored AS (SELECT lo_from_bytea($1, $2) AS id)
			INSERT INTO catalog.documents (product_id, title, content) SELECT 1 + $3::int % 300, $4, id FROM stored`,
			uint32(id), content, i, fmt.Sprintf("Manual %d", i)); err != nil {
			return fmt.Errorf("seed: store large object: %w", err)
		}
	}
	_, err := conn.PgConn().Exec(ctx, `ALTER LARGE OBJECT 700001 OWNER TO sales_owner;
		GRANT SELECT ON LARGE OBJECT 700002 TO reporting;
		COMMENT ON LARGE OBJECT 700003 IS 'a manual''s first edition';`).ReadAll()
	if err != nil {
		return fmt.Errorf("seed: large objects: %w", err)
	}
	return nil
}
