package console

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/copying"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// The copy lies in the same bucket, below another prefix: what the console makes of two places does not depend on how
// far they are apart.
func TestTheConsoleShowsCopiesAndRestoresFromThemWhenTheMainBucketIsDown(t *testing.T) {
	p := newPlace(t, config.Keep{Days: 30})
	older := p.plant(t, 30*time.Hour)
	newer := p.plant(t, 2*time.Hour)
	p.job.Copies = []config.Copy{{Name: "other", S3: config.S3{Bucket: "second", Prefix: "far"}, LateAfter: 26 * time.Hour}}
	p.buckets.setup.Config.Jobs = []config.Job{p.job}
	at, _ := p.job.AtCopy("other")
	env := p.buckets.setup.Env
	env.Bucket = p.bucket
	copier := copying.Copier{Env: env, To: p.bucket, Job: p.job, At: at}
	choice, err := copier.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range choice.Sets {
		if set.ID == older.ID {
			if err := copier.Run(t.Context(), []*backup.Set{set}, func(*copying.Done, *backup.Set, error) {}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var mainDown, copyDown atomic.Bool
	p.buckets.setup.Open = func(_ context.Context, job config.Job) (*s3.Bucket, error) {
		if job.Copy == "" && mainDown.Load() || job.Copy != "" && copyDown.Load() {
			return nil, errors.New("no route to the store")
		}
		return p.bucket, nil
	}
	sets, err := p.buckets.Sets(t.Context())
	if err != nil || len(sets) != 2 || len(sets[0].Copies) != 1 || sets[0].Copies[0].State != backup.CopyMissing ||
		sets[1].Copies[0].State != backup.CopyGood {
		t.Fatalf("%+v, %v", sets, err)
	}

	mainDown.Store(true)
	sets, err = p.buckets.Sets(t.Context())
	if err == nil || len(sets) != 1 || sets[0].ID != older.ID || sets[0].At != "other" {
		t.Fatalf("with the main bucket down: %+v, %v", sets, err)
	}
	asked := requestOf(ui.RestoreRequest{Set: sets[0], From: sets[0].At})
	if job := p.buckets.job(&sets[0]); asked.From != "other" || job.S3.Prefix != "far" {
		t.Errorf("asked %+v of %+v", asked, job.S3)
	}
	if recipe := strings.Join(p.buckets.Recipe(sets[0]), "\n"); !strings.Contains(recipe, "far/db01/sales/"+older.ID) {
		t.Errorf("the recipe is not of the copy:\n%s", recipe)
	}
	if err := p.buckets.named(&sets[0], "verify"); err == nil {
		t.Error("a unit would look for it in the main bucket")
	}

	mainDown.Store(false)
	copyDown.Store(true)
	again := &buckets{setup: p.buckets.setup, sets: map[config.S3]*backup.Catalogue{}}
	sets, err = again.Sets(t.Context())
	if err != nil || len(sets) != 2 || sets[0].ID != newer.ID || sets[1].Copies[0].State != backup.CopyUnknown {
		t.Errorf("with the copy down: %+v, %v", sets, err)
	}
	copyDown.Store(false)
	if sets, err = again.Sets(t.Context()); err != nil || sets[1].Copies[0].State != backup.CopyUnknown {
		t.Errorf("a copy that was down is asked at each refresh: %+v, %v", sets, err)
	}
}
