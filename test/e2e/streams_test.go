package e2e

import (
	"slices"
	"strconv"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// Sets of several streams, made by the client programs of each major version that is installed: from 17 on those have
// large objects in batches, in entries of two kinds.

// manyLargeObjects are more than a batch has, some of them of another owner and with rights of their own.
const manyLargeObjects = `SELECT lo_from_bytea(i::oid, convert_to('large ' || repeat(md5(i::text), i % 40), 'UTF8'))
	FROM generate_series(90000001, 90002600) AS i;
	DO $$ BEGIN FOR i IN 90000001..90000020 LOOP
		EXECUTE format('ALTER LARGE OBJECT %s OWNER TO sales_owner; GRANT SELECT ON LARGE OBJECT %s TO reporting', i, i);
	END LOOP; END $$;
	COMMENT ON LARGE OBJECT 90002600 IS 'the last'`

func TestSeveralStreamsOfEachMajorComeBackAsTheyAre(t *testing.T) {
	need.All(t, "whole databases of each version, in several streams")
	t.Parallel()
	found := majors(t)
	newest := slices.Max(found)
	for _, from := range found {
		t.Run(strconv.Itoa(from), func(t *testing.T) {
			w := newWorldOn(t, ofMajor(t, from), seedBytes/2)
			furnish(t, w.source, from)
			w.source.Exec(t, database, manyLargeObjects)
			w.backUpInStreams(t, database)
			w.isRead(t)
			w.isRestored(t, w.source, from)
			w.isDrilled(t, database, "")
			if newest > from {
				t.Run("into "+strconv.Itoa(newest), func(t *testing.T) { w.upgrades(t, newest) })
			}
		})
	}
}

// backUpInStreams makes a set of four streams or more.
func (w *world) backUpInStreams(t *testing.T, db string) {
	t.Helper()
	w.pgbtui(t, w.source, db, "--headless", "--streams", "4")
	var shown struct {
		Manifest struct {
			Streams []struct{ Key string }
		}
	}
	decode(t, w.pgbtui(t, w.source, db, "show", "latest", "--json"), &shown)
	if len(shown.Manifest.Streams) < 3 {
		t.Fatalf("the set has %d further streams", len(shown.Manifest.Streams))
	}
}
