// Command seed fills an empty database with believable data, see package seed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/test/seed"
)

func main() {
	var options seed.Options
	flag.Int64Var(&options.SizeBytes, "size", 64<<20, "size of the database in bytes")
	flag.Uint64Var(&options.Seed, "seed", 1, "another number, other rows")
	database := flag.String("dbname", "", "connection URI or keywords; default: the PG* environment")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := seed.Load(ctx, *database, options); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
