package main

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/test/seed"
)

// fill makes a database of about so many MB, with all its rows visible and on disk, so that the
// first reader has nothing to write that later ones have not.
func (r *rig) fill(ctx context.Context, database string, sizeMB int64) error {
	if err := r.sql(ctx, "postgres", "CREATE DATABASE "+pgx.Identifier{database}.Sanitize()+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := seed.Load(ctx, r.server.DSN(database), seed.Options{SizeBytes: sizeMB * 1000 * 1000, Seed: 1}); err != nil {
		return err
	}
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if err := r.sql(ctx, database, statement); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) sql(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, r.server.DSN(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

func (r *rig) sizeBytes(ctx context.Context, database string) (size int64, err error) {
	conn, err := pgx.Connect(ctx, r.server.DSN(database))
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size)
	return size, err
}

// rawBytes is how long the uncompressed archive is. Counting it also warms the caches.
func (r *rig) rawBytes(ctx context.Context, database string) (int64, error) {
	cmd := r.dump(ctx, database, "--compress=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, out)
	return n, errors.Join(cmd.Wait(), err)
}
