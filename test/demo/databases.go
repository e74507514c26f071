package main

import (
	"context"
	"fmt"
	"strings"
)

// The databases: one as large as -size says, which the report restores and compares, and two small ones.

const (
	database  = "production"
	analytics = "analytics"
	crm       = "crm" // the one that gets into trouble
)

// databases in the order in which the configuration has their jobs.
var databases = []string{database, analytics, crm}

func (d *demo) createDatabases(ctx context.Context) (string, error) {
	sizes := map[string]int64{database: d.sizeBytes, analytics: 40 << 20, crm: 20 << 20}
	var created []string
	for number, name := range databases {
		if _, err := d.machine.SQL(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
			return "", err
		}
		if _, err := d.machine.Output(ctx, "postgres", "env", "PGDATABASE="+name, "PGHOST=/run/postgresql",
			"seed", fmt.Sprintf("-size=%d", sizes[name]), fmt.Sprintf("-seed=%d", number+1)); err != nil {
			return "", err
		}
		size, err := d.machine.SQL(ctx, name, "SELECT pg_size_pretty(pg_database_size(current_database()))")
		if err != nil {
			return "", err
		}
		created = append(created, name+" "+size)
	}
	return strings.Join(created, ", "), nil
}

// loseTables is what goes wrong in the demo: somebody creates crm anew, as a migration that was
// meant for another server does.
func (d *demo) loseTables(ctx context.Context) (string, error) {
	for _, statement := range []string{"DROP DATABASE " + crm, "CREATE DATABASE " + crm + " TEMPLATE template0"} {
		if _, err := d.machine.SQL(ctx, "postgres", statement); err != nil {
			return "", err
		}
	}
	return "0 tables", nil
}
