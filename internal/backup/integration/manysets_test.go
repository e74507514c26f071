package integration

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// crowded is a job of a thousand sets, of which one is to go.
func crowded(t *testing.T) (w *world, old string) {
	t.Helper()
	w = withDays(t)
	w.env.StateDir = t.TempDir()
	for n := range 1000 {
		w.plant(t, backuptest.Ago(2+float64(n)/40))
	}
	return w, w.plant(t, backuptest.Ago(60)).ID
}

// lists is how many pages of the bucket a run asked for.
func (w *world) lists(t *testing.T) int {
	t.Helper()
	w.store.ForgetRequests()
	w.run(t)
	return len(w.store.Requests(s3server.OpListObjectsV2))
}

func TestAmongVeryManySetsARunLeavesRetentionToALaterOne(t *testing.T) {
	w, old := crowded(t)
	whole := w.lists(t)
	if w.has(t, old) {
		t.Fatal("the first run decided nothing")
	}
	old = w.plant(t, backuptest.Ago(61)).ID
	if left := w.lists(t); left >= whole || !w.has(t, old) {
		t.Errorf("the next run asked for %d pages, the first for %d", left, whole)
	}
	if !strings.Contains(w.log.text(), "left to a later run") {
		t.Error("nothing tells that nothing was decided")
	}
	w.pass(25 * time.Hour)
	if w.run(t); w.has(t, old) {
		t.Error("a day later nothing was decided either")
	}
}

func TestOtherRulesAreDecidedByAtOnceHoweverManySetsThereAre(t *testing.T) {
	w, _ := crowded(t)
	w.run(t)
	old := w.plant(t, backuptest.Ago(29)).ID
	w.job.Keep.Days = 28
	if w.run(t); w.has(t, old) {
		t.Error("a set stayed that the new rule does not keep")
	}
}
