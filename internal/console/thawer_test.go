package console

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

func TestTheConsoleShowsAndThawsAnArchivedSet(t *testing.T) {
	p := newPlace(t, config.Keep{})
	m := p.plant(t, 2*time.Hour)
	if _, err := p.bucket.Put(t.Context(), p.folder(m)+"dump.pgc.zst", []byte("stands for a dump"), s3.PutOptions{Class: "GLACIER"}); err != nil {
		t.Fatal(err)
	}
	sets, err := p.buckets.Sets(t.Context())
	if err != nil || len(sets) != 1 || sets[0].Archive.State != backup.Archived {
		t.Fatalf("%+v, %v", sets, err)
	}
	var said bytes.Buffer
	setup := p.buckets.setup
	setup.Log = slog.New(slog.NewTextHandler(&said, nil))
	th := &thawer{buckets: p.buckets, setup: setup, who: journal.Operator{Login: "anna"}}
	looks := th.Outlooks(sets[0])
	if len(looks) != 3 || looks[1].Known || looks[1].Takes != "in 3 to 5 hours" || looks[1].Days != 7 || looks[1].CLI != "--tier standard" {
		t.Errorf("a store that is not AWS: %+v", looks)
	}
	deep := sets[0]
	deep.Class = "DEEP_ARCHIVE"
	if looks := th.Outlooks(deep); len(looks) != 2 || looks[0].Tier != "bulk" {
		t.Errorf("DEEP_ARCHIVE has nothing expedited: %+v", looks)
	}
	place := p.buckets.at[p.job.S3]
	place.Region, place.Endpoint = "us-east-1", ""
	p.buckets.at[p.job.S3] = place
	if looks := th.Outlooks(sets[0]); !looks[1].Known || looks[1].USD <= looks[0].USD || looks[2].Known {
		t.Errorf("AWS: %+v", looks)
	}
	if err := th.Thaw(t.Context(), sets[0], "lukewarm"); err == nil {
		t.Error("a tier that there is not")
	}
	if err := th.Thaw(t.Context(), sets[0], "bulk"); err != nil {
		t.Fatal(err)
	}
	if sets, err = p.buckets.Sets(t.Context()); err != nil || sets[0].Archive.State != backup.Thawed {
		t.Errorf("%+v, %v", sets[0].Archive, err)
	}
	if !strings.Contains(said.String(), "thaw") || !strings.Contains(said.String(), m.ID) {
		t.Errorf("no audit line: %s", said.String())
	}
}
