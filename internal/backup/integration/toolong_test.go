package integration

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAValueThatPostgreSQLCannotWriteAsTextIsToldWithItsTableAndNotTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE TABLE small AS SELECT 1 AS i;
		CREATE TABLE files (body bytea); INSERT INTO files SELECT convert_to(repeat('a', 540000000), 'UTF8')`)
	_, err := w.try(t.Context())
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), `"files"`) || !strings.Contains(fault.Remedy(err), "512 MiB") {
		t.Errorf("%v (%s)", err, fault.Remedy(err))
	}
	w.noLitter(t, nil)
}
