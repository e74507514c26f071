package backup

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// crowdedKeys are folders of a database, few at first and then many, until a little into the future, between those
// of others and what is no set.
func crowdedKeys() (keys []string) {
	began := time.Now().Add(-100 * time.Hour)
	put := func(folder string, n int, after time.Duration) {
		keys = append(keys, fmt.Sprintf("p/%s/%s-%06x/%s", folder, began.Add(after).UTC().Format(IDTime), n, DumpName))
	}
	for n := range 50 {
		put("db1/sales", n, time.Duration(n)*time.Hour)
	}
	for n := range 310 {
		put("db1/sales", n, 50*time.Hour+time.Duration(n)*10*time.Minute)
	}
	for n, folder := range []string{"db0/sales", "db1/crm", "db1/tax", "db2/sales"} {
		put(folder, n, 30*time.Hour)
	}
	return append(keys, "p/db1/sales/lease.json", "p/db1/zoo/notes.txt", "p/zzz", "p/postgresql_old_20260101_020000.backup")
}

// crowdedStoreOf has them, on pages of 10.
func crowdedStoreOf(t *testing.T, change func(*s3server.Options)) (*Catalogue, *s3server.Running) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.DefaultAccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.DefaultSecretKey)
	store := s3server.Start(t, s3server.With(func(o *s3server.Options) { o.PageKeys = 10; change(o) }))
	bucket, err := s3.Open(t.Context(), s3.Options{Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region, MaxAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	var group errgroup.Group
	group.SetLimit(8)
	for _, key := range crowdedKeys() {
		group.Go(func() error {
			_, err := bucket.Put(t.Context(), key, nil, s3.PutOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	store.ForgetRequests()
	return NewCatalogue(bucket, config.Job{S3: config.S3{Prefix: "p"}}), store
}

// gatheredSets are the sets of a listing, in its order.
func gatheredSets(t *testing.T, found *gathering, err error) (sets []Set) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range found.Order {
		s.cached = nil
		sets = append(sets, s.Set)
	}
	return sets
}

func TestACrowdIsListedInRangesAndTheSetsAreThoseOfAPlainListing(t *testing.T) {
	c, store := crowdedStoreOf(t, func(*s3server.Options) {})
	plain, err := c.Gather(t.Context(), Scope{}, true)
	want := gatheredSets(t, plain, err)
	pages := len(store.Requests(s3server.OpListObjectsV2))
	for _, scope := range []Scope{{}, {Instance: "db1"}, {Instance: "db1", Database: "sales"}} {
		store.ForgetRequests()
		ranged, err := c.Gather(t.Context(), scope, false)
		got := within(gatheredSets(t, ranged, err), scope)
		if these := within(slices.Clone(want), scope); len(got) < 360 || !reflect.DeepEqual(got, these) {
			t.Errorf("%v: %d sets, one page after the other %d", scope, len(got), len(these))
		}
		requests := store.Requests(s3server.OpListObjectsV2)
		starts := 0
		for _, r := range requests {
			if strings.Contains(r.Query, "start-after=") && !strings.Contains(r.Query, "continuation-token=") {
				starts++
			}
		}
		if starts < 3 || len(requests) > pages+2*starts {
			t.Errorf("%v: %d requests, %d of them begin a range; one page after the other %d", scope, len(requests), starts, pages)
		}
	}
}

func TestAStoreThatKnowsNoPlaceToStartFromIsListedOnePageAfterTheOther(t *testing.T) {
	c, _ := crowdedStoreOf(t, func(o *s3server.Options) { o.NoStartAfter = true })
	plain, err := c.Gather(t.Context(), Scope{}, true)
	want := gatheredSets(t, plain, err)
	if _, err := c.Gather(t.Context(), Scope{}, false); err == nil {
		t.Error("it was listed in ranges")
	}
	sets, err := c.Sets(t.Context(), Scope{})
	if err != nil || len(sets) != len(want) || len(want) < 360 {
		t.Errorf("%d of %d sets, %v", len(sets), len(want), err)
	}
}

// A range that fails ends the listing: a part of the sets must not pass for all.
func TestARangeThatFailsEndsTheListing(t *testing.T) {
	c, store := crowdedStoreOf(t, func(*s3server.Options) {})
	store.Inject(s3server.Rule{Op: s3server.OpListObjectsV2, Skip: 25, Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	sets, err := c.Sets(t.Context(), Scope{})
	if fault.CodeOf(err) != fault.NotPermitted || sets != nil {
		t.Errorf("%d sets, %v", len(sets), err)
	}
}

func TestABucketOfAFewPagesCostsNoRequestMore(t *testing.T) {
	c, store := crowdedStoreOf(t, func(o *s3server.Options) { o.PageKeys = 120 })
	store.ForgetRequests()
	if _, err := c.Gather(t.Context(), Scope{}, false); err != nil {
		t.Fatal(err)
	}
	pages := (len(crowdedKeys()) + 119) / 120
	if n := len(store.Requests(s3server.OpListObjectsV2)); n != pages {
		t.Errorf("%d requests for %d pages", n, pages)
	}
}
