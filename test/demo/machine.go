package main

import (
	"context"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// The machine: a database host as an administrator would set it up.

const (
	storeUnit = "store.service"
	operator  = "ops"
)

// storeService is our S3 server as a service of the machine.
const storeService = `[Unit]
Description=S3 store of the demo

[Service]
ExecStart=/usr/local/bin/s3server --dir=/var/lib/store --listen=127.0.0.1:9000 --bucket=backups --access-key=demo --secret-key=demo-secret-key
DynamicUser=yes
StateDirectory=store
`

// configuration is what an administrator of three databases writes.
const configuration = `label: production
s3:
  bucket: backups
  region: us-east-1
  endpoint: http://127.0.0.1:9000
  path_style: true
  credentials_file: /etc/pgbtui/s3-credentials
keep:
  days: 30
  min_good: 3
jobs:
  production: {}
  analytics: {}
  crm: {}
`

const credentials = "[default]\naws_access_key_id = demo\naws_secret_access_key = demo-secret-key\n"

// grantLargeObjects is the remedy that `config check` names: pg_read_all_data does not cover them.
const grantLargeObjects = `DO $$
DECLARE
    object oid;
BEGIN
    FOR object IN SELECT oid FROM pg_largeobject_metadata LOOP
        EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO pgbtui', object);
    END LOOP;
END
$$`

func (d *demo) boot(ctx context.Context) (string, error) {
	machine, err := lab.Boot(ctx, lab.Options{Hostname: "db1"})
	if err != nil {
		return "", err
	}
	d.machine = machine
	for _, program := range []string{"pgbtui", "s3server", "seed"} {
		if err := machine.Copy(filepath.Join(d.programs, program), "/usr/local/bin/"+program, 0o755); err != nil {
			return "", err
		}
	}
	systemd, err := machine.Output(ctx, "root", "systemctl", "--version")
	if err != nil {
		return "", err
	}
	version, err := machine.SQL(ctx, "postgres", "SHOW server_version")
	name, _, _ := strings.Cut(systemd, " (")
	version, _, _ = strings.Cut(version, " (")
	return name + ", PostgreSQL " + version, err
}

func (d *demo) startStore(ctx context.Context) (string, error) {
	if err := d.machine.WriteFile("/etc/systemd/system/"+storeUnit, storeService, 0o644); err != nil {
		return "", err
	}
	if _, err := d.machine.Output(ctx, "root", "systemctl", "start", storeUnit); err != nil {
		return "", err
	}
	return "http://127.0.0.1:9000", nil
}

// install is what the README tells an administrator to do, and an operator without root.
func (d *demo) install(ctx context.Context) (string, error) {
	if _, err := d.machine.Output(ctx, "root", "pgbtui", "units", "install", "--database-role"); err != nil {
		return "", err
	}
	for _, database := range databases {
		if _, err := d.machine.SQL(ctx, database, grantLargeObjects); err != nil {
			return "", err
		}
	}
	for name, content := range map[string]string{"config.yaml": configuration, "s3-credentials": credentials} {
		file := "/etc/pgbtui/" + name
		if err := d.machine.WriteFile(file, content, 0o640); err != nil {
			return "", err
		}
		if _, err := d.machine.Output(ctx, "root", "chgrp", "pgbtui", file); err != nil {
			return "", err
		}
	}
	// The backups' own user reaches both ends with that: the databases by peer login, the bucket.
	if _, err := d.machine.Output(ctx, "pgbtui", "pgbtui", "config", "check"); err != nil {
		return "", err
	}
	return "operator " + operator + ", without root", d.machine.AddUser(ctx, operator, "pgbtui", "systemd-journal")
}
