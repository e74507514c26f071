package doctor_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// machine is a host whose files are in a folder of the test, with the units as they are shipped.
type machine struct {
	*doctor.Machine
	t   testing.TB
	bus *bus
	job config.Job
}

// bus answers as systemd does for these units and timers.
type bus struct {
	units  []systemd.UnitState
	timers map[string]systemd.TimerState
}

func (b *bus) Timer(_ context.Context, name string) (systemd.Timer, error) {
	state, there := b.timers[name]
	if !there {
		state = systemd.TimerOn
	}
	return systemd.Timer{Name: name, Unit: strings.TrimSuffix(name, ".timer") + ".service", State: state, LoadState: "loaded"}, nil
}

func (b *bus) Unit(_ context.Context, name string) (systemd.UnitState, error) {
	return systemd.UnitState{Name: name, LoadState: "loaded"}, nil
}

func (b *bus) OtherTimers(ctx context.Context) (all []systemd.Timer, err error) {
	for _, name := range systemd.JobTimers("")[1:] {
		timer, _ := b.Timer(ctx, name)
		all = append(all, timer)
	}
	return all, nil
}

func (b *bus) Units(context.Context, ...string) ([]systemd.UnitState, error) { return b.units, nil }

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, bus: &bus{timers: map[string]systemd.TimerState{}}}
	m.job = config.Job{Name: "shop", Database: "shop", Drill: config.Drill{By: config.DrillByTimer}}
	m.Machine = &doctor.Machine{
		Root: t.TempDir(), Bus: m.bus, Config: &config.Config{Jobs: []config.Job{m.job}}, Now: time.Now,
		Channels: func(config.Job) (int, error) { return 1, nil },
		Journal:  func(context.Context) error { return nil },
		Analyze:  analysis("", "→ Overall exposure level for postgres-backup@shop.service: 1.1 OK"),
		StateDir: t.TempDir(),
	}
	files, err := systemd.Files(systemd.DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		m.write(f.Path, f.Text)
	}
	m.taken(`{"slack":"` + time.Now().UTC().Format(time.RFC3339) + `"}`)
	return m
}

// analysis is a systemd-analyze with these answers.
func analysis(verify, security string) func(context.Context, ...string) (string, error) {
	return func(_ context.Context, args ...string) (string, error) {
		if args[0] == "verify" {
			return verify, nil
		}
		return security, nil
	}
}

func (m *machine) path(p string) string { return filepath.Join(m.Root, p) }

func (m *machine) write(path, text string) {
	m.t.Helper()
	err := os.MkdirAll(filepath.Dir(m.path(path)), 0o750)
	if err == nil {
		err = os.WriteFile(m.path(path), []byte(text), 0o644)
	}
	if err == nil {
		err = os.Chmod(m.path(path), 0o644)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) taken(text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.StateDir, "taken.json"), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

const backupUnit = "/etc/systemd/system/postgres-backup@.service"

func TestAHostsUnitsAreJudgedByWhatIsThereAndWhatWasChanged(t *testing.T) {
	for _, c := range []struct {
		what  string
		ill   func(m *machine)
		check string
		want  doctor.Result
		says  string
	}{
		{"as shipped", nil, "units.files", doctor.OK, "equal"},
		{"none", func(m *machine) { m.Root = m.t.TempDir() }, "units.files", doctor.Warn, "no units"},
		{"an older one", func(m *machine) {
			m.write(backupUnit, "# Written by \"pgbtui units install\" of old\n")
		}, "units.files", doctor.Warn, "differs"},
		{"somebody else's", func(m *machine) { m.write(backupUnit, "[Service]\n") }, "units.files", doctor.Warn, "not written by pgbtui"},
		{"one is gone", func(m *machine) { _ = os.Remove(m.path(backupUnit)) }, "units.files", doctor.Warn, "is not there"},
		{"one that cannot be read", func(m *machine) {
			_ = os.Remove(m.path(backupUnit))
			_ = os.Mkdir(m.path(backupUnit), 0o755)
		}, "units.files", doctor.Unknown, "cannot be read"},

		{"no drop-in", nil, "units.drop-ins", doctor.OK, "none"},
		{"a schedule", func(m *machine) {
			m.write("/etc/systemd/system/postgres-backup@shop.timer.d/x.conf", "[Timer]\nOnCalendar=\n")
		}, "units.drop-ins", doctor.OK, "OnCalendar"},
		{"a looser sandbox", func(m *machine) {
			m.write(backupUnit+".d/x.conf", "[Service]\nProtectHome=no\nUser=root\n")
		}, "units.drop-ins", doctor.Warn, "ProtectHome, User"},
		{"one of no unit of ours", func(m *machine) {
			m.write("/etc/systemd/system/postgres-exporter.service.d/x.conf", "[Service]\nUser=root\n")
		}, "units.drop-ins", doctor.OK, "none"},

		{"one that is a folder", func(m *machine) {
			_ = os.MkdirAll(m.path(backupUnit+".d/x.conf"), 0o755)
		}, "units.drop-ins", doctor.Unknown, "x.conf"},

		{"understood", nil, "units.verify", doctor.OK, ""},
		{"a word that systemd does not know", func(m *machine) {
			m.Analyze = analysis("/etc/systemd/system/postgres-backup@.service.d/x.conf:2: Unknown key 'Foo' in section [Service], ignoring.\n", "")
		}, "units.verify", doctor.Warn, "Unknown key"},
		{"another's trouble", func(m *machine) { m.Analyze = analysis("/lib/systemd/system/x.service:2: nonsense\n", "") }, "units.verify", doctor.OK, ""},
		{"no analyzer", func(m *machine) {
			m.Analyze = func(context.Context, ...string) (string, error) { return "", exec.ErrNotFound }
		}, "units.verify", doctor.Unknown, "not installed"},
		{"an analyzer that fails", func(m *machine) {
			m.Analyze = func(context.Context, ...string) (string, error) { return "no bus", errors.New("exit status 1") }
		}, "units.verify", doctor.Unknown, "no bus"},

		{"closed", nil, "units.security", doctor.OK, "1.1"},
		{"open", func(m *machine) {
			m.Analyze = analysis("", "→ Overall exposure level for postgres-backup@shop.service: 8.3 EXPOSED")
		}, "units.security", doctor.Warn, "8.3"},
		{"no score", func(m *machine) { m.Analyze = analysis("", "access denied") }, "units.security", doctor.Unknown, "access denied"},

		{"timers on", nil, "units.timers", doctor.OK, "on"},
		{"the backup's off", func(m *machine) {
			m.bus.timers["postgres-backup.timer"], m.bus.timers["postgres-backup@shop.timer"] = systemd.TimerOff, systemd.TimerOff
		}, "units.timers", doctor.Fail, "is off"},
		{"the drill's off", func(m *machine) { m.bus.timers["postgres-backup-drill.timer"] = systemd.TimerOff }, "units.timers", doctor.Fail, "drill"},
		{"no systemd", func(m *machine) { m.Bus, m.BusErr = nil, errors.New("no bus") }, "units.timers", doctor.Unknown, "no bus"},

		{"nothing failed", nil, "units.start-limit", doctor.OK, ""},
		{"a failed unit", func(m *machine) {
			m.bus.units = []systemd.UnitState{{Name: "postgres-backup@shop.service", ActiveState: "failed"}}
		}, "units.start-limit", doctor.Warn, "reset-failed"},
		{"a unit that may not be started", func(m *machine) {
			m.bus.units = []systemd.UnitState{{
				Name: "postgres-backup@shop.service", ActiveState: "failed", Service: systemd.ServiceState{Result: "start-limit-hit"},
			}}
		}, "units.start-limit", doctor.Fail, "start-limit-hit"},
		{"nobody to ask of units", func(m *machine) { m.Bus, m.BusErr = nil, errors.New("no bus") }, "units.start-limit", doctor.Unknown, ""},

		{"the journal", nil, "units.journal", doctor.OK, ""},
		{"no right to read it", func(m *machine) { m.Journal = func(context.Context) error { return errors.New("denied") } }, "units.journal", doctor.Warn, "denied"},

		{"the rule", nil, "units.polkit", doctor.OK, ""},
		{"no rule", func(m *machine) { _ = os.Remove(m.path(systemd.PolkitRule())) }, "units.polkit", doctor.Fail, "not there"},

		{"a file in the place of the rule's folder", func(m *machine) {
			folder := filepath.Dir(m.path(systemd.PolkitRule()))
			_ = os.RemoveAll(folder)
			_ = os.WriteFile(folder, nil, 0o600)
		}, "units.polkit", doctor.Unknown, ""},

		{"modes", nil, "units.modes", doctor.OK, ""},
		{"a folder of secrets that is open", func(m *machine) {
			m.write(systemd.SecretDir+"/writer", "x")
			_ = os.Chmod(m.path(systemd.SecretDir), 0o755)
		}, "units.modes", doctor.Fail, systemd.SecretDir},

		{"no secrets", nil, "units.secrets", doctor.OK, "none in"},
		{"a secret of a unit", func(m *machine) { m.secret("writer") }, "units.secrets", doctor.OK, "writer"},
		{"a secret of none", func(m *machine) { m.secret("wirter") }, "units.secrets", doctor.Fail, "wirter"},

		{"a file in the place of the secrets", func(m *machine) {
			m.write(systemd.SecretDir, "x")
		}, "units.secrets", doctor.Unknown, ""},

		{"a key whose place cannot be looked at", func(m *machine) {
			m.job.Encryption.Recipients = []string{"age1x"}
			m.write(systemd.SecretDir, "x")
		}, "units.private-key", doctor.Unknown, ""},
		{"not encrypted", nil, "units.private-key", doctor.OK, "not encrypted"},
		{"encrypted, the key elsewhere", func(m *machine) { m.job.Encryption.Recipients = []string{"age1x"} }, "units.private-key", doctor.OK, "not on this host"},
		{"encrypted, the key here", func(m *machine) {
			m.job.Encryption.Recipients = []string{"age1x"}
			m.secret("age-identity")
		}, "units.private-key", doctor.Warn, "age-identity"},

		{"no key to copy", nil, "units.key-copy", doctor.OK, "not encrypted"},
		{"a copy that nobody showed", func(m *machine) { m.job.Encryption.Recipients = []string{"age1x"} }, "units.key-copy", doctor.Warn, "nobody ever did"},
		{"a copy that was shown", func(m *machine) { m.proves(time.Now()) }, "units.key-copy", doctor.OK, "ago"},
		{"long ago, a copy", func(m *machine) { m.proves(time.Now().AddDate(-2, 0, 0)) }, "units.key-copy", doctor.Warn, "ago"},
		{"half a memory of it", func(m *machine) {
			m.job.Encryption.Recipients = []string{"age1x"}
			m.write(doctor.KeyCopiesDir+"/key-copies.json", "{")
		}, "units.key-copy", doctor.Unknown, ""},

		{"an alert that arrived", nil, "units.alerts", doctor.OK, "slack"},
		{"none ever did", func(m *machine) { m.taken(`{}`) }, "units.alerts", doctor.Warn, "no channel has taken"},
		{"long ago", func(m *machine) { m.taken(`{"slack":"2020-01-01T00:00:00Z"}`) }, "units.alerts", doctor.Warn, "ago"},
		{"no memory of it", func(m *machine) { m.taken(`{`) }, "units.alerts", doctor.Unknown, ""},
		{"no channel", func(m *machine) { m.Channels = func(config.Job) (int, error) { return 0, nil } }, "units.alerts", doctor.Warn, "journal alone"},
		{"a wrong channel", func(m *machine) { m.Channels = func(config.Job) (int, error) { return 0, errors.New("bad address") } }, "units.alerts", doctor.Fail, "bad address"},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newMachine(t)
			if c.ill != nil {
				c.ill(m)
			}
			for _, f := range record(m.Checks(t.Context(), m.job)) {
				if f.ID != c.check {
					continue
				}
				if f.Result != c.want || !strings.Contains(f.Seen+f.Remedy, c.says) {
					t.Errorf("%+v", f)
				}
				return
			}
			t.Errorf("%s was not looked at", c.check)
		})
	}
}

// secret puts a file into the folder of secrets, as it should be.
func (m *machine) secret(name string) {
	m.t.Helper()
	m.write(systemd.SecretDir+"/"+name, "x")
	err := errors.Join(os.Chmod(m.path(systemd.SecretDir), 0o700), os.Chmod(m.path(systemd.SecretDir+"/"+name), 0o600))
	if err != nil {
		m.t.Fatal(err)
	}
}

// proves has somebody with the private key answer a challenge at a time.
func (m *machine) proves(at time.Time) {
	m.t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		m.t.Fatal(err)
	}
	m.job.Encryption.Recipients = []string{key.Recipient().String()}
	dir := m.path(doctor.KeyCopiesDir)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		m.t.Fatal(err)
	}
	challenge, err := doctor.AskForKey(dir, m.job.Encryption.Recipients, at)
	if err != nil {
		m.t.Fatal(err)
	}
	plain, err := age.Decrypt(armor.NewReader(strings.NewReader(challenge)), key)
	if err != nil {
		m.t.Fatal(err)
	}
	word, err := io.ReadAll(plain)
	if err == nil {
		err = doctor.AnswerForKey(dir, m.job.Encryption.Recipients, string(word), at)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

func TestAChallengeForTheKeyIsAnsweredOnceAndByItsWordAlone(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir, recipients := t.TempDir(), []string{key.Recipient().String()}
	if err := doctor.AnswerForKey(dir, recipients, "anything", time.Now()); fault.CodeOf(err) != fault.Refused {
		t.Errorf("nothing was asked: %v", err)
	}
	challenge, err := doctor.AskForKey(dir, recipients, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(armor.NewReader(strings.NewReader(challenge)), key)
	if err != nil {
		t.Fatal(err)
	}
	word, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.ReadFile(filepath.Join(dir, "key-copies.json"))
	if err != nil || strings.Contains(string(memory), strings.TrimSpace(string(word))) {
		t.Errorf("the word is kept: %s, %v", memory, err)
	}
	for _, c := range []struct {
		recipients []string
		word       string
		want       fault.Code
	}{
		{recipients, "wrong", fault.Integrity},
		{[]string{"age1other"}, string(word), fault.Refused},
		{recipients, strings.ToUpper(string(word)), fault.OK},
		{recipients, string(word), fault.Refused},
	} {
		if err := doctor.AnswerForKey(dir, c.recipients, c.word, time.Now()); fault.CodeOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := doctor.AskForKey(dir, []string{"no recipient"}, time.Now()); err == nil {
		t.Error("a challenge for nobody")
	}
	if _, err := doctor.AskForKey(filepath.Join(dir, "absent"), recipients, time.Now()); fault.CodeOf(err) != fault.NotPermitted {
		t.Errorf("no folder: %v", err)
	}
}
