package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// How init ends: with what is protected now, and with what is not. Rule: it is read anew, from the bucket and the
// server.

func (r *initRun) end(ctx context.Context) error {
	r.result = jsonInit{
		Schema: jsonSchema, File: config.DefaultFile, Text: r.text, Secrets: r.secretFiles(), Jobs: r.jobNames(),
		Steps: r.report.Steps, Databases: []jsonInitDatabase{}, NotProtected: []string{},
	}
	var proven, stored, bare []string
	for _, job := range r.config.Jobs {
		states, err := r.states(ctx, job)
		if err != nil {
			return err
		}
		for _, s := range states {
			r.result.Databases = append(r.result.Databases, jsonInitDatabase{
				Database: s.database, Job: job.Name, Set: s.set, Proof: s.level.String(),
			})
			switch {
			case s.set == "":
				bare = append(bare, s.database)
			case s.level < backup.LevelRestored:
				stored = append(stored, s.database)
			default:
				proven = append(proven, s.database)
			}
		}
	}
	uncovered, excluded := r.uncovered()
	for _, name := range uncovered {
		r.result.Databases = append(r.result.Databases, jsonInitDatabase{Database: name, Proof: "none"})
	}
	r.result.OK = len(stored)+len(bare)+len(uncovered) == 0 && len(proven) > 0
	if r.failed != nil {
		told := asFault(r.failed)
		r.result.Error = &told
	}
	r.lacks("has no backup yet", bare)
	r.lacks("has a backup, and no drill has restored it yet", stored)
	r.lacks("is in no job, and is not backed up", uncovered)
	r.lacks("is left out, as the configuration says", excluded)
	r.otherLacks()
	return r.printEnd(ctx, proven)
}

// lacks adds a sentence for databases of which something is true.
func (r *initRun) lacks(what string, databases []string) {
	for _, name := range databases {
		r.result.NotProtected = append(r.result.NotProtected, "Database "+name+" "+what+".")
	}
}

// uncovered are the databases of the server that no job takes, and of them those that somebody left out on purpose.
func (r *initRun) uncovered() (names, excluded []string) {
	if r.survey == nil {
		return nil, nil
	}
	for _, d := range r.survey.Databases {
		covered := slices.ContainsFunc(r.config.Jobs, func(job config.Job) bool {
			return r.surveyOf(job) != nil && job.Covers(d.Name)
		})
		switch {
		case covered:
		case r.config.Excluded(d.Name):
			excluded = append(excluded, d.Name)
		default:
			names = append(names, d.Name)
		}
	}
	return names, excluded
}

// otherLacks are what a person has to do, and no machine can.
func (r *initRun) otherLacks() {
	there := func(secret string) bool {
		_, err := os.Stat(path.Join(systemd.SecretDir, secret))
		return err == nil
	}
	say := func(text string) { r.result.NotProtected = append(r.result.NotProtected, text) }
	job := r.config.Jobs[0]
	encrypted := len(job.Encryption.Recipients) > 0
	switch {
	case encrypted && there("age-identity"):
		say("Without the private key nobody can read the backups, and its only copy may be on this host: copy " +
			identityFile() + " to a safe place elsewhere, now.")
	case encrypted:
		say("This host cannot read its backups, since the private key is elsewhere: drill where it is.")
	default:
		say("Passwords of roles are not in the backups, because they are not encrypted before they leave this host.")
	}
	if job.Drill.By == config.DrillByHand && !encrypted {
		say("No drills run on this host, so restores are not rehearsed.")
	}
	if len(job.Keep.Rules()) > 0 && job.Keep.By == config.PruneByTimer && !there(string(keeper)) {
		say("Nothing is deleted yet: put a key that may delete into " + path.Join(systemd.SecretDir, string(keeper)) +
			" (docs/iam.md#keeper), and run `sudo pgbtui units install --enable-prune " + printable.ShellWord(job.Name) + "`.")
	}
	if channels, _ := alertChannels(r.env, r.config, job); len(channels) == 0 && !there("alert-urls") {
		say("No alert is sent when a backup fails, only the journal has it: docs/alerts.md#channels.")
	}
	if job.S3.CredentialsFile == "" && there(string(writer)) {
		say("Nobody but root can look at the backups: give operators a key that only reads (docs/iam.md#restorer).")
	}
	say("What is written after a backup is not protected until the next one has run.")
}

func (r *initRun) printEnd(ctx context.Context, proven []string) error {
	if r.json {
		if err := r.printJSON(r.result); err != nil {
			return err
		}
	} else {
		r.printf("%s", folded("\nProtected now: "+printable.Text(protectedText(proven))+"\n", interviewColumns))
		for _, line := range r.nextRuns(ctx) {
			r.printf("  %s\n", line)
		}
		r.printf("Not protected:\n")
		for _, sentence := range r.result.NotProtected {
			r.printf("%s", folded("  -  "+printable.Text(sentence)+"\n", interviewColumns))
		}
		r.printf("Look at it with `sudo pgbtui`.\n")
	}
	return nil
}

func protectedText(proven []string) string {
	if len(proven) == 0 {
		return "nothing."
	}
	return strings.Join(proven, ", ") + ". Each has a backup in the bucket that was restored and compared in a drill."
}

// nextRuns say when each job is backed up next.
func (r *initRun) nextRuns(ctx context.Context) (lines []string) {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = bus.Close() }()
	for _, job := range r.config.Jobs {
		timer, err := bus.Timer(ctx, systemd.BackupTimer(job.Name))
		if err == nil && !timer.Next.IsZero() {
			lines = append(lines, fmt.Sprintf("next backup of job %s: %s", printable.Text(job.Name),
				timer.Next.UTC().Format("2006-01-02 15:04 MST")))
		}
	}
	return lines
}
