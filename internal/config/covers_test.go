package config

import (
	"slices"
	"testing"
)

func TestWhatIsCoveredAsAWholeInPartOrNotAtAll(t *testing.T) {
	c, _, err := loadFolder(t, map[string]string{"config.yaml": `s3: {bucket: backups}
exclude: ["tmp_*", other]
jobs:
  whole: {database: whole}
  tables: {database: tables, exclude_table_data: [public.log]}
  tenants: {database: tenants, schemas: ["tenant_*"]}
  tenants2: {database: both, schemas: ["tenant_*"]}
  both: {database: both}
  elsewhere: {database: far, postgres: {host: db2}}
  many: {databases: ["crm_*"], exclude: [crm_old]}
`})
	if err != nil {
		t.Fatal(err)
	}
	here := Postgres{Port: "5432"} // the default, written out
	all := []string{"both", "crm_1", "crm_old", "far", "other", "tables", "tenants", "tmp_1", "whole", "wiki"}
	if got := c.Uncovered(all, here); !slices.Equal(got, []string{"far", "tenants", "wiki"}) {
		t.Errorf("no job backs up %q", got)
	}
	if got := c.InPart(all, here); !slices.Equal(got, []string{"tables"}) {
		t.Errorf("in part: %q", got)
	}
	if got := c.Uncovered(all, here, Postgres{Host: "db2"}); !slices.Equal(got, []string{"tenants", "wiki"}) {
		t.Errorf("one server in two ways: %q", got)
	}
}
