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
	look := th.Outlook(sets[0])
	if look.Known || look.Takes != "in 3 to 5 hours" || look.Days != 7 {
		t.Errorf("a store that is not AWS: %+v", look)
	}
	place := p.buckets.at[p.job.S3]
	place.Region, place.Endpoint = "us-east-1", ""
	p.buckets.at[p.job.S3] = place
	if look := th.Outlook(sets[0]); !look.Known || look.USD <= 0 {
		t.Errorf("AWS: %+v", look)
	}
	if err := th.Thaw(t.Context(), sets[0]); err != nil {
		t.Fatal(err)
	}
	if sets, err = p.buckets.Sets(t.Context()); err != nil || sets[0].Archive.State != backup.Thawed {
		t.Errorf("%+v, %v", sets[0].Archive, err)
	}
	if !strings.Contains(said.String(), "thaw") || !strings.Contains(said.String(), m.ID) {
		t.Errorf("no audit line: %s", said.String())
	}
}
