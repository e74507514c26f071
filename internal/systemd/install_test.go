package systemd

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// tree is every file below dir with its mode and text, and every link with its target.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		if d.Type()&fs.ModeSymlink != 0 {
			all[name], err = os.Readlink(path)
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		all[name] = info.Mode().String() + "\n" + string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func put(t *testing.T, root, path, text string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustInstall(t *testing.T, o InstallOptions) *Report {
	t.Helper()
	report, err := Install(t.Context(), o)
	if err != nil {
		t.Fatalf("Install: %v (%s)", err, fault.Remedy(err))
	}
	return report
}

// changed reports whether anything on the machine is different now.
func changed(r *Report) bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool {
		return !slices.Contains([]Action{Unchanged, Kept, Ran, Note}, s.Action)
	})
}

func TestInstallingTwiceChangesNothing(t *testing.T) {
	dir := t.TempDir()
	o := InstallOptions{Root: dir, Enable: []string{"", "sales", "a b"}, EnablePrune: []string{"a b"}}
	if first := mustInstall(t, o); !changed(first) {
		t.Error("the first installation says that nothing changed")
	}
	before := tree(t, dir)
	if second := mustInstall(t, o); changed(second) {
		t.Errorf("the second installation changed something: %+v", second.Steps)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	for _, base := range []string{"postgres-backup", "postgres-backup-verify", "postgres-backup-drill", "postgres-backup-prune"} {
		link := "/etc/systemd/system/timers.target.wants/" + base + "@a\\x20b.timer"
		if before[link] != "/etc/systemd/system/"+base+"@.timer" {
			t.Errorf("%s points to %q", link, before[link])
		}
	}
	if link := "/etc/systemd/system/timers.target.wants/postgres-backup-prune@sales.timer"; before[link] != "" {
		t.Error("the prune timer of a job that nobody asked for is on")
	}
}

func TestDrillsAreSwitchedOnUnlessTheyAreForPeople(t *testing.T) {
	dir := t.TempDir()
	on := func(timer string) bool {
		_, err := os.Lstat(filepath.Join(dir, wantsDir, timer))
		return err == nil
	}
	mustInstall(t, InstallOptions{Root: dir, Enable: []string{"", "sales", "tiny"}, DrillByHand: []string{"tiny"}})
	for timer, want := range map[string]bool{
		"postgres-backup-drill.timer": true, "postgres-backup-drill@sales.timer": true,
		"postgres-backup-drill@tiny.timer": false, "postgres-backup@tiny.timer": true, "postgres-backup-verify@tiny.timer": true,
	} {
		if on(timer) != want {
			t.Errorf("%s: on %v, want %v", timer, on(timer), want)
		}
	}
	mustInstall(t, InstallOptions{Root: dir, Enable: []string{"sales"}, DrillByHand: []string{"sales"}})
	if on("postgres-backup-drill@sales.timer") || !on("postgres-backup-drill.timer") || !on("postgres-backup@sales.timer") {
		t.Error("a drill that is for people now is still on, or something else is off")
	}
	if again := mustInstall(t, InstallOptions{Root: dir, Enable: []string{"sales"}, DrillByHand: []string{"sales"}}); changed(again) {
		t.Errorf("once more changed something: %+v", again.Steps)
	}
}

func TestARoleIsNotForgottenInAnImage(t *testing.T) {
	dir := t.TempDir()
	if _, err := Install(t.Context(), InstallOptions{Root: dir, DatabaseRole: true}); fault.CodeOf(err) != fault.Usage {
		t.Errorf("%v", err)
	}
	if files := tree(t, dir); len(files) > 0 {
		t.Errorf("refused, and wrote %v", files)
	}
}

func TestUninstallRemovesWhatInstallMadeAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "/etc/systemd/system/other.service", "[Service]\nExecStart=/bin/true\n")
	put(t, dir, "/etc/systemd/system/postgres-backup.service.d/mine.conf", "[Service]\nNice=0\n")
	put(t, dir, "/etc/pgbtui/config.yaml", "jobs: {}\n")
	before := tree(t, dir)
	mustInstall(t, InstallOptions{Root: dir, Enable: []string{"sales"}})
	report, err := Uninstall(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(report.Steps, func(s Step) bool { return s.Action == Kept && strings.HasSuffix(s.What, "/etc/pgbtui") }) {
		t.Errorf("the report does not say that the configuration stays: %+v", report.Steps)
	}
}

// A folder of a unit's belongs to its user, who may put anything there.
func TestUninstallRemovesCopiesOfTheBucketAndSaysWhatStaysAndWhy(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	put(t, outside, "/documents/precious", "x")
	put(t, dir, "/var/lib/pgbtui/prune/documents/a.documents", "x")
	put(t, dir, "/var/lib/pgbtui/verify/documents/a.documents", "x")
	put(t, dir, "/var/lib/pgbtui/backup/documents/a.documents", "x")
	put(t, dir, "/var/lib/pgbtui/backup/sales.json", "{}")
	put(t, dir, "/var/lib/pgbtui/watch/told.json", "{}")
	put(t, dir, "/var/lib/pgbtui/mine/note", "x")
	put(t, dir, "/var/lib/pgbtui/doctor/sales.json", "{}")
	put(t, dir, "/var/lib/pgbtui/doctor/key-copies.json", "{}")
	if err := os.Mkdir(filepath.Join(dir, "/var/lib/pgbtui/requests"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"drill": outside, "restore": "../../../.." + outside} {
		if err := os.Symlink(target, filepath.Join(dir, "/var/lib/pgbtui", link)); err != nil {
			t.Fatal(err)
		}
	}
	report, err := Uninstall(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Step{
		"prune": {Action: Removed}, "verify": {Action: Removed},
		"backup": {Action: Kept, Detail: "which set each job made last"}, "watch": {Action: Kept, Detail: "what was told"},
		"doctor":   {Action: Kept, Detail: "when a copy of the private key was proven"},
		"requests": {Action: Kept, Detail: "requests for restores"}, "mine": {Action: Kept, Detail: "not written"},
		"drill": {Action: Kept, Detail: "not written"}, "restore": {Action: Kept},
	} {
		i := slices.IndexFunc(report.Steps, func(s Step) bool { return s.What == filepath.Join(dir, "/var/lib/pgbtui", name) })
		if i < 0 || report.Steps[i].Action != want.Action || !strings.Contains(report.Steps[i].Detail, want.Detail) {
			t.Errorf("%s: %+v", name, report.Steps)
		}
	}
	for _, gone := range []string{"prune", "verify", "backup/documents", "doctor/sales.json"} {
		if _, err := os.Lstat(filepath.Join(dir, "/var/lib/pgbtui", gone)); err == nil {
			t.Errorf("%s is left", gone)
		}
	}
	for _, kept := range []string{filepath.Join(outside, "documents/precious"), filepath.Join(dir, "/var/lib/pgbtui/backup/sales.json"), filepath.Join(dir, "/var/lib/pgbtui/mine/note"), filepath.Join(dir, "/var/lib/pgbtui/doctor/key-copies.json")} {
		if _, err := os.Stat(kept); err != nil {
			t.Error(err)
		}
	}
}

// The units of a hand-made backup, as such things look.
const (
	oldService = `[Unit]
Description=nightly dump
[Service]
Type=oneshot
User=postgres
Environment=DB_NAME=production S3_BUCKET=old-bucket
Environment="AWS_REGION=eu-central-1" 'NOTE=100%% of it' \
   # a comment between
   RETENTION_DAYS=30
Environment=DB_USER=postgres
EnvironmentFile=-/etc/default/backup
EnvironmentFile=-/etc/default/missing
ExecStart=/usr/local/bin/backup.sh
[Install]
WantedBy=multi-user.target
`
	oldTimer = `[Timer]
OnCalendar=Mon..Fri 01:30
OnCalendar=Sat,Sun 05:00 Europe/Berlin
[Install]
WantedBy=timers.target
`
)

func oldRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, plainService, oldService)
	put(t, dir, plainTimer, oldTimer)
	put(t, dir, "/etc/default/backup", "# ours\nAWS_REGION=eu-west-1\nSLACK_WEBHOOK_URL=\"https://hooks.example/a b\"\n")
	put(t, dir, envFile, "S3_BUCKET=new-bucket")
	wants := filepath.Join(dir, unitDir, "multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(plainService, filepath.Join(wants, "postgres-backup.service")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestForeignUnitIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	dir := oldRoot(t)
	before := tree(t, dir)
	_, err := Install(t.Context(), InstallOptions{Root: dir})
	if fault.CodeOf(err) != fault.Refused || !strings.Contains(fault.Remedy(err), "--adopt") {
		t.Fatalf("Install = %v, remedy %q", err, fault.Remedy(err))
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestAdoptionKeepsTheOldFilesTheirSettingsAndTheirTimes(t *testing.T) {
	dir := oldRoot(t)
	report := mustInstall(t, InstallOptions{Root: dir, Adopt: true})
	after := tree(t, dir)
	for path, want := range map[string]string{plainService: oldService, plainTimer: oldTimer} {
		if _, text, _ := strings.Cut(after[path+adoptedSuffix], "\n"); text != want {
			t.Errorf("%s%s holds %q", path, adoptedSuffix, text)
		}
		if !strings.Contains(after[path], marker) {
			t.Errorf("%s was not replaced", path)
		}
	}
	got := map[string]string{}
	for _, v := range parseEnvironment(after[envFile]) {
		got[v.name] = v.value
	}
	want := map[string]string{
		"S3_BUCKET": "new-bucket", "DB_NAME": "production", "AWS_REGION": "eu-west-1", "NOTE": "100% of it",
		"RETENTION_DAYS": "30", "SLACK_WEBHOOK_URL": "https://hooks.example/a b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment: %s\n%s", diff, after[envFile])
	}
	if !strings.HasPrefix(after[envFile], "-rw-r-----") || !strings.Contains(after[envFile], "# DB_USER=postgres") {
		t.Errorf("environment file:\n%s", after[envFile])
	}
	dropIn := after[plainTimer+".d/"+calendarName]
	if !strings.Contains(dropIn, "[Timer]\nOnCalendar=\nOnCalendar=Mon..Fri 01:30\nOnCalendar=Sat,Sun 05:00 Europe/Berlin\n") {
		t.Errorf("drop-in:\n%s", dropIn)
	}
	if _, there := after[unitDir+"/multi-user.target.wants/postgres-backup.service"]; there {
		t.Error("the service still runs at every boot")
	}
	if !slices.ContainsFunc(report.Steps, func(s Step) bool { return s.Action == Note && strings.Contains(s.What, "DB_USER") }) {
		t.Error("nobody is told that the login as postgres is switched off")
	}
	if again := mustInstall(t, InstallOptions{Root: dir, Adopt: true}); changed(again) {
		t.Errorf("adopting again changed something: %+v", again.Steps)
	}
	if diff := cmp.Diff(after, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsAdoptedOverAnEarlierCopy(t *testing.T) {
	dir := oldRoot(t)
	put(t, dir, plainService+adoptedSuffix, "precious")
	before := tree(t, dir)
	if _, err := Install(t.Context(), InstallOptions{Root: dir, Adopt: true}); fault.CodeOf(err) != fault.Refused {
		t.Errorf("Install = %v", err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestMaskedAndLinkedUnitsAreRefused(t *testing.T) {
	for _, target := range []string{"/dev/null", "/srv/units/postgres-backup.service"} {
		dir := t.TempDir()
		put(t, dir, unitDir+"/x", "")
		if err := os.Symlink(target, filepath.Join(dir, plainService)); err != nil {
			t.Fatal(err)
		}
		_, err := Install(t.Context(), InstallOptions{Root: dir, Adopt: true})
		if fault.CodeOf(err) != fault.Refused {
			t.Errorf("link to %s: Install = %v", target, err)
		}
		if target == "/dev/null" && !strings.Contains(fault.Remedy(err), "unmask") {
			t.Errorf("remedy for a masked unit: %q", fault.Remedy(err))
		}
	}
}

func TestForeignFileThatIsNoPlainUnitIsNeverAdopted(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, polkitFile, "polkit.addRule(function() {});\n")
	if _, err := Install(t.Context(), InstallOptions{Root: dir, Adopt: true}); fault.CodeOf(err) != fault.Refused {
		t.Errorf("Install = %v", err)
	}
}

func TestExistingDropInsAreNamedAndUntouched(t *testing.T) {
	dir := t.TempDir()
	dropIn := unitDir + "/postgres-backup.service.d/override.conf"
	put(t, dir, dropIn, "[Service]\nUser=postgres\n")
	report := mustInstall(t, InstallOptions{Root: dir})
	if _, text, _ := strings.Cut(tree(t, dir)[dropIn], "\n"); text != "[Service]\nUser=postgres\n" {
		t.Errorf("drop-in became %q", text)
	}
	var out bytes.Buffer
	if _, err := report.WriteTo(&out); err != nil || !strings.Contains(out.String(), dropIn) {
		t.Errorf("report:\n%s", out.String())
	}
}

func TestEnvironmentLinesComeBackAsTheyWere(t *testing.T) {
	for _, value := range []string{"", "plain", "two words", `quote"s`, `back\slash`, "$HOME `x`", "'single'", "ünï", "#no comment", "100%", `trail\`} {
		got := parseEnvironment("# c\n" + environmentLine(variable{"X", value}) + "\n")
		if len(got) != 1 || got[0].value != value {
			t.Errorf("%q came back as %+v", value, got)
		}
	}
}

func FuzzUnitFile(f *testing.F) {
	f.Add(oldService)
	f.Add(oldTimer)
	f.Add("[Service]\nEnvironment=\\\n#x\n\\\nA=\"b")
	f.Add("X=\"a\\\"b\"\nY='z'\nZ=\\")
	f.Fuzz(func(t *testing.T, text string) {
		for _, value := range values(parseUnit(text), "Service", "Environment") {
			splitWords(value)
		}
		seen := map[string]string{}
		for _, v := range parseEnvironment(text) {
			seen[v.name] = v.value
		}
		for name := range seen {
			if !isVariable(name) {
				t.Errorf("%q is taken for a variable's name", name)
			}
		}
	})
}
