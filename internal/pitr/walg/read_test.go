package walg

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

const mib = 1 << 20

// listed is the form of `backup-list --detail --json`, by the structs of WAL-G 3.0.9.
const listed = `[{"backup_name":"base_000000010000000000000004","time":"2026-11-28T02:00:09Z","wal_file_name":"000000010000000000000004",
"storage_name":"default","start_time":"2026-11-28T02:00:00.1Z","finish_time":"2026-11-28T02:00:09.2Z","date_fmt":"%Y-%m-%dT%H:%M:%S.%fZ",
"hostname":"db1","data_dir":"/d","pg_version":150014,"start_lsn":67108904,"finish_lsn":67109136,"is_permanent":false,
"system_identifier":7713343485064556447,"uncompressed_size":22992745,"compressed_size":3039819},
{"backup_name":"base_000000010000000000000006_D_000000010000000000000004","time":"2026-11-28T03:00:09Z",
"start_time":"2026-11-28T03:00:00Z","finish_time":"2026-11-28T03:00:09Z","pg_version":150014,"start_lsn":100663336,"finish_lsn":100663568,
"system_identifier":7713343485064556447,"uncompressed_size":100,"compressed_size":10}]`

func TestWhatWALGListsIsReadWithWhatIsInTheStorage(t *testing.T) {
	details, err := readBackups([]byte(listed))
	if err != nil {
		t.Fatal(err)
	}
	const full, delta = "base_000000010000000000000004", "base_000000010000000000000006_D_000000010000000000000004"
	there := parts{data: true, control: true}
	for _, one := range []struct {
		files map[string]parts
		whole []string
		lost  int
	}{
		{files: map[string]parts{full: there, delta: there}, whole: []string{full, delta}},
		{files: map[string]parts{full: there, delta: {data: true}}, whole: []string{full}, lost: 1},
		{files: map[string]parts{full: {control: true}, delta: there}, lost: 2},
	} {
		var h pitr.Holdings
		fill(&h, details, one.files, 16*mib)
		var whole []string
		for _, b := range h.Whole() {
			whole = append(whole, b.Label)
		}
		if !slices.Equal(whole, one.whole) || len(h.Problems) != one.lost || h.Version != "15" || h.SystemID != "7713343485064556447" {
			t.Errorf("%v: %+v", one.files, h)
		}
		if b := h.Backups[1]; b.Type != "delta" || b.Prior != full || b.StopSegment != "000000010000000000000006" {
			t.Errorf("%+v", b)
		}
	}
	var h pitr.Holdings
	fill(&h, details[1:], map[string]parts{delta: there}, 16*mib)
	if len(h.Whole()) != 0 || !strings.Contains(h.Problems[0].What, full) {
		t.Errorf("without its full backup a delta is whole: %+v", h)
	}
}

func TestWhatWALGCannotHaveWrittenIsRefused(t *testing.T) {
	for from, to := range map[string]string{
		`"base_000000010000000000000004"`:         `"../../etc"`,
		`_D_000000010000000000000004"`:            `_D_00000001000000000000000g"`,
		`"finish_time":"2026-11-28T02:00:09.2Z"`:  `"finish_time":"2126-11-28T02:00:09.2Z"`,
		`"finish_lsn":67109136`:                   `"finish_lsn":1`,
		`"compressed_size":10`:                    `"compressed_size":-10`,
		`"system_identifier":7713343485064556447`: `"system_identifier":1e400`,
	} {
		text := strings.Replace(listed, from, to, 1)
		if text == listed {
			t.Fatalf("%s is not in what is listed", from)
		}
		if _, err := readBackups([]byte(text)); fault.CodeOf(err) != fault.Integrity || fault.Remedy(err) == "" {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// storage is the form of `st ls --recursive`, with what somebody else put there.
const storage = `type size    last modified                           name
obj  1983    2026-11-28 02:00:09.123456789 +0000 UTC 000000010000000000000006.lz4
obj  1208    2026-11-28 02:00:10 +0000 UTC           000000010000000000000007.zst  v1 x
obj  368     2026-11-28 02:00:10 +0000 UTC           000000010000000000000007.00000028.backup.lz4
obj  17      2026-11-28 02:00:10 +0000 UTC           000000010000000000000008.partial.lz4
obj  17      2026-11-28 02:00:10 +0000 UTC           0000000100000000FFFFFFFF.lz4
obj  41      2026-11-28 02:00:10 +0000 UTC           00000002.history.lz4
dir  0       0001-01-01 00:00:00 +0000 UTC           000000010000000000000009
obj  41      2026-11-28 02:00:10 +0000 UTC           base_000000010000000000000004/tar_partitions/part_001.tar.lz4
obj  41      2026-11-28 02:00:10 +0000 UTC           base_000000010000000000000004/tar_partitions/pg_control.tar.lz4
`

func TestAListingIsReadByWhatWALGStores(t *testing.T) {
	segments, files := pitr.Segments{}, map[string]parts{}
	err := eachName(strings.NewReader(storage+strings.Repeat("x", 3*longestLine)), walFolder, func(name string) {
		addSegment(segments, name, 16*mib)
		addPart(files, name)
	})
	if err != nil || len(segments) != 1 || !slices.Equal(segments[1], []uint64{6, 7}) {
		t.Errorf("%v, %v", segments, err)
	}
	if len(files) != 1 || files["base_000000010000000000000004"] != (parts{data: true, control: true}) {
		t.Errorf("%v", files)
	}
}

func TestOnlyAWALGForPostgreSQLThatIsNotTooOldIsTaken(t *testing.T) {
	for text, want := range map[string]string{
		"wal-g version v3.0.9\t3e493188\t2026.08.20_14:00:00\tPostgreSQL\n": "3.0.9",
		"wal-g version v2.0.1\tb7d53dd\t2022.08.25_09:34:20\tPostgreSQL\n":  "2.0.1",
		"wal-g version devel\tdevel\tdevel\tPostgreSQL\n":                   "devel",
	} {
		if got, err := readVersion(text); err != nil || got != want {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]fault.Code{
		"wal-g version v1.1\tx\ty\tPostgreSQL\n": fault.Refused,
		"wal-g version v3.0.9\tx\ty\tMySQL\n":    fault.Config,
		"GNU tar":                                fault.Config,
	} {
		if _, err := readVersion(text); fault.CodeOf(err) != want || fault.Remedy(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatWALGVerifiesIsBadWhereASegmentIsLost(t *testing.T) {
	const text = `{"integrity":{"status":"OK","details":[{"timeline_id":1,"start_segment":"A","end_segment":"B","segments_count":3,"status":"FOUND"}]},
"timeline":{"status":"OK","details":{"current_timeline_id":1,"highest_storage_timeline_id":1}}}`
	for from, ok := range map[string]bool{
		`"integrity":{"status":"OK"`: true, `"integrity":{"status":"WARNING"`: true, `"integrity":{"status":"FAILURE"`: false,
	} {
		v, err := readReport([]byte(strings.Replace(text, `"integrity":{"status":"OK"`, from, 1)))
		if err != nil || v.OK != ok || len(v.Lines) != 3 {
			t.Errorf("%s: %+v, %v", from, v, err)
		}
	}
	for _, other := range []string{"", "{}", "[]", `{"integrity":{"status":"OK"}}`} {
		if _, err := readReport([]byte(other)); err == nil {
			t.Errorf("%q is a report", other)
		}
	}
}

func TestABackupWithTablespacesIsNotRestoredOverTheLiveOnes(t *testing.T) {
	for text, want := range map[string]fault.Code{
		`{"Spec":{"base_prefix":"/d","tablespaces":[]}}`: fault.OK,
		`{"LSN":1}`: fault.OK,
		`{"Spec":{"tablespaces":["16385"],"16385":{"loc":"/srv/t","link":"pg_tblspc/16385"}}}`: fault.Refused,
		`{"spec":{"tablespaces":["16385"],"16385":{"loc":"/srv/t","link":"pg_tblspc/16385"}}}`: fault.Refused,
		`{"Spec":{"tablespaces":"16385"}}`: fault.Integrity,
		`base`:                             fault.Integrity,
	} {
		if err := refuseTablespaces("base_1", []byte(text)); fault.CodeOf(err) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAnExitOfWALGHasACodeByWhatItSays(t *testing.T) {
	for said, want := range map[string]fault.Code{
		"ERROR: failed to list s3 folder: AccessDenied: Access Denied": fault.NotPermitted,
		"ERROR: dial tcp: lookup store: no such host":                  fault.Unavailable,
		"ERROR: write: no space left on device":                        fault.NoSpace,
		"ERROR: something else":                                        fault.Failed,
	} {
		end := &pitr.ExitError{Program: "wal-g", Code: 1, Said: []string{said}, Err: errors.New("x")}
		if err := meaningOf("pitr: try", end); fault.CodeOf(err) != want || !strings.Contains(err.Error(), said) {
			t.Errorf("%s is %v", said, err)
		}
	}
}

func TestSettingsAreAFileOfWALGsOrLinesOfAnEnvironment(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) *WALG {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return &WALG{Cluster: config.Cluster{ConfigFile: file}}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "ours")
	own := write("wal-g.json", "{}")
	if s, err := own.settings(); err != nil || !slices.Equal(s.options, []string{"--config=" + own.Cluster.ConfigFile}) || s.env != nil {
		t.Errorf("%+v, %v", s, err)
	}
	lines := write("wal-g.env", "# comment\nexport WALG_S3_PREFIX='s3://b/p q'\nAWS_REGION=r\n")
	s, err := lines.settings()
	if err != nil || !slices.Equal(s.env, []string{"AWS_REGION=r", "WALG_S3_PREFIX=s3://b/p q"}) || s.options != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if env := lines.Environment(); slices.Contains(env, "AWS_ACCESS_KEY_ID=ours") || !slices.Contains(env, "AWS_REGION=r") {
		t.Errorf("a key of this program's reaches it: %q", env)
	}
	if _, err := write("broken", "what is this\n").settings(); fault.CodeOf(err) != fault.Config {
		t.Error(err)
	}
	if _, err := (&WALG{Cluster: config.Cluster{ConfigFile: dir + "/none"}}).settings(); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func FuzzBackups(f *testing.F) {
	f.Add([]byte(listed), mib)
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		details, err := readBackups(raw)
		if err != nil || !pitr.ValidSegmentBytes(int64(size)) {
			return
		}
		files := map[string]parts{}
		for _, b := range details {
			files[b.Name] = parts{data: true, control: true}
		}
		var h pitr.Holdings
		fill(&h, details, files, int64(size))
		if len(h.Backups) != len(details) {
			t.Errorf("%d of %d", len(h.Backups), len(details))
		}
	})
}

func FuzzListing(f *testing.F) {
	f.Add(storage)
	f.Fuzz(func(_ *testing.T, text string) {
		segments, files := pitr.Segments{}, map[string]parts{}
		_ = eachName(strings.NewReader(text), walFolder, func(name string) {
			addSegment(segments, name, mib)
			addPart(files, name)
		})
		segments.Sort()
	})
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"integrity":{"status":"OK","details":[]},"timeline":{"status":"OK","details":{}}}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_, _ = readReport(raw)
		_ = refuseTablespaces("x", raw)
	})
}
