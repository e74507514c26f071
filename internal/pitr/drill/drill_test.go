package drill

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// place is where a test has its copies: short enough for a socket, and open to the owner of the server's files.
func place(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("/tmp", "drills") //nolint:usetesting // test folders are closed to the server's user, and long
	if err == nil {
		err = os.Chmod(parent, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	return filepath.Join(parent, "c")
}

// nothingLeft fails for a copy, and for what still works on one.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Name() != "proofs" {
			t.Errorf("left: %s", entry.Name())
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if at, _ := os.Readlink(link); strings.HasPrefix(at, dir+"/") {
			t.Errorf("a process is left in %s", at)
		}
	}
}

// beats are five commits with time between them; it has the server's time between the third and the fourth.
func beats(t *testing.T, lab *pitrlab.Lab) (between time.Time) {
	t.Helper()
	for i := range 5 {
		lab.Postgres.Exec(t, "shop", "INSERT INTO beats VALUES (now())")
		time.Sleep(20 * time.Millisecond)
		if i == 2 {
			text := lab.Postgres.QueryString(t, "postgres", "SELECT clock_timestamp() AT TIME ZONE 'UTC' || ' UTC'")
			at, err := beside.ParseTime(text)
			if err != nil {
				t.Fatal(err)
			}
			between = at
			time.Sleep(20 * time.Millisecond)
		}
	}
	return between
}

func TestADrillProvesTheMomentAndLeavesNothingButItsProof(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	dir := place(t)
	lab.Postgres.Exec(t, "postgres", `CREATE DATABASE shop`)
	lab.Postgres.Exec(t, "shop", `CREATE TABLE beats (at timestamptz); CREATE TABLE "o'ne" AS SELECT generate_series(1, 500) AS id`)
	label := lab.Backup(t, config.FullBackup)
	options := func(change func(*Options)) Options {
		o := Options{Dir: dir, Seed: 7, Now: time.Now, Tell: func(line string) { t.Log(line) }}
		change(&o)
		return o
	}
	if d, err := Run(t.Context(), lab.Engine, options(func(*Options) {})); fault.CodeOf(err) != fault.Refused {
		t.Errorf("nothing was committed since the backup: %+v, %v", d, err)
	}
	between := beats(t, lab)
	last := lab.SwitchWAL(t)
	full := func(string) (room.Disk, error) { return room.Disk{Free: 1 << 20, Size: 1 << 40}, nil }
	if _, err := Run(t.Context(), lab.Engine, options(func(o *Options) { o.Disks = full })); fault.CodeOf(err) != fault.NoSpace {
		t.Errorf("without room: %v", err)
	}
	if k, err := Read(dir, "main"); err != nil || k.Newest != nil {
		t.Errorf("what could not be drilled has a proof: %+v, %v", k.Newest, err)
	}

	swept := false
	d, err := Run(t.Context(), lab.Engine, options(func(o *Options) {
		o.Amcheck, o.To = true, between
		o.Tell = func(line string) {
			t.Log(line)
			if !strings.HasPrefix(line, "reached: ") {
				return
			}
			swept = true
			if s, err := beside.Sweep(dir, time.Now()); err != nil || len(s.Removed) > 0 {
				t.Errorf("a sweep takes the copy of a drill that goes on: %+v, %v", s, err)
			}
		}
	}))
	if err != nil || len(d.Warnings) > 0 {
		t.Fatalf("%v; remedy %q; %q", err, fault.Remedy(err), d.Warnings)
	}
	p := d.Proof
	if !swept || !p.OK || p.Set != label || p.RTOSeconds <= p.FilesSeconds || p.FilesSeconds <= 0 || p.WALBytes <= 0 ||
		!p.Reached.Next.After(p.Target) || p.Reached.Commit.After(p.Target) || p.Target != between ||
		p.Reached.Commit.IsZero() || p.Reached.XID == 0 || p.ClusterBytes < 1<<20 {
		t.Errorf("%+v", p)
	}
	rows := int64(-1)
	for _, database := range p.Databases {
		if database.Amcheck != "good" {
			t.Errorf("%+v", database)
		}
		if database.Name == "shop" {
			rows = database.Rows
		}
	}
	if rows != 503 || len(p.Databases) != 3 {
		t.Errorf("%d rows as of the moment: %+v", rows, p.Databases)
	}
	k, err := Read(dir, "main")
	if err != nil || k.Proven == nil || !k.Proven.Target.Equal(p.Target) {
		t.Errorf("%+v, %v", k, err)
	}
	held, err := lab.Engine.Holdings(t.Context(), pitrlab.SegmentBytes)
	if noted, ok := Noted(held.Backups); err != nil || !ok || noted.Set != label || noted.Target.Sub(p.Target).Abs() > time.Microsecond {
		t.Errorf("beside the backup: %+v, %v", noted, err)
	}
	nothingLeft(t, dir)

	// The last segment is lost when the way to it was looked up already.
	d, err = Run(t.Context(), lab.Engine, options(func(o *Options) {
		o.Tell = func(line string) {
			if strings.HasPrefix(line, "restoring "+label) {
				lab.Delete(t, lab.SegmentFile(t, last))
			}
		}
	}))
	if fault.CodeOf(err) != fault.Integrity || d.Proof.OK || d.Proof.Failure == "" {
		t.Errorf("%+v, %v", d.Proof, err)
	}
	if k, err = Read(dir, "main"); err != nil || k.Newest.OK || k.Proven == nil {
		t.Errorf("a failed drill: %+v, %v", k, err)
	}
	nothingLeft(t, dir)
	if got := lab.Postgres.QueryString(t, "postgres", "SELECT failed_count::text || pg_is_in_recovery()::text FROM pg_stat_archiver"); got != "0false" {
		t.Errorf("the live server: %s", got)
	}
}
