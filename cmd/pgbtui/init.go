package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/setup"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// `init`: from a machine with PostgreSQL to proven backups. Rules: every answer is tried before anything is written;
// no file that is there is changed; whatever is done already is not done again, so that it can be interrupted anywhere
// and run again; and it ends with what is protected now, and what is not.

type initOptions struct {
	*streams
	env      *environment
	settings *settings
	stores   *stores

	answersFile string
	databases   []string
	given       setup.Answers
	fromUnit    string
	dryRun      bool
}

func newInitCommand(p *program) *cobra.Command {
	o := &initOptions{streams: p.streams, env: p.environment, settings: p.settings, stores: p.stores}
	cmd := &cobra.Command{
		Use: "init", Short: "Set this host up: questions, configuration, units, first backup, first drill", Args: noArgs,
		Long: `Ask at most ten questions, try each answer on the real server and bucket, and set up what they say: the
configuration in /etc/pgbtui, the store's key for the units, units, users, polkit rule, the database role, and the
timers. Then make the first backup and the first drill, and say what is protected now and what is not.

What a flag or a file of answers (--answers) already says is not asked. Without a terminal nothing is asked: --bucket,
--region or --endpoint, and --key-file are needed then; everything else has a default. The file has the flags'
names with underscores:

  bucket: company-backups
  region: eu-central-1
  key_file: /root/backup-key     # in the format of ~/.aws/credentials; role: the instance's
  databases: "*"                 # or a list
  encryption: new                # or none, or age public keys
  keep_days: 30                  # all: nothing is ever deleted
  schedule: "*-*-* 02:00:00 UTC"

If there is a configuration, init leaves it alone and does what is still missing. You can stop it at any time
(Ctrl+C) and run it again. --from-unit takes over from a backup script's unit, and switches its timer off once a
drill has restored a backup of ours.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), o) },
	}
	f, a := cmd.Flags(), &o.given
	f.StringVar(&o.answersFile, "answers", "", "`file` of answers")
	f.BoolVar(&o.dryRun, "dry-run", false, "try the answers, print what would be written, and change nothing")
	f.StringVar(&o.fromUnit, "from-unit", "", "take over from the backup script that this `service` runs")
	f.StringVar(&a.Server, "server", "", "PostgreSQL: local, a port, a socket folder, or `host:port` (default local)")
	f.StringVar(&a.PasswordFile, "password-file", "", "`file` with the password of role pgbtui, for a server elsewhere")
	f.StringSliceVar(&o.databases, "databases", nil, "`names` and patterns (default \"*\": all, including later ones)")
	f.StringVar(&a.Bucket, "bucket", "", "`bucket` or bucket/prefix")
	f.StringVar(&a.Region, "region", "", "`region` of the bucket")
	f.StringVar(&a.Endpoint, "endpoint", "", "`URL` of a store that is not AWS")
	f.StringVar(&a.KeyFile, "key-file", "", "`file` with the store's key, or role for that of the instance")
	f.StringVar(&a.StorageClass, "storage-class", "", "storage `class` of dumps (default on AWS STANDARD_IA)")
	f.StringVar(&a.Encryption, "encryption", "", "none, new, or age public `keys` between blanks (default none)")
	f.StringVar(&a.KeepDays, "keep-days", "", "`days` after which sets are deleted, or all (default 30)")
	f.StringVar(&a.Schedule, "schedule", "", "when backups run: a `calendar` of systemd (default *-*-* 02:00:00 UTC)")
	f.StringVar(&a.Label, "label", "", "`text` for the console's first line")
	return cmd
}

func runInit(ctx context.Context, o *initOptions) error {
	if err := o.possible(); err != nil {
		return err
	}
	unlock, err := lockInit()
	if err != nil {
		return err
	}
	defer unlock()
	run := &initRun{initOptions: o, interview: newInterview(o.streams), binary: orThisBinary("")}
	defer run.key.close()
	if err := o.env.asUnits(); err != nil {
		return err
	}
	if run.here, err = run.existing(); err != nil {
		return err
	}
	if err := run.gather(); err != nil {
		return err
	}
	if run.here == nil || run.answersGiven {
		err = run.decide(ctx)
	} else {
		err = run.goOn(ctx)
	}
	if err != nil {
		return run.nothingChanged(err)
	}
	if o.dryRun {
		return run.printPlan()
	}
	return run.carryOut(ctx)
}

// possible refuses what cannot work here.
func (o *initOptions) possible() error {
	const what = "init"
	switch _, err := os.Lstat("/run/systemd/system"); {
	case os.Geteuid() != 0:
		return fault.New(fault.NotPermitted, what+": only root can install units and keys",
			"Run it as root: `sudo pgbtui init`.", nil)
	case o.env.configFile != "":
		return usageText("init writes " + config.DefaultFile + ": leave --config out")
	case o.fromUnit == "" && foreignUnit():
		return fault.New(fault.Refused, what+": there is a postgres-backup.service that pgbtui did not write",
			"Take its settings over: `sudo pgbtui init --from-unit postgres-backup.service`. Or move its files away first.", nil)
	case err != nil:
		return fault.New(fault.Unavailable, what+": no systemd runs here",
			"In an image, use `pgbtui units install --root DIR`, and run init on the machine.", nil)
	}
	return nil
}

// foreignUnit reports whether somebody else's unit has the name of ours.
func foreignUnit() bool {
	const file = "/etc/systemd/system/postgres-backup.service"
	_, err := os.Lstat(file)
	return err == nil && !systemd.WroteFile(file)
}

// lockInit keeps a second init out.
func lockInit() (unlock func(), err error) {
	file, err := os.OpenFile("/run/pgbtui-init.lock", os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fault.New(fault.Failed, "init: take its lock", "", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fault.New(fault.Temporary, "init: another init is running on this host", "Wait until it ends.", nil)
	}
	return func() { _ = file.Close() }, nil
}

// initRun is one run of init.
type initRun struct {
	*initOptions
	*interview
	binary string

	answers      setup.Answers
	answersGiven bool // by flag, file or unit: not by default alone
	old          *systemd.OldUnit
	here         *config.Config // what is there already; nil: nothing

	survey   *surveyed
	key      initKey
	identity string // text of a private key that is to be kept here; "": none
	settled  setup.Settled
	text     string         // of the configuration that is to be written; "": it is there
	config   *config.Config // that the jobs are taken from

	noServerPrograms bool // why this host cannot drill
	noPrivateKey     bool

	report systemd.Report
	failed error // of a first backup or drill
	result jsonInit
}

// gather collects what flags, file and unit say, in this order.
func (r *initRun) gather() error {
	o := r.initOptions
	r.answers = o.given
	r.answers.Databases = o.databases
	if o.answersFile != "" {
		file, err := setup.Read(o.answersFile)
		if err != nil {
			return err
		}
		r.answers = r.answers.Or(file)
	}
	settings := r.answers // a key can be given for a configuration that is there
	settings.KeyFile = ""
	settings.PasswordFile = ""
	r.answersGiven = settings.Given()
	if o.fromUnit == "" {
		return nil
	}
	return r.takeOver(o.fromUnit)
}

// existing is the configuration that is there; nil without one.
func (r *initRun) existing() (*config.Config, error) {
	if _, err := os.Lstat(config.DefaultFile); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r.settings.config()
}

// nothingChanged adds to an error of the questions what there is to know of their end.
func (r *initRun) nothingChanged(err error) error {
	if r.interview.open {
		r.tell("\nNothing was changed on this host.\n")
	}
	return err
}

// missing are the flags that nobody can be asked for.
func (r *initRun) missing() error {
	if r.interview.open {
		return nil
	}
	var flags []string
	if r.answers.Bucket == "" {
		flags = append(flags, "--bucket")
	}
	if r.answers.Region == "" && r.answers.Endpoint == "" {
		flags = append(flags, "--region or --endpoint")
	}
	if r.answers.KeyFile == "" {
		flags = append(flags, "--key-file")
	}
	if len(flags) == 0 {
		return nil
	}
	return fault.New(fault.Usage, "init: no terminal to ask on, or --json; still missing: "+strings.Join(flags, ", "),
		"Give them as flags or in a file (--answers), or run `sudo pgbtui init` on a terminal.", nil)
}
