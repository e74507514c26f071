package integration

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Programs take names in the bytes of the database.
func TestNamesOfADatabaseInAnotherEncodingAreLeftOutAndBackedUpAsTenants(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database + "_latin1"
	w.pg.Exec(t, "postgres", "CREATE DATABASE "+db+" TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
	t.Cleanup(func() { w.pg.DropDatabase(t, db) })
	w.job.Database = db
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+db+" SET client_encoding = 'UTF8'") // also psql's, which makes these
	w.pg.Exec(t, db, `CREATE TABLE "größe" AS SELECT 1 AS a; CREATE TABLE "Größe 2" AS SELECT 1 AS a; CREATE TABLE t AS SELECT 1 AS a`)
	w.without(t, []string{`"größe"`, "数据"}, []string{"Größe*"})
	m := w.run(t).Manifest
	if p := m.Partial; p == nil || p.Tables != 1 || p.Rows != 1 || m.Summary.Tables != 1 {
		t.Errorf("%+v, %+v", p, m.Summary)
	}
	w.without(t, nil, nil)
	w.tenant(t, "tenant_ö", 4)
	of := w.of(w.tenantJob(t, "    schemas: \"tenant_*\"\n"), "tenant_ö")
	set := of.find(t, of.run(t).Manifest.ID)
	if set.Manifest.Summary.Rows != 4 {
		t.Errorf("%+v", set.Manifest.Summary)
	}
	to := db + "_new"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	if restored, err := restore.Run(t.Context(), of.job, of.env, set, restore.Request{To: to}, nil); err != nil || !restored.Compared {
		t.Errorf("%+v, %v", restored, err)
	}
	_, err := restore.Run(t.Context(), of.job, of.env, set, restore.Request{Replace: db, Confirm: "tenant_ö"}, nil)
	wantCode(t, err, fault.Refused)
}
