package dump

import (
	"fmt"
	"slices"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

func sized(bytes ...int64) (tables []postgres.SizedTable) {
	for i, b := range bytes {
		tables = append(tables, postgres.SizedTable{Table: postgres.Table{Schema: "s", Name: fmt.Sprint(i)}, Bytes: b})
	}
	return tables
}

func TestStreamsGetAboutAsMuchEachAndEveryTableOnce(t *testing.T) {
	for name, c := range map[string]struct {
		tables  []postgres.SizedTable
		streams int
		further int
		most    int64 // of a further stream
	}{
		"equal tables":             {sized(100, 100, 100, 100), 4, 3, 100},
		"one large one":            {sized(1000, 1, 1, 1), 4, 0, 0},
		"two large ones":           {sized(1000, 900, 2, 1), 4, 1, 900},
		"days of five years":       {sized(slices.Repeat([]int64{1 << 20}, 1800)...), 4, 7, 300 << 20},
		"more than can be told":    {sized(slices.Repeat([]int64{1}, 5000)...), 2, 1, 1000},
		"fewer tables":             {sized(50, 40), 8, 1, 40},
		"no table":                 {nil, 4, 0, 0},
		"empty tables":             {sized(0, 0, 0), 4, 0, 0},
		"large and many small":     {sized(append([]int64{100}, make([]int64, 500)...)...), 2, 0, 0},
		"a tail that fills it all": {sized(60, 30, 20, 10), 2, 1, 60},
	} {
		plan := share(c.tables, c.streams, backup.MaxStreams)
		if len(plan) != c.further {
			t.Errorf("%s: %d further streams", name, len(plan))
		}
		seen := map[string]bool{}
		for _, stream := range plan {
			if n := bytesOf(stream); n > c.most || n == 0 {
				t.Errorf("%s: a stream of %d", name, n)
			}
			for _, table := range stream {
				if seen[table.Name] {
					t.Errorf("%s: table %s twice", name, table.Name)
				}
				seen[table.Name] = true
			}
		}
	}
}

// What is kept back is smaller than what begins, comes last, and is not made of databases for which it would not pay,
// nor beyond the sessions and objects that there may be.
func TestAQuarterIsKeptBackForWhoeverEndsFirst(t *testing.T) {
	many := make([]int64, 400)
	for i := range many {
		many[i] = 4 << 20
	}
	large := sized(many...)
	for name, c := range map[string]struct {
		tables       []postgres.SizedTable
		atOnce, most int
		further      int
	}{
		"two at once":          {large, 2, 8, 3},
		"four at once":         {large, 4, 8, 7},
		"six at once":          {large, 6, 8, 7},
		"as many as there may": {large, 8, 8, 7},
		"few sessions":         {large, 4, 5, 4},
		"no session more":      {large, 4, 4, 3},
		"a small database":     {sized(many[:30]...), 2, 8, 1},
	} {
		plan := share(c.tables, c.atOnce, c.most)
		if len(plan) != c.further {
			t.Errorf("%s: %d further streams", name, len(plan))
			continue
		}
		total := bytesOf(c.tables)
		for i := range plan {
			share := bytesOf(plan[i]) * 100 / total
			least := 75/int64(c.atOnce) - 1
			most := keptBack/int64(c.atOnce) + 1
			if behind := i+1 >= c.atOnce; behind && share > most || !behind && share < least {
				t.Errorf("%s: stream %d has %d %%", name, i+1, share)
			}
		}
		lead := total - bytesOf(plan.tables())
		if share := lead * 100 / total; share < 75/int64(c.atOnce)-1 || share > 100/int64(c.atOnce)+1 {
			t.Errorf("%s: the lead has %d %%", name, share)
		}
	}
}

func TestAutoHasSeveralStreamsForLargeDatabasesOnHalfOfTheCores(t *testing.T) {
	for _, c := range []struct {
		bytes        int64
		cores, major int
		want         int
	}{
		{autoFrom - 1, 64, 17, 1},
		{autoFrom, 64, 17, 8},
		{autoFrom, 8, 17, 4},
		{autoFrom, 3, 17, 1},
		{autoFrom, 1, 17, 1},
		{autoFrom, 64, testedMajor, 8},
		{autoFrom, 64, testedMajor + 1, 1},
	} {
		if got := autoStreams(c.bytes, c.cores, c.major); got != c.want {
			t.Errorf("%d bytes, %d cores, pg_dump %d: %d streams", c.bytes, c.cores, c.major, got)
		}
	}
}
