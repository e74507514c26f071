package backrest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// recorded is what pgBackRest 2.45 printed of a stanza with a full and an incremental backup.
const recorded = `[{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000008","min":"000000010000000000000006"}],
"backup":[{"archive":{"start":"000000010000000000000007","stop":"000000010000000000000007"},"backrest":{"format":5,"version":"2.45"},
"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":22992745,"repository":{"delta":3039819,"size":3039819},"size":22992745},
"label":"20261128-215210F","lsn":{"start":"0/700028","stop":"0/700100"},"prior":null,"reference":null,"timestamp":{"start":1795902730,"stop":1795902733},"type":"full"},
{"archive":{"start":"000000010000000000000009","stop":"000000010000000000000009"},"backrest":{"format":5,"version":"2.45"},
"database":{"id":1,"repo-key":1},"error":true,"info":{"delta":100,"repository":{"delta":10,"size":3039829},"size":22992745},
"label":"20261128-215210F_20261128-220000I","lsn":{"start":"0/900028","stop":"0/900100"},"prior":"20261128-215210F","reference":["20261128-215210F"],"timestamp":{"start":1795903200,"stop":1795903203},"type":"incr"}],
"cipher":"none","db":[{"id":1,"repo-key":1,"system-id":7713343485064556447,"version":"15"}],"name":"main",
"repo":[{"cipher":"none","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]`

func TestWhatTheEngineSaysOfItsRepositoryIsReadWhole(t *testing.T) {
	info, err := readInfo([]byte(recorded), "main")
	if err != nil || info.Fault() != nil {
		t.Fatal(err, info.Fault())
	}
	whole := info.Whole(1)
	if len(whole) != 2 || whole[0].Type != "full" || whole[0].BadPages() || !whole[1].BadPages() ||
		whole[1].Stopped().Unix() != 1795903203 {
		t.Errorf("whole are %+v", whole)
	}
	if db, ok := info.Current(); !ok || db.Version != "15" || db.SystemID != "7713343485064556447" {
		t.Errorf("the server is %+v", db)
	}
	info.Backup = info.Backup[1:]
	if left := info.Whole(1); len(left) != 0 {
		t.Errorf("without its full backup an incremental one is whole: %+v", left)
	}
	if other, err := readInfo([]byte(recorded), "other"); err != nil || fault.CodeOf(other.Fault()) != fault.NotFound {
		t.Errorf("a stanza that is not there: %+v, %v", other, err)
	}
}

func TestWhatTheEngineCannotHaveWrittenIsRefused(t *testing.T) {
	for from, to := range map[string]string{
		`"label":"20261128-215210F",`: `"label":"../../etc",`,
		`"type":"incr"`:               `"type":"\u001b[2J"`,
		`"prior":"20261128-215210F"`:  `"prior":"x y"`,
		`"id":"15-1"`:                 `"id":"15-1/../.."`,
		`"000000010000000000000008"`:  `"00000001000000000000000g"`,
		`"stop":1795903203`:           `"stop":99999999999`,
		`"delta":100`:                 `"delta":-100`,
	} {
		text := strings.Replace(recorded, from, to, 1)
		if text == recorded {
			t.Fatalf("%s is not in what was recorded", from)
		}
		if _, err := readInfo([]byte(text), "main"); fault.CodeOf(err) != fault.Integrity || fault.Remedy(err) == "" {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestAStatusThatIsNotGoodIsAFaultWithItsCode(t *testing.T) {
	for text, want := range map[string]fault.Code{
		`{"name":"main","status":{"code":1,"message":"missing stanza path"}}`:                                                                                                 fault.NotFound,
		`{"name":"main","status":{"code":3,"message":"missing stanza data"}}`:                                                                                                 fault.NotFound,
		`{"name":"main","status":{"code":2,"message":"no valid backups"}}`:                                                                                                    fault.OK,
		`{"name":"main","status":{"code":99,"message":"[HostConnectError] unable to connect to 'x'"}}`:                                                                        fault.Unavailable,
		`{"name":"main","status":{"code":99,"message":"other"},"repo":[{"key":1,"status":{"code":99,"message":"[ProtocolError] HTTP request failed with 403 (Forbidden)"}}]}`: fault.NotPermitted,
	} {
		info, err := readInfo([]byte("["+text+"]"), "main")
		if err != nil {
			t.Fatal(err)
		}
		if got := fault.CodeOf(info.Fault()); got != want {
			t.Errorf("%s: %v", text, info.Fault())
		}
	}
}

func TestVersionsAreComparedByNumberAndSayWhatTheyCannot(t *testing.T) {
	for text, want := range map[string]struct {
		version string
		http    bool
	}{
		"pgBackRest 2.45\n":   {version: "2.45"},
		"pgBackRest 2.55.1\n": {version: "2.55"},
		"pgBackRest 2.60.0\n": {version: "2.60", http: true},
		"pgBackRest 3.0dev\n": {version: "3.0", http: true},
	} {
		v, err := readVersion(text)
		if err != nil || v.String() != want.version || v.PlainHTTP() != want.http {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
	if _, err := readVersion("pgBackRest 2.5\n"); fault.CodeOf(err) != fault.Refused {
		t.Errorf("2.5 is older than 2.45: %v", err)
	}
	if _, err := readVersion("GNU tar"); fault.CodeOf(err) != fault.Config {
		t.Errorf("another program: %v", err)
	}
}

func TestAnExitOfTheEngineHasACodeAndARemedy(t *testing.T) {
	for _, one := range []struct {
		exit int
		said string
		want fault.Code
	}{
		{exit: 49, said: "ERROR: [049]: unable to connect", want: fault.Unavailable},
		{exit: 50, said: "ERROR: [050]: unable to acquire lock", want: fault.Temporary},
		{exit: 62, said: "ERROR: [062]: stop file exists", want: fault.Refused},
		{exit: 87, said: "ERROR: [087]: archive_mode must be enabled", want: fault.Refused},
		{exit: 39, said: "ERROR: [039]: HTTP request failed with 403 (Forbidden)", want: fault.NotPermitted},
		{exit: 64, said: "ERROR: [064]: unable to write: No space left on device", want: fault.NoSpace},
		{exit: 95, said: "ERROR: [095]: unable to find hostname in certificate", want: fault.Unavailable},
	} {
		err := meaningOf("pitr: try",
			&pitr.ExitError{Program: "pgbackrest", Code: one.exit, Said: []string{one.said}, Err: errors.New("x")})
		if fault.CodeOf(err) != one.want || fault.Remedy(err) == "" || !strings.Contains(err.Error(), one.said) {
			t.Errorf("%d is %v: %v", one.exit, fault.CodeOf(err), err)
		}
	}
}

func TestTheEnginesFileIsOnlyOfItsOwnStanza(t *testing.T) {
	conf := Conf{
		Cluster: config.Cluster{
			Stanza: "main", Keep: config.ClusterKeep{Full: 2, Diff: 6},
			Repository: config.Repository{
				S3: config.S3{Bucket: "b", Region: "r", Endpoint: "https://store:9000"}, Path: "pitr/db1/main", SkipVerify: true,
			},
		},
		Server: pitr.Server{DataDirectory: "/d", Port: "5433", Host: "/run/pg"}, Keys: Keys{Access: "A", Secret: "S"}, LockPath: LockPath,
	}
	text, err := conf.Text(OldestEngine)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"repo1-path=/pitr/db1/main", "repo1-s3-endpoint=store", "repo1-storage-port=9000", "repo1-storage-verify-tls=n",
		"repo1-s3-uri-style=path", "repo1-retention-full=2", "repo1-retention-diff=6", "lock-path=/run/pgbackrest",
		"[main]", "pg1-path=/d", "pg1-port=5433", "pg1-socket-path=/run/pg",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	conf.Cluster.Repository.S3.Endpoint = "http://127.0.0.1:9000"
	if _, err := conf.Text(OldestEngine); fault.CodeOf(err) != fault.Refused {
		t.Errorf("2.45 was given plain HTTP: %v", err)
	}
	if text, err := conf.Text(Version{Major: 2, Minor: 60}); err != nil || !strings.Contains(text, "repo1-s3-endpoint=http://127.0.0.1:9000") {
		t.Errorf("2.60: %v\n%s", err, text)
	}
	conf.Keys = Keys{Access: "A\nlock-path=/x"}
	if _, err := conf.Text(Version{Major: 2, Minor: 60}); err == nil {
		t.Error("a key brought a line of its own")
	}
}

func FuzzInfo(f *testing.F) {
	f.Add([]byte(recorded))
	f.Add([]byte(`[{"name":"main","status":{"code":99}}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		info, err := readInfo(raw, "main")
		if err != nil {
			return
		}
		_ = info.Fault()
		for _, b := range info.Whole(1) {
			if !backupLabel.MatchString(b.Label) {
				t.Errorf("label %q", b.Label)
			}
		}
		if _, err := json.Marshal(info); err != nil {
			t.Error(err)
		}
	})
}
