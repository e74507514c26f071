package installed

import (
	"strings"
	"testing"
)

// nodeExporterDir is where Debian's node_exporter reads files.
const nodeExporterDir = "/var/lib/prometheus/node-exporter"

// metricsAreWritten by two users into a directory of root's, out of their sandboxes, for a third to read; one
// replaces what the other wrote. A killed run is told by its unit.
func (h *host) metricsAreWritten(t *testing.T) {
	read := func() string { return h.lab.Run(t, "nobody", "sh", "-c", "cat "+nodeExporterDir+"/*.prom") }
	for _, want := range []string{
		"pgbtui_last_success_timestamp_seconds{", "pgbtui_watch_timestamp_seconds 1",
		`pgbtui_last_attempt_exit_code{backup_instance="db1",backup_job="production",database="production"} 0`,
	} {
		if got := read(); strings.Count(got, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, got)
		}
	}
	owner := func() string {
		return strings.TrimSpace(h.root(t, "stat", "-c", "%U %a", nodeExporterDir+"/pgbtui_sets_production.prom"))
	}
	if got := owner(); got != "pgbtui-watch 644" {
		t.Errorf("after the watch: %s", got)
	}
	h.begin(t, productionUnit)
	h.ends(t, productionUnit, "success", "0")
	if got := owner(); got != "pgbtui 644" {
		t.Errorf("after a backup: %s", got)
	}
	h.dropIn(t, productionUnit, "[Service]\nExecStart=\nExecStart=sh -c 'kill -KILL $$$$'\nRestart=no\n")
	h.begin(t, productionUnit)
	h.over(t, productionUnit)
	if got := read(); !strings.Contains(got, `database="production"} 137`) {
		t.Errorf("after a kill:\n%s", got)
	}
	if left := h.root(t, "sh", "-c", "ls -A "+nodeExporterDir+" | grep -v '[.]prom$' || true"); left != "" {
		t.Errorf("left: %s", left)
	}
}
