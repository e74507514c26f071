package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

type jsonConfig struct {
	Schema int       `json:"schema"`
	File   string    `json:"file"`
	Files  []string  `json:"jobFiles"` // of conf.d
	Label  string    `json:"label,omitempty"`
	Jobs   []jsonJob `json:"jobs"`
}

type jsonJob struct {
	Name      string        `json:"name"`
	Database  string        `json:"database"` // "" of a job of several
	Databases []string      `json:"databases,omitempty"`
	Instance  string        `json:"instance"`
	Location  string        `json:"location"`
	Encrypted bool          `json:"encrypted"`
	Retention string        `json:"retention"`
	Findings  []jsonFinding `json:"findings"`
}

type jsonFinding struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	None   bool   `json:"none,omitempty"` // there was nothing to look at
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
	Code   int    `json:"code"`
}

type configCheckOptions struct {
	*streams
	env     *environment
	config  func() (*config.Config, error)
	backups client // reaches stores as backups do
	copies  client // and these as copies do
	offline bool
}

func newConfigCheckCommand(p *program) *cobra.Command {
	o := &configCheckOptions{
		streams: p.streams, env: p.environment, config: p.config,
		backups: client{stores: p.stores, access: access{duty: writer}},
		copies:  client{stores: p.stores, access: access{duty: copier}},
	}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read configuration and environment, try the bucket and PostgreSQL, and say what is used",
		Long:  configHelp,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runConfigCheck(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.offline, "offline", false, "do not try to reach the bucket and PostgreSQL")
	return cmd
}

func runConfigCheck(ctx context.Context, o *configCheckOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	out := jsonConfig{
		Schema: jsonSchema, File: c.File, Files: append([]string{}, c.JobFiles...),
		Label: c.Label, Jobs: []jsonJob{},
	}
	worst := fault.OK
	for _, job := range jobsToCheck(ctx, c) {
		one := describeJob(job)
		one.Findings = o.findings(ctx, c, job)
		for _, f := range one.Findings {
			if !f.OK {
				worst = fault.Code(f.Code)
			}
		}
		out.Jobs = append(out.Jobs, one)
	}
	if err := printConfig(o.streams, out); err != nil {
		return err
	}
	return exitWith(worst)
}

func describeJob(job config.Job) jsonJob {
	retention := "nothing is deleted"
	if len(job.Keep.Rules()) > 0 {
		retention = fmt.Sprintf("%s, at least %d good sets; by the %s", job.Keep, job.Keep.MinGood, job.Keep.By)
	}
	return jsonJob{
		Name: job.Name, Database: job.Database, Databases: job.Databases, Instance: job.Instance,
		Location:  "s3://" + job.S3.Bucket + "/" + job.S3.Prefix,
		Encrypted: len(job.Encryption.Recipients) > 0, Retention: retention,
	}
}

// findings tries what a run will need.
func (o *configCheckOptions) findings(ctx context.Context, c *config.Config, job config.Job) []jsonFinding {
	found := []jsonFinding{checkDatabase(job), checkEncryption(job)}
	if signing, err := checkSigning(o.env, job); signing != "" || err != nil {
		found = append(found, finding("signing", signing, err))
	}
	channels, bad := alertChannels(o.env, c, job)
	alerts := finding("alerts", alertsDetail(len(channels)), errors.Join(bad...))
	alerts.None = alerts.OK && len(channels) == 0
	found = append(found, alerts)
	found = append(found, checkSecrets(c, job)...)
	if schedule, given := checkSchedule(ctx, c, job, o.env.now()); given {
		found = append(found, schedule)
	}
	if o.offline {
		const offline = "not tried, by --offline"
		return append(found, nothing("bucket", offline), nothing("postgresql", offline))
	}
	if job.Divided() {
		several, first, facts := checkSeveral(ctx, job)
		found = append(found, bucketFindings(ctx, o.backups, first)...)
		found = append(found, copyFindings(ctx, o.copies, first)...)
		found = append(found, several...)
		if facts != nil && job.Drill.By == config.DrillByTimer {
			found = append(found, checkDrills(ctx, o.env, first, *facts))
		}
	} else {
		found = append(found, bucketFindings(ctx, o.backups, job)...)
		found = append(found, copyFindings(ctx, o.copies, job)...)
	}
	if !job.Divided() && job.Database != "" {
		facts, detail, err := doctor.Server(ctx, job)
		found = append(found, finding("postgresql", detail, err))
		if err == nil && job.Drill.By == config.DrillByTimer {
			found = append(found, checkDrills(ctx, o.env, job, facts))
		}
	}
	timers, err := checkTimers(ctx, c, job)
	if timers == "" && err == nil {
		return append(found, nothing("timers",
			"not checked: no units of pgbtui are installed here, or systemd does not answer"))
	}
	return append(found, finding("timers", timers, err))
}

// checkDatabase fails where nothing would be backed up, whatever else is right.
func checkDatabase(job config.Job) jsonFinding {
	if job.Several() {
		return finding("database", severalText(job)+", found at each run", nil)
	}
	if job.Tenants() {
		return finding("database", job.Database+", a set of each schema "+tenantsText(job)+", found at each run", nil)
	}
	if job.Database == "" {
		return finding("database", "", fault.New(fault.Config, "none is configured: nothing is backed up",
			"Set DB_NAME, or add a section under `jobs:` to "+config.DefaultFile+".", nil))
	}
	return finding("database", job.Database, nil)
}

// tenantsText is what a job of tenants takes, as it is written.
func tenantsText(job config.Job) string {
	text := strings.Join(job.Schemas, ", ")
	if len(job.ExcludeSchemas) > 0 {
		text += " without " + strings.Join(job.ExcludeSchemas, ", ")
	}
	return text
}

// severalText is what a job of several databases takes, as it is written.
func severalText(job config.Job) string {
	text := strings.Join(job.Databases, ", ")
	if len(job.Exclude) > 0 {
		text += " without " + strings.Join(job.Exclude, ", ")
	}
	return text
}

func checkEncryption(job config.Job) jsonFinding {
	if len(job.Encryption.Recipients) == 0 {
		return nothing("encryption", "no recipients: sets are encrypted by the store alone (s3.sse: "+job.S3.SSE+")")
	}
	valid := fmt.Sprintf("recipients are valid: %d", len(job.Encryption.Recipients))
	return finding("encryption", valid, checkRecipients(job))
}

func alertsDetail(channels int) string {
	_, err := os.Stat(filepath.Join(systemd.SecretDir, "alert-urls"))
	if channels == 0 && errors.Is(err, fs.ErrPermission) {
		return "in the journal only, unless root has handed the watch addresses: sudo pgbtui config check --offline"
	}
	if channels == 0 {
		return "in the journal only"
	}
	return fmt.Sprintf("channels: %d; pgbtui alert test tries them", channels)
}

func finding(what, good string, err error) jsonFinding {
	if err == nil {
		return jsonFinding{What: what, OK: true, Detail: good}
	}
	return jsonFinding{What: what, Detail: oneLine(err), Remedy: fault.Remedy(err), Code: int(fault.CodeOf(err))}
}

// nothing is for what was not looked at, or has nothing to look at: no fault, and not right either.
func nothing(what, why string) jsonFinding {
	return jsonFinding{What: what, OK: true, None: true, Detail: why}
}

// oneLine joins errors that were gathered.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func checkRecipients(job config.Job) error {
	_, err := sealed.Recipients(job.Encryption.Recipients)
	return err
}

// checkSigning says how sets are signed and trusted, or nothing when they are not. A key that comes
// as a credential is seen by the unit only.
func checkSigning(env *environment, job config.Job) (string, error) {
	signer, err := env.signer(job)
	keys := len(job.Signing.PublicKeys)
	switch {
	case err != nil:
		return "", err
	case signer == nil && keys == 0:
		return "", nil
	case signer == nil:
		return fmt.Sprintf("only sets signed by %d configured keys are trusted; "+
			"no private key here: backups need the unit's credential signing-key", keys), nil
	case keys == 0:
		return "sets are signed by key " + signer.ID() +
			"; no public keys are configured, so that signatures are not checked here", nil
	case !signer.Among(job.Signing.PublicKeys):
		return "", fault.New(fault.Config, "the signing key "+signer.ID()+" is not among signing.public_keys",
			"Add its public key, or use the right private key.", nil)
	}
	return fmt.Sprintf("sets are signed by key %s; sets signed by %d configured keys are trusted",
		signer.ID(), keys), nil
}

func printConfig(to *streams, c jsonConfig) error {
	if to.json {
		return to.printJSON(c)
	}
	printFiles(to, c.File, c.Files)
	for _, j := range c.Jobs {
		switch {
		case len(j.Databases) > 0:
			to.sayf("\njob %s: databases %s to %s/%s\n", printable.Text(j.Name),
				printable.Text(strings.Join(j.Databases, ", ")), j.Location, printable.Text(j.Instance))
		case j.Database == "":
			to.sayf("\nno job, to %s/%s\n", j.Location, printable.Text(j.Instance))
		default:
			to.sayf("\njob %s: database %s to %s/%s\n", printable.Text(j.Name), printable.Text(j.Database),
				j.Location, printable.Text(j.Instance))
		}
		to.sayf("  encrypted by pgbtui: %v; retention: %s\n", j.Encrypted, j.Retention)
		for _, f := range j.Findings {
			to.sayf("  %s %s: %s\n", f.mark(), f.What, printable.Text(f.Detail))
			if f.Remedy != "" {
				to.sayf("       remedy: %s\n", printable.Text(f.Remedy))
			}
		}
	}
	return nil
}

func (f jsonFinding) mark() string {
	switch {
	case !f.OK:
		return "FAIL"
	case f.None:
		return "--  "
	}
	return "ok  "
}
