package integration

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestADamagedFrameStopsThePartThatNeedsItAndNoOther(t *testing.T) {
	for name, sets := range map[string]*storedSets{"plain": &partsSet, "encrypted": &partsSealed} {
		t.Run(name, func(t *testing.T) {
			w, set := sets.world(t)
			to := w.job.Instance + "_part"
			// The filler is most of the dump, its middle certainly.
			w.change(t, set.Dir+set.DumpKey(), flip(int(set.Manifest.Dump.SizeBytes/2)))
			_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Tables: []string{"filler"}}, sets.key())
			wantCode(t, err, fault.Integrity)
			if !strings.Contains(err.Error(), to) || !w.exists(t, to) {
				t.Errorf("the unfinished database is not named: %v", err)
			}
			w.pg.DropDatabase(t, to)
			if r := w.restorePart(t, set, restore.Request{Tables: []string{"sales.orders"}}, sets.key()...); !r.Compared {
				t.Errorf("%+v", r)
			}
			w.change(t, set.Dir+set.DumpKey(), flip(5000)) // in the frame of the head
			_, err = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to + "2", Tables: []string{"sales.orders"}}, sets.key())
			wantCode(t, err, fault.Integrity)
			if w.exists(t, to+"2") {
				t.Error("a database was created although the head is damaged")
			}
		})
	}
}

func TestACutDumpIsNoSourceForParts(t *testing.T) {
	w, set := partsSet.world(t)
	w.change(t, set.Dir+set.DumpKey(), func(b []byte) []byte { return b[:len(b)-1] })
	for name, s := range map[string]*backup.Set{"listed before": set, "listed now": w.find(t, set.ID)} {
		_, err := restore.Run(t.Context(), w.job, w.env, s, restore.Request{To: "never_made", Tables: []string{"sales.orders"}}, nil)
		if code := fault.CodeOf(err); code != fault.Integrity && code != fault.Refused || w.exists(t, "never_made") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRowsThatAreNotThoseTheSetRecordedFailThePart(t *testing.T) {
	w, set := partsSet.world(t)
	w.rewriteContents(t, set, func(c *backup.Contents) {
		for i := range c.Archive.Data {
			c.Archive.Data[i].Rows++
		}
	})
	to := w.job.Instance + "_part"
	_, err := restore.Run(t.Context(), w.job, w.env, w.find(t, set.ID), restore.Request{To: to, Tables: []string{"sales.orders"}}, nil)
	wantCode(t, err, fault.Integrity)
	w.pg.DropDatabase(t, to)
}

func TestAPartThatIsCancelledOrLosesTheStoreLeavesTheNamedDatabaseOrNothing(t *testing.T) {
	w, set := partsSet.world(t)
	for name, c := range map[string]struct {
		nth  int // request for the dump
		left bool
	}{"while it looks": {1, false}, "while it loads": {2, true}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			seen := 0
			w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
				if op != s3server.OpGetObject || !strings.Contains(key, backup.DumpName) {
					return nil
				}
				if seen++; seen != c.nth {
					return nil
				}
				cancel(terminated)
				return &s3server.Fault{Kind: s3server.StallBody, After: 100}
			})
			to := w.job.Instance + "_part"
			_, err := restore.Run(ctx, w.job, w.env, set, restore.Request{To: to, Tables: []string{"filler"}}, nil)
			wantCode(t, err, fault.Terminated)
			if w.exists(t, to) != c.left || strings.Contains(err.Error(), to) != c.left {
				t.Errorf("database left: %v; %v", w.exists(t, to), err)
			}
			w.pg.DropDatabase(t, to)
		})
	}
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: backup.DumpName, Fault: s3server.Fault{Kind: s3server.Cut, After: 0}})
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "never_made", Tables: []string{"filler"}}, nil)
	wantCode(t, err, fault.Unavailable)
	w.store.ClearFaults()
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "pgbtui-list-*")); len(left) != 0 {
		t.Errorf("lists are left: %q", left)
	}
}

func TestOnlyTheRolesOfThePartHaveToBeThere(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database
	w.pg.Exec(t, "postgres", "CREATE ROLE granted_"+db+"; CREATE ROLE other_"+db)
	w.pg.Exec(t, db, `CREATE TABLE mine (a int); GRANT SELECT ON mine TO granted_`+db+`;
		CREATE TABLE theirs (a int); ALTER TABLE theirs OWNER TO other_`+db)
	set := w.find(t, w.run(t).Manifest.ID)
	w.pg.Exec(t, db, "DROP TABLE mine, theirs")
	w.pg.Exec(t, "postgres", "DROP ROLE granted_"+db+", other_"+db)
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "never_made", Tables: []string{"mine"}}, nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "granted_") || strings.Contains(err.Error(), "other_") || w.exists(t, "never_made") {
		t.Error(err)
	}
	if r := w.restorePart(t, set, restore.Request{Tables: []string{"mine"}, Roles: map[string]string{"granted_" + db: w.pg.User}}); !r.Compared {
		t.Errorf("%+v", r)
	}
}

func TestATableOfAForeignDumpComesFromTheWholeStream(t *testing.T) {
	pg, db := partsDatabase(t)
	w := newWorldOn(t, pg, db)
	w.put(t, "postgresql/postgresql_parts_20251122_020000.backup", w.pgDump(t, db, "-Fc", "-Z0"))
	w.put(t, "postgresql/postgresql_parts_20251123_020000.backup", w.pgDump(t, db, "-Fc"))
	for _, set := range w.sets(t) {
		r := w.restorePart(t, &set, restore.Request{Tables: []string{"sales.orders"}, NoOwner: true})
		counted := strings.Contains(set.Dir, "20251122")
		if r.Compared != counted || r.Portion.Whole == "" || r.Fetched < set.StoredSize {
			t.Errorf("%s: %+v, %+v", set.Dir, r, r.Portion)
		}
		if n := pg.QueryInt(t, r.Database, "SELECT count(*) FROM sales.orders"); n != 3000 {
			t.Errorf("%d rows", n)
		}
		if counted && (r.Tables != 1 || r.Rows != 3000) {
			t.Errorf("%+v", r)
		}
	}
}

func TestRowsGoIntoExistingEmptyTablesOrNowhere(t *testing.T) {
	w, set := partsSet.world(t)
	to := w.pg.CreateDatabase(t)
	into := func(tables ...string) (*restore.Restored, error) {
		return restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Confirm: to, DataOnly: true, Tables: tables}, nil)
	}
	refused := func(says string) {
		t.Helper()
		_, err := into("sales.customers", "sales.orders")
		wantCode(t, err, fault.Refused)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in: %v", says, err)
		}
	}
	refused(`"sales"."customers" does not exist`)
	w.pg.Exec(t, to, `CREATE SCHEMA sales; CREATE TABLE sales.customers (id serial PRIMARY KEY, name text, feels text);
		CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY, customer int REFERENCES sales.customers, at date);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER eats BEFORE INSERT ON sales.orders FOR EACH ROW EXECUTE FUNCTION f();
		INSERT INTO sales.customers (name) VALUES ('alive')`)
	refused(`"sales"."customers" is not empty`)
	refused("has triggers that act on inserted rows (eats)")
	w.pg.Exec(t, to, "DROP TRIGGER eats ON sales.orders; TRUNCATE sales.customers CASCADE")

	// What fails on the way leaves nothing: the second table has too few columns.
	w.pg.Exec(t, to, "ALTER TABLE sales.orders RENAME at TO other")
	if _, err := into("sales.customers", "sales.orders"); err == nil {
		t.Error("a table without a column was filled")
	}
	if w.pg.QueryInt(t, to, "SELECT count(*) FROM sales.customers") != 0 {
		t.Error("half of the rows stay")
	}
	w.pg.Exec(t, to, "ALTER TABLE sales.orders RENAME other TO at")
	r, err := into("sales.customers", "sales.orders")
	if err != nil || !r.Compared || r.Rows != 3500 || r.Recorded != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	// customers_id_seq gave a number before: it keeps its place. The other never did.
	if next := w.pg.QueryInt(t, to, "SELECT nextval('sales.customers_id_seq')"); next != 2 {
		t.Errorf("a used sequence was set to %d", next)
	}
	if next := w.pg.QueryInt(t, to, "SELECT nextval('sales.orders_id_seq')"); next != 3001 {
		t.Errorf("an unused sequence is at %d", next)
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "customers_id_seq keeps its value") }) {
		t.Errorf("notes: %q", r.Notes)
	}
	_, err = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "no_such_db", DataOnly: true, Tables: []string{"filler"}}, nil)
	wantCode(t, err, fault.Refused)
}
