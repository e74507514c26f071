package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/setup"
)

// The questions of init, in their order. At the end there is a configuration, as it would be read.

// decide settles every answer, and then makes the configuration of them.
func (r *initRun) decide(ctx context.Context) error {
	if r.here != nil {
		r.interview.open = false // nobody is asked what a configuration says already
	}
	if err := r.missing(); err != nil {
		return err
	}
	if r.interview.open {
		r.tell("pgbtui sets up backups of PostgreSQL: ten questions at most, and nothing is written before you agree. " +
			"Enter takes the answer in brackets; Ctrl+C ends this.\n")
	}
	for _, ask := range []func(context.Context) error{
		r.askServer, r.askDatabases, r.askStore, r.askEncryption, r.askKeep, r.askSchedule,
	} {
		if err := ask(ctx); err != nil {
			return err
		}
	}
	r.settled.Label = r.answers.Label
	if err := r.compose(); err != nil {
		return err
	}
	if r.here != nil {
		return r.sameAsHere()
	}
	if r.answered == 0 || r.dryRun {
		return nil // whoever gave all answers by flags has agreed
	}
	r.tellPlan()
	return r.agree(ctx)
}

func (r *initRun) askServer(ctx context.Context) error {
	d := setup.Defaults()
	_, err := r.settle(ctx, question{
		name: "server", ask: "PostgreSQL server", byDefault: d.Server, try: r.tryServer,
		text: "Which server? local is the one of this host, by its socket; else a port, a socket folder, or HOST:PORT.",
	}, r.answers.Server)
	return err
}

func (r *initRun) askDatabases(ctx context.Context) error {
	text := "There are " + r.survey.list() + ". Which of them? * takes all, and those that are created later; else " +
		"names and patterns such as crm_*."
	_, err := r.settle(ctx, question{
		name: "databases", ask: "Databases", byDefault: setup.EveryOne, text: text, try: r.tryDatabases,
	}, strings.Join(r.answers.Databases, ","))
	return err
}

// askStore settles bucket, place and key, which can only be tried together.
func (r *initRun) askStore(ctx context.Context) error {
	given := r.answers
	for before := (setup.Answers{}); ; {
		bucket, err := r.settle(ctx, question{
			name: "bucket", ask: "Bucket", byDefault: before.Bucket, try: r.takeBucket,
			text: "The bucket that backups go to, and a folder in it if you like: company-backups/databases.",
		}, given.Bucket)
		if err != nil {
			return err
		}
		where, err := r.settle(ctx, question{
			name: "region", ask: "Region or URL", byDefault: before.Region, try: r.takeStore,
			text: "The bucket's region on AWS, such as eu-central-1, or the URL of another store.",
		}, storeAnswer(given))
		if err != nil {
			return err
		}
		if err := r.askKey(ctx, given.KeyFile); err != nil {
			return err
		}
		r.tell("  trying the bucket …\n")
		said, err := r.tryStore(ctx)
		if err == nil {
			for _, line := range said {
				r.tell("  ok: %s\n", line)
			}
			return nil
		}
		if ctx.Err() != nil || !r.interview.open {
			return err
		}
		r.refuse(question{hidden: true}, "", true, err)
		r.tell("  Answer the questions about the store again.\n")
		before.Bucket, before.Region = bucket, where
		given = setup.Answers{}
	}
}

func storeAnswer(a setup.Answers) string {
	return strings.TrimSpace(a.Endpoint + " " + a.Region)
}

// sameKey is the answer that keeps a key which was given before, and could not be tried for another reason.
const sameKey = "the same"

// askKey settles whose key reaches the store. What is there already, from a run before, is offered.
func (r *initRun) askKey(ctx context.Context, file string) error {
	if file != "" {
		_, err := r.settle(ctx, question{name: "key_file", ask: "Key file", try: r.takeKeyFile}, file)
		return err
	}
	q := question{name: "key_file", ask: "Access key ID", byDefault: setup.Role, text: "The ID of the key that makes " +
		"backups there (docs/iam.md#writer). role is this instance's own."}
	switch _, err := os.Lstat(writersFile()); {
	case r.key.text != "":
		q.byDefault = sameKey
	case err == nil:
		q.byDefault = writersFile()
		q.text += " There is one from before."
	}
	var id string
	q.try = func(ctx context.Context, answer string) (string, error) {
		id = ""
		switch {
		case answer == sameKey && r.key.text != "":
			return "", nil
		case answer == setup.Role, strings.Contains(answer, "/"):
			return r.takeKeyFile(ctx, answer)
		}
		id = answer
		return "", checkKeyPart(answer)
	}
	if _, err := r.settle(ctx, q, ""); err != nil || id == "" {
		return err
	}
	_, err := r.settle(ctx, question{
		name: "secret", ask: "Secret access key (not shown)", hidden: true,
		try: func(_ context.Context, secret string) (string, error) {
			if err := checkKeyPart(secret); err != nil {
				return "", err
			}
			return "", r.takeKey(typedKey(id, secret))
		},
	}, "")
	return err
}

func checkKeyPart(part string) error {
	if strings.ContainsAny(part, " \t\r\n#;[]") {
		return errors.New("keys have no blanks and none of # ; [ ]: copy it again")
	}
	return nil
}

func (r *initRun) askEncryption(ctx context.Context) error {
	_, err := r.settle(ctx, question{
		name: "encryption", ask: "Encryption", byDefault: setup.NoEncryption, try: r.tryEncryption,
		text: "Encrypt backups before they leave this host? none leaves it to the store; new makes a key pair here; or " +
			"give age public keys (age1…), whose private keys stay where they are.",
	}, r.answers.Encryption)
	return err
}

func (r *initRun) askKeep(ctx context.Context) error {
	_, err := r.settle(ctx, question{
		name: "keep_days", ask: "Days to keep", byDefault: setup.Defaults().KeepDays, try: r.tryKeep,
		text: "For how many days are backups kept? all: nothing is ever deleted.",
	}, r.answers.KeepDays)
	return err
}

func (r *initRun) askSchedule(ctx context.Context) error {
	_, err := r.settle(ctx, question{
		name: "schedule", ask: "Schedule", byDefault: setup.Defaults().Schedule, try: r.trySchedule,
		text: "When do backups run? A calendar as systemd.time(7) has it; in UTC no clock change moves it.",
	}, r.answers.Schedule)
	return err
}

// compose makes the configuration, and reads it as every run will.
func (r *initRun) compose() error {
	r.settled.DrillByHand = r.noServerPrograms || r.noPrivateKey
	text, err := setup.Config(r.settled)
	if err != nil {
		return err
	}
	c, err := r.load(text)
	if err != nil {
		return err
	}
	r.text, r.config = text, c
	return nil
}

// load reads a configuration that is not written yet, with the units' environment.
func (r *initRun) load(text string) (*config.Config, error) {
	return config.Load(config.Source{
		File: config.DefaultFile, EnvFile: config.DefaultEnvFile, Text: []byte(text),
		Getenv: func(string) string { return "" }, Hostname: hostname(),
	})
}

// sameAsHere refuses answers that a configuration which is there already does not follow.
func (r *initRun) sameAsHere() error {
	text, err := bounded.ReadFile(config.DefaultFile, bounded.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if string(text) != r.text {
		return fault.New(fault.Refused, "init: "+config.DefaultFile+" exists, and differs from these answers",
			"Edit it, and run `sudo pgbtui init` without answers, which follows it. Or move it away first.", nil)
	}
	r.text, r.config = "", r.here
	return nil
}

// goOn is for a configuration that is there already.
func (r *initRun) goOn(ctx context.Context) error {
	r.config = r.here
	r.tell("%s exists and stays as it is; what is still missing is done.\n", config.DefaultFile)
	if len(r.config.Jobs) == 0 {
		return fault.New(fault.Config, "init: there is no job in "+config.DefaultFile,
			"Add one below `jobs:` (docs/configuration.md), or move the file away and answer init's questions.", nil)
	}
	for _, job := range r.config.Jobs {
		r.settled.ByTimer = r.settled.ByTimer || job.Keep.By == config.PruneByTimer
	}
	_, err := os.Lstat(writersFile())
	noKey := err != nil && r.config.Jobs[0].S3.CredentialsFile == ""
	if r.answers.KeyFile != "" || noKey && r.interview.open {
		if err := r.askKey(ctx, r.answers.KeyFile); err != nil {
			return err
		}
	}
	local := slices.IndexFunc(r.config.Jobs, func(j config.Job) bool { return setup.IsSocket(j.Postgres.Host) })
	if local < 0 {
		return nil
	}
	at := r.config.Jobs[local].Postgres
	survey, err := lookAtServer(ctx, at, "")
	if err != nil {
		return err
	}
	r.survey = survey
	return nil
}
