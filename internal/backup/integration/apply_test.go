package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// fullBucket has so many sets, one a day, and a first rule that would let most of them go.
func fullBucket(t *testing.T, n int) *world {
	w := newWorldOn(t, pgOf(t), "small")
	for i := range n {
		w.plant(t, backuptest.Ago(float64(i)+1.1))
	}
	w.job.Keep = config.Keep{Days: 3, MinGood: 1, By: config.PruneByBackup}
	return w
}

func TestThePlanOfAFirstRuleForAFullBucketAsksFirst(t *testing.T) {
	w := fullBucket(t, 12)
	result := w.run(t) // a run never confirms, and its backup stands
	if len(result.Deleted) != 0 || len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "it would delete 10 of 13 sets at once") {
		t.Errorf("deleted %+v, warnings %q", result.Deleted, result.Warnings)
	}
	if !strings.Contains(w.log.text(), "prune --job main --confirm 10") {
		t.Error("the log does not say how to confirm it")
	}
	for _, wrong := range []int{retention.Unconfirmed, 0, 9, 11} {
		plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
		if err != nil {
			t.Fatal(err)
		}
		gone, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, wrong)
		wantCode(t, err, fault.Refused)
		if len(gone.Sets) != 0 || fault.Remedy(err) == "" {
			t.Errorf("confirmed %d: deleted %+v, remedy %q", wrong, gone, fault.Remedy(err))
		}
	}
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, 10); err != nil || len(gone.Sets) != 10 || len(w.goodSets(t)) != 3 {
		t.Errorf("%d deleted, %d left, %v", len(gone.Sets), len(w.goodSets(t)), err)
	}
}

func TestAConfirmationOfAPlanThatChangedFitsNoMore(t *testing.T) {
	w := fullBucket(t, 4) // nothing doubtful about it: one goes
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil || len(plan.Doubts) != 0 || plan.Removes() != 2 {
		t.Fatalf("%+v, %v", plan, err)
	}
	_, err = retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, 1)
	wantCode(t, err, fault.Refused)
	if len(w.goodSets(t)) != 4 {
		t.Error("something was deleted")
	}
}

func TestAClockTenYearsOffEitherWayDeletesNothing(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for name, c := range map[string]struct{ host, store time.Duration }{
		"host ahead": {years, 0}, "host behind": {-years, 0}, "store ahead": {0, years}, "store behind": {0, -years},
	} {
		t.Run(name, func(t *testing.T) {
			w := fullBucket(t, 12)
			w.storeAhead.Store(int64(c.store))
			w.env.Now = func() time.Time { return time.Now().Add(c.host) }
			result := w.run(t)
			if len(result.Deleted) != 0 || len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "this host's clock is") {
				t.Errorf("deleted %+v, warnings %q", result.Deleted, result.Warnings)
			}
			if n := len(w.goodSets(t)); n != 13 {
				t.Errorf("%d sets are left", n)
			}
		})
	}
}

func TestAStoreWhoseTimeNobodyKnowsDeletesNothing(t *testing.T) {
	w := fullBucket(t, 2)
	w.store.Inject(s3server.Rule{Op: s3server.OpHeadBucket, Fault: s3server.Fault{
		Kind: s3server.Answer, Status: http.StatusOK, Header: map[string]string{"Date": "yesterday"},
	}})
	if _, err := w.prune(t); err == nil || len(w.goodSets(t)) != 2 {
		t.Errorf("%d left, %v", len(w.goodSets(t)), err)
	}
}

func TestThePruneTimersJobDeletesNothingAfterARun(t *testing.T) {
	w := withDays(t)
	old := w.plant(t, backuptest.Ago(60))
	w.job.Keep.By = config.PruneByTimer
	if result := w.run(t); len(result.Deleted) != 0 || len(result.Warnings) != 0 || !w.has(t, old.ID) {
		t.Errorf("deleted %+v, warnings %q", result.Deleted, result.Warnings)
	}
	if gone, err := w.prune(t); err != nil || len(gone) != 1 || w.has(t, old.ID) {
		t.Errorf("deleted %+v, %v", gone, err)
	}
}

func TestThreeJobsInABucketPruneEachItsOwn(t *testing.T) {
	w := withDays(t)
	var olds []string
	jobs := []string{"small", "small_20200101", "20200101"}
	for _, database := range jobs {
		for _, age := range []float64{1, 60} {
			m := w.plant(t, backuptest.Ago(age), func(m *backup.Manifest) { m.Database = printable.Name(database) })
			if age == 60 {
				olds = append(olds, m.ID)
			}
		}
	}
	for i, database := range jobs {
		w.job.Database = database
		gone, err := w.prune(t)
		if err != nil || len(gone) != 1 || gone[0].Set.ID != olds[i] {
			t.Errorf("%s: deleted %+v, %v", database, gone, err)
		}
		if left := len(w.goodSets(t)); left != 5-i {
			t.Errorf("%d sets after pruning %s", left, database)
		}
	}
}

func TestAReasonNamesTheRulesThatKeep(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	for i := range 5 {
		w.plant(t, backuptest.Ago(float64(i)*3+2))
	}
	w.job.Keep = config.Keep{Daily: 3, Weekly: 8, MinGood: 1}
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Decisions[1].Reason; !strings.HasPrefix(got, "daily 2 of 3") {
		t.Errorf("%q", got)
	}
	for _, d := range plan.Decisions {
		if want := fmt.Sprintf("%d days old, kept by no rule (daily 3, weekly 8)", int(time.Since(d.Set.FinishedAt)/(24*time.Hour))); d.Delete && d.Reason != want {
			t.Errorf("%q, want %q", d.Reason, want)
		}
	}
}
