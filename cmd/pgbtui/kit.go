package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// The recovery kit: what somebody needs who has lost this host and has no pgbtui. Rule: nothing on it is a secret, so
// that it may lie where the keys do not.

type jsonKit struct {
	Schema int          `json:"schema"`
	At     time.Time    `json:"at"`
	Host   string       `json:"host"`
	Jobs   []jsonKitJob `json:"jobs"`
}

type jsonKitJob struct {
	Job           string       `json:"job"`
	Database      string       `json:"database"`
	Place         jsonKitPlace `json:"place"`
	AgeRecipients []string     `json:"ageRecipients"` // of sets from now on
	SigningKeys   []jsonKitKey `json:"signingKeys"`
	Set           *jsonKitSet  `json:"set"` // null: there is no good set
	Notes         []string     `json:"notes"`
	Commands      []string     `json:"commands"`
}

type jsonKitPlace struct {
	Bucket   string `json:"bucket"`
	Region   string `json:"region,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Owner    string `json:"owner,omitempty"`
	Prefix   string `json:"prefix"`
	Folder   string `json:"folder"`
}

type jsonKitKey struct {
	ID        string `json:"id"`
	PublicKey string `json:"publicKey"`
}

type jsonKitSet struct {
	ID            string    `json:"id"`
	FinishedAt    time.Time `json:"finishedAt"`
	Server        string    `json:"server,omitempty"`
	AgeRecipients []string  `json:"ageRecipients"` // any one of their private keys opens it
	Signer        string    `json:"signer,omitempty"`
}

type kitOptions struct {
	*streams
	env    *environment
	config func() (*config.Config, error)
	stores client
	job    string
}

func newKitCommand(p *program) *cobra.Command {
	o := &kitOptions{
		streams: p.streams, env: p.environment, config: p.config,
		stores: client{stores: p.stores, access: access{duty: dutyOf("kit"), waitedFor: true}},
	}
	cmd := &cobra.Command{
		Use:   "kit",
		Short: "Print a page for the safe: where the backups are, which keys they need, how to restore them without pgbtui",
		Args:  noArgs,
		Long: `Print what you need if this host is lost: where the bucket is, which keys are needed and the
fingerprints of those in use, and the commands that restore the newest good set of each job with the programs aws, age,
zstd and PostgreSQL's own. No secret is on it: keep the keys themselves in another place.

Print it again when keys, buckets or jobs change. Exit 3 if a job has no set to restore.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runKit(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "only this `job`")
	fromFlag(cmd, p.settings)
	return cmd
}

func runKit(ctx context.Context, o *kitOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := o.stores.expand(ctx, c).Backed(o.job)
	if err != nil {
		return err
	}
	kit := jsonKit{Schema: jsonSchema, At: o.env.now().UTC(), Host: hostname(), Jobs: []jsonKitJob{}}
	code := fault.OK
	for _, job := range jobs {
		one, err := o.ofJob(ctx, job)
		if err != nil {
			return err
		}
		if one.Set == nil {
			code = fault.Warnings
		}
		kit.Jobs = append(kit.Jobs, one)
	}
	if o.json {
		err = o.printJSON(kit)
	} else {
		printKit(o.streams, kit)
	}
	return cmp.Or(err, exitWith(code))
}

func (o *kitOptions) ofJob(ctx context.Context, job config.Job) (jsonKitJob, error) {
	bucket, err := o.stores.bucket(ctx, job)
	if err != nil {
		return jsonKitJob{}, err
	}
	sets, err := o.stores.setsOf(ctx, job)
	if err != nil {
		return jsonKitJob{}, err
	}
	set := newestToRestore(backup.WhoseOf(job).Of(sets))
	one := jsonKitJob{
		Job: job.Name, Database: job.Database, AgeRecipients: listed(job.Encryption.Recipients), SigningKeys: []jsonKitKey{},
		Place: placeOfKit(job, bucket), Notes: []string{},
		Commands: backup.LookRecipe(job, set, job.Signing.PublicKeys, bucket.Location(), bucket.Endpoint()),
	}
	for _, key := range job.Signing.PublicKeys {
		one.SigningKeys = append(one.SigningKeys, jsonKitKey{ID: signing.ID(key), PublicKey: backup.PublicKeyText(key)})
	}
	if set == nil {
		one.Notes = append(one.Notes, "There is no good set of this job: nothing can be restored yet.")
		return one, nil
	}
	one.Set = kitSet(set)
	one.Notes = append(one.Notes, kitNotes(job, set)...)
	one.Commands = append(one.Commands, backup.Recipe(set, bucket.Location(), bucket.Endpoint())...)
	return one, nil
}

// newestToRestore is the newest good set with a manifest, else the newest of the old script.
func newestToRestore(own []backup.Set) (found *backup.Set) {
	for i := range own {
		switch s := &own[i]; {
		case !s.Good():
		case s.Kind == backup.KindNative:
			return s
		case found == nil:
			found = s
		}
	}
	return found
}

func listed(items []string) []string { return append([]string{}, items...) }

func placeOfKit(job config.Job, bucket *s3.Bucket) jsonKitPlace {
	return jsonKitPlace{
		Bucket: job.S3.Bucket, Region: bucket.Region(), Endpoint: bucket.Endpoint(), Owner: job.S3.ExpectedOwner,
		Prefix: job.S3.Prefix, Folder: bucket.Location() + backup.FolderOf(job),
	}
}

func kitSet(s *backup.Set) *jsonKitSet {
	one := &jsonKitSet{ID: s.ID, FinishedAt: s.FinishedAt.UTC(), AgeRecipients: []string{}}
	if m := s.Manifest; m != nil {
		one.Server, one.Signer = "PostgreSQL "+m.Server.Version, m.Signer
		one.AgeRecipients = listed(m.Encryption.Recipients)
	}
	return one
}

// kitNotes are what would otherwise be found out too late.
func kitNotes(job config.Job, s *backup.Set) (notes []string) {
	if s.Manifest == nil {
		return nil
	}
	used := slices.Sorted(slices.Values(s.Manifest.Encryption.Recipients))
	if !slices.Equal(used, slices.Sorted(slices.Values(job.Encryption.Recipients))) {
		notes = append(notes, "The newest set is encrypted for other recipients than the configuration names: "+
			"keep the private keys of both.")
	}
	known := func(k ed25519.PublicKey) bool { return signing.ID(k) == s.Manifest.Signer }
	if s.Manifest.Signer != "" && !slices.ContainsFunc(job.Signing.PublicKeys, known) {
		notes = append(notes, "The newest set names a signing key that the configuration does not: "+
			"its signature cannot be checked with this page.")
	}
	if s.Class == "GLACIER" || s.Class == "DEEP_ARCHIVE" {
		notes = append(notes, "Its storage class is "+s.Class+": the objects have to be restored in the store before they "+
			"can be read, which takes hours.")
	}
	return notes
}

func printKit(to *streams, kit jsonKit) {
	to.printf("RECOVERY KIT of %s, printed %s\n", printable.Text(kit.Host), kit.At.Format("2006-01-02 15:04 UTC"))
	to.sayf("No secret is on this page. Print it again when keys, buckets or jobs change.\n")
	to.printf("\n")
	to.sayf("You need a Linux shell with aws, zstd, sha256sum, grep and PostgreSQL's clients " +
		"(no older than the server below), a server to restore into, and of keys:\n")
	to.sayf("- one of the store that may list and read (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the shell)\n")
	if kit.any(func(j jsonKitJob) bool {
		return len(j.AgeRecipients) > 0 || j.Set != nil && len(j.Set.AgeRecipients) > 0
	}) {
		to.sayf("- age, and the private key of one of the age recipients below, in a file KEYFILE: " +
			"age-keygen -y KEYFILE prints the recipient that it is for\n")
	}
	if kit.any(func(j jsonKitJob) bool { return len(j.SigningKeys) > 0 }) {
		to.sayf("- openssl, to check signatures: only the public keys below are needed for that\n")
	}
	for _, j := range kit.Jobs {
		printKitJob(to, j)
	}
}

func (k jsonKit) any(is func(jsonKitJob) bool) bool { return slices.ContainsFunc(k.Jobs, is) }

func printKitJob(to *streams, j jsonKitJob) {
	line := func(name, value string) {
		if value != "" {
			to.sayf("  %-15s %s\n", name, printable.Text(value))
		}
	}
	to.printf("\nJOB %s\n", printable.Text(j.Job))
	line("database", j.Database)
	line("bucket", j.Place.Bucket)
	line("region", j.Place.Region)
	line("endpoint", j.Place.Endpoint)
	line("AWS account", j.Place.Owner)
	line("folder", j.Place.Folder)
	line("age recipients", strings.Join(j.AgeRecipients, " "))
	for _, key := range j.SigningKeys {
		line("signing key", key.ID+"  "+key.PublicKey)
	}
	if j.Set != nil {
		line("newest set", j.Set.ID+", finished "+j.Set.FinishedAt.Format(time.RFC3339)+", "+
			cmp.Or(j.Set.Server, "of the old script"))
		line("  encrypted for", strings.Join(j.Set.AgeRecipients, " "))
		line("  signed by", j.Set.Signer)
	}
	for _, note := range j.Notes {
		line("NOTE", note)
	}
	to.printf("\n")
	for _, command := range j.Commands {
		// As show prints them: quoted for a shell, then made safe for the terminal.
		to.printf("  %s\n", printable.Text(command))
	}
}
