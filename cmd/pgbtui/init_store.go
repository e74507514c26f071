package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/trial"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/setup"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// How answers about the store and about encryption are tried.

func (r *initRun) takeBucket(_ context.Context, answer string) (_ string, err error) {
	r.settled.Bucket, r.settled.Prefix, err = setup.Place(answer)
	return "", wrongAnswer(err)
}

func (r *initRun) takeStore(_ context.Context, answer string) (_ string, err error) {
	r.settled.Region, r.settled.Endpoint, err = setup.Store(answer)
	return "", wrongAnswer(err)
}

func (r *initRun) takeKeyFile(_ context.Context, answer string) (string, error) {
	switch {
	case answer == setup.Role:
		r.key.close()
		return "", nil
	case answer == oldKey && r.key.text != "":
		return "", nil
	}
	text, err := readKeyFile(answer)
	if err != nil {
		return "", err
	}
	return "", r.takeKey(text)
}

// takeKey takes a key, unless the units have another one already, which init would not replace.
func (r *initRun) takeKey(text string) error {
	there, err := bounded.ReadFile(writersFile(), bounded.File)
	if err == nil && strings.TrimSpace(string(there)) != strings.TrimSpace(text) {
		return fault.New(fault.Refused, "init: another key is in "+writersFile(),
			"Take that one (`--key-file "+writersFile()+"`), or move it away first.", nil)
	}
	return r.key.hold(text)
}

// tryStore does in the bucket what a backup does, by the rules of the answers so far.
func (r *initRun) tryStore(ctx context.Context) (said []string, err error) {
	r.settled.StorageClass = r.answers.StorageClass
	job, err := r.trialJob()
	if err != nil {
		return nil, err
	}
	reach := client{stores: &stores{env: r.env}, access: access{waitedFor: true}}
	defer reach.stores.close()
	bucket, err := reach.bucket(ctx, job)
	if err != nil {
		return nil, err
	}
	if err := bucket.Probe(ctx); err != nil {
		return nil, err
	}
	result := trial.Bucket(ctx, bucket, job)
	if err := result.Err(); err != nil {
		return nil, err
	}
	if err := trial.CheckClock(ctx, backup.Env{Bucket: bucket, Now: r.env.now}); err != nil {
		return nil, err
	}
	r.settled.ByTimer = result.MayNotDelete != nil
	said = append(said, strings.Join(result.Allowed, ", ")+" work at "+bucket.Location()+result.Key)
	if r.settled.ByTimer {
		said = append(said, "this key may not delete: that one object stays, and each trial writes it again")
	}
	if sets, err := reach.setsOfInstance(ctx, job); err == nil && len(sets) > 0 {
		said = append(said, fmt.Sprintf("%d sets of a host %s are there already: if that is another host, stop here, "+
			"and give this one another name (`instance` in docs/configuration.md)", len(sets), job.Instance))
	}
	for _, lack := range result.Lacks {
		said = append(said, "the store lacks "+lack.What+": "+lack.Detail+". "+lack.Remedy)
	}
	for _, f := range lifecycleFindings(ctx, bucket, job) {
		if !f.OK || f.Remedy != "" {
			said = append(said, f.Detail+" "+f.Remedy)
		}
	}
	return said, nil
}

// trialJob is the job of one database as the answers so far make it, with the key that is being tried.
func (r *initRun) trialJob() (config.Job, error) {
	text, err := setup.Config(r.settled)
	if err != nil {
		return config.Job{}, err
	}
	c, err := r.load(text)
	if err != nil {
		return config.Job{}, err
	}
	job := c.Jobs[0]
	if job.S3.Bucket != r.settled.Bucket || r.settled.Region != job.S3.Region {
		return config.Job{}, fault.New(fault.Refused, fmt.Sprintf("%s sets %s in %s, and wins over these answers",
			config.DefaultEnvFile, job.S3.Bucket, job.S3.Region),
			"Take S3_BUCKET and AWS_REGION out of "+config.DefaultEnvFile+" first.", nil)
	}
	if job.Several() {
		job = job.On(r.taken(job)[0])
	}
	job.S3.CredentialsFile = r.key.path()
	return job, nil
}

func (r *initRun) tryEncryption(_ context.Context, answer string) (string, error) {
	r.settled.Recipients = nil
	r.identity = ""
	r.noPrivateKey = false
	switch answer {
	case setup.NoEncryption:
		return "", nil
	case setup.NewKey:
		return r.newIdentity()
	}
	keys := strings.Fields(strings.ReplaceAll(answer, ",", " "))
	recipients, err := sealed.Recipients(keys)
	if err != nil {
		return "", err
	}
	r.settled.Recipients = keys
	mine, err := r.opens(recipients)
	if err != nil || mine {
		return "their private key is here: " + identityFile(), err
	}
	r.noPrivateKey = true
	return fmt.Sprintf("%d public keys; without the private key here there are no drills on this host", len(keys)), nil
}

func identityFile() string { return systemd.SecretDir + "/age-identity" }

// opens reports whether the private key that is on this host, if there is one, opens what these can.
func (r *initRun) opens(recipients []age.Recipient) (bool, error) {
	if _, err := os.Stat(identityFile()); err != nil {
		return false, nil //nolint:nilerr // there is none here, or none that can be read
	}
	identities, err := sealed.Identities(identityFile())
	if err != nil {
		return false, err
	}
	var sealedText strings.Builder
	w, err := age.Encrypt(&sealedText, recipients...)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return false, fmt.Errorf("init: try the public keys: %w", err)
	}
	_, err = age.Decrypt(strings.NewReader(sealedText.String()), identities...)
	var foreign *age.NoIdentityMatchError
	if errors.As(err, &foreign) {
		return false, nil
	}
	return err == nil, err
}

// newIdentity makes a key pair, or takes the one that a run before this one made.
func (r *initRun) newIdentity() (string, error) {
	if text, err := bounded.ReadFile(identityFile(), bounded.File); err == nil {
		identities, err := age.ParseIdentities(strings.NewReader(string(text)))
		if err != nil {
			return "", fault.New(fault.Config, "init: "+identityFile()+" is not an age identity file",
				"Move it away first.", nil)
		}
		own, ok := identities[0].(*age.X25519Identity)
		if !ok {
			return "", fault.New(fault.Config, "init: "+identityFile()+" holds no key of age's own kind",
				"Move it away first.", nil)
		}
		r.settled.Recipients = []string{own.Recipient().String()}
		return "the key pair of " + identityFile() + ", from before", nil
	}
	own, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("init: make a key pair: %w", err)
	}
	r.settled.Recipients = []string{own.Recipient().String()}
	r.identity = fmt.Sprintf("# Made by pgbtui init for %s\n# public key: %s\n%s\n", hostname(), own.Recipient(), own)
	return "a new key pair; its private key will be in " + identityFile() + ", because drills need it there", nil
}
