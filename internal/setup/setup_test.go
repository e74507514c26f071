package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestTheConfigurationOfAnswersIsReadAsTheySay(t *testing.T) {
	for name, c := range map[string]struct {
		settled Settled
		job     string
		see     func(config.Job) bool
	}{
		"one database": {
			Settled{Databases: []string{"shop"}, Bucket: "company", Region: "eu-central-1", KeepDays: 30},
			"shop",
			func(j config.Job) bool {
				return j.Database == "shop" && j.Keep.Days == 30 && j.Keep.MinGood == 3 && !j.Several()
			},
		},
		"all databases": {
			Settled{Databases: []string{"*"}, Bucket: "company", Prefix: "x/y", Region: "r"},
			"all",
			func(j config.Job) bool {
				return j.Covers("shop") && j.Covers("née \"q\"") && j.S3.Prefix == "x/y" && len(j.Keep.Rules()) == 0
			},
		},
		"a database called all": {
			Settled{Databases: []string{"all"}, Bucket: "company", Region: "r"},
			"all",
			func(j config.Job) bool { return j.Database == "all" && !j.Several() },
		},
		"hostile names": {
			Settled{Databases: []string{"yes", "1e3", "a: b", "'\"\n#", "*x"}, Bucket: "company", Region: "on"},
			"all",
			func(j config.Job) bool {
				return cmp.Equal(j.Databases, []string{"yes", "1e3", "a: b", "'\"\n#", "*x"}) && j.S3.Region == "on"
			},
		},
		"another store, another server": {
			Settled{
				Databases: []string{"null"}, Bucket: "company", Region: "r", Endpoint: "https://s3.example.com", StorageClass: "WARM",
				Host: "db2.example.com", Port: "6432", User: "pgbtui", DrillByHand: true, ByTimer: true, KeepDays: 7,
				Recipients: []string{"age1ql0fdr57u75dw07pdzz9p9kc3xzzjmtrwt7w6tmyq9lyuchswv7s7a3gt6"}, Label: "production",
			},
			"null",
			func(j config.Job) bool {
				return j.Database == "null" && j.S3.Endpoint == "https://s3.example.com" && j.S3.StorageClass == "WARM" &&
					j.Postgres.Host == "db2.example.com" && j.Postgres.Port == "6432" && j.Postgres.User == "pgbtui" &&
					j.Drill.By == config.DrillByHand && j.Keep.By == config.PruneByTimer && len(j.Encryption.Recipients) == 1
			},
		},
	} {
		text, err := Config(c.settled)
		if err != nil {
			t.Fatal(err)
		}
		read, err := config.Load(config.Source{
			File: config.DefaultFile, Text: []byte(text), Getenv: func(string) string { return "" }, Hostname: "db1",
		})
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if len(read.Jobs) != 1 || read.Jobs[0].Name != c.job || !c.see(read.Jobs[0]) {
			t.Errorf("%s: %+v\n%s", name, read.Jobs, text)
		}
		if !strings.HasPrefix(text, FirstLine+"\n") {
			t.Errorf("%s: it does not begin by saying who wrote it:\n%s", name, text)
		}
	}
}

func TestAnswersAreUnderstoodOrRefusedByName(t *testing.T) {
	address := func(s string) (string, error) { h, p, err := Address(s); return h + "|" + p, err }
	place := func(s string) (string, error) { b, p, err := Place(s); return b + "|" + p, err }
	store := func(s string) (string, error) { r, e, err := Store(s); return r + "|" + e, err }
	for _, c := range []struct {
		of           func(string) (string, error)
		answer, want string // want "": refused
	}{
		{address, "local", "|"},
		{address, "5433", "|5433"},
		{address, "/run/pg", "/run/pg|"},
		{address, "db.example.com", "db.example.com|"},
		{address, "db.example.com:6432", "db.example.com|6432"},
		{address, "[2001:db8::1]:5432", "2001:db8::1|5432"},
		{address, "2001:db8::1", "2001:db8::1|"},
		{address, "db:port", ""},
		{address, "postgres://db", ""},
		{address, "host=db user=x", ""},
		{address, "[2001:db8::1", ""},
		{place, "s3://company/backups/", "company|backups"},
		{place, "company", "company|"},
		{place, "https://company.s3.amazonaws.com", ""},
		{place, "/x", ""},
		{store, "eu-central-1", "eu-central-1|"},
		{store, "https://s3.example.com eu-1", "eu-1|https://s3.example.com"},
		{store, "https://s3.example.com", "us-east-1|https://s3.example.com"},
		{store, "s3.example.com", ""},
		{store, "ftp://s3.example.com", ""},
		{store, "https://user:secret@s3.example.com", ""},
		{store, "a b c", ""},
	} {
		got, err := c.of(c.answer)
		if (err != nil) != (c.want == "") || err == nil && got != c.want {
			t.Errorf("%q is %q, %v; expected %q", c.answer, got, err, c.want)
		}
	}
	for answer, want := range map[string]int{"30": 30, "all": 0, "0": -1, "-1": -1, "thirty": -1, "99999999": -1} {
		if got, err := Days(answer); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q days are %d, %v", answer, got, err)
		}
	}
}

func TestTimesOfAnOldTimerAreTakenOver(t *testing.T) {
	for span, want := range map[string]string{"1800": "", "30min": "", "900": "15m0s", "1h 30min": "1h30m0s", "": "", "often": ""} {
		if got := Jitter(span); got != want {
			t.Errorf("%q is %q", span, got)
		}
	}
	settled := Settled{
		Databases: []string{"*"}, Bucket: "company", Region: "r", Jitter: Jitter("900"),
		Schedule: Calendars("*-*-* 01:45:00; Mon 04:00:00 UTC"),
	}
	text, err := Config(settled)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Source{File: config.DefaultFile, Text: []byte(text), Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	times := c.Jobs[0].Timetable.Backup
	if !cmp.Equal(times.Calendar, []string{"*-*-* 01:45:00", "Mon 04:00:00 UTC"}) || times.Jitter == nil || *times.Jitter != 15*time.Minute {
		t.Errorf("%+v\n%s", times, text)
	}
	if got := Calendars(Defaults().Schedule); got != nil {
		t.Errorf("the installed calendar is written: %q", got)
	}
}

func TestAFileOfAnswersIsReadStrictly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "answers.yaml")
	read := func(text string) (Answers, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Read(file)
	}
	a, err := read("bucket: b/x\nregion: eu-central-1\nkey_file: role\ndatabases: [shop, 'née x', \"crm_*\"]\nkeep_days: 7\n")
	want := Answers{Bucket: "b/x", Region: "eu-central-1", KeyFile: Role, Databases: []string{"shop", "née x", "crm_*"}, KeepDays: "7"}
	if diff := cmp.Diff(want, a); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if a, err = read("databases: \"*\"\n"); err != nil || !cmp.Equal(a.Databases, []string{"*"}) || !a.Given() {
		t.Errorf("%+v %v", a, err)
	}
	if a, err = read("# nothing yet\n"); err != nil || a.Given() {
		t.Errorf("%+v %v", a, err)
	}
	for _, text := range []string{"buckets: b\n", "bucket: [a]\n", "bucket: a\n---\nbucket: b\n", "secret: x\n"} {
		if _, err := read(text); fault.CodeOf(err) != fault.Usage || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Read(file + ".missing"); fault.CodeOf(err) != fault.Usage {
		t.Error(err)
	}
}

func TestFlagsWinOverAFileAndAFileOverAUnit(t *testing.T) {
	flags := Answers{Region: "eu-central-1"}
	file := Answers{Bucket: "file", Endpoint: "https://s3.example.com", Region: "other", KeepDays: "7"}
	unit := Answers{Bucket: "unit", Databases: []string{"production"}, KeepDays: "30"}
	got := flags.Or(file).Or(unit)
	want := Answers{Bucket: "file", Region: "eu-central-1", KeepDays: "7", Databases: []string{"production"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff) // an endpoint does not come along with somebody else's region
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("[::1]:5432", "s3://b/x", "https://s3.example.com eu-1")
	f.Fuzz(func(t *testing.T, address, place, store string) {
		if host, port, err := Address(address); err == nil && strings.ContainsAny(host+port, " \t=@'") {
			t.Errorf("%q is %q %q", address, host, port)
		}
		if bucket, _, err := Place(place); err == nil && (bucket == "" || strings.Contains(bucket, "/")) {
			t.Errorf("%q is the bucket %q", place, bucket)
		}
		if _, endpoint, err := Store(store); err == nil && strings.Contains(endpoint, "@") {
			t.Errorf("%q has the endpoint %q", store, endpoint)
		}
	})
}
