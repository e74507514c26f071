package metrics

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Two tenants of one job are two series: one twice would make the whole file worthless.
func TestEachTenantOfAJobHasSeriesOfItsOwn(t *testing.T) {
	job := config.Job{Name: "tenants", Database: "crm", Instance: "db1", Schemas: []string{"*"}}
	a, b := WhoOf(job.In("a")), WhoOf(job.In("b"))
	if a == b || a.Database != "crm/a" || WhoOf(config.Job{Name: "crm", Database: "crm"}).Database != "crm" {
		t.Errorf("%+v, %+v", a, b)
	}
}
