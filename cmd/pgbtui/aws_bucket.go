package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup/posture"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// `aws bucket plan` and `aws bucket apply`: what the buckets of the configuration are set to, against what its jobs
// want. One bucket is planned once, for all its jobs.

type awsBucketOptions struct {
	*streams
	client
	config  func() (*config.Config, error)
	apply   bool
	check   bool
	yes     bool
	profile string
	without []string
}

func newAWSBucketCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "bucket", Short: "Compare the bucket's settings with what the jobs want, and set them", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usageText("aws bucket needs plan or apply") },
	}
	cmd.AddCommand(newBucketPlanCommand(p), newBucketApplyCommand(p))
	return cmd
}

func newAWSBucketOptions(p *program) *awsBucketOptions {
	return &awsBucketOptions{streams: p.streams, config: p.config, client: client{stores: p.stores}}
}

func (o *awsBucketOptions) flags(cmd *cobra.Command) {
	var parts []string
	for _, part := range posture.Parts() {
		parts = append(parts, string(part))
	}
	cmd.Flags().StringSliceVar(&o.without, "without", nil,
		"leave a `part` alone: "+strings.Join(parts, ", ")+"; may be given several times")
	cmd.Flags().StringVar(&o.profile, "profile", "", "use this `profile` of your own AWS files, not s3.credentials_file")
	// It fails for a flag that is not there alone.
	_ = cmd.RegisterFlagCompletionFunc("without", cobra.FixedCompletions(parts, cobra.ShellCompDirectiveNoFileComp))
}

func newBucketPlanCommand(p *program) *cobra.Command {
	o := newAWSBucketOptions(p)
	cmd := &cobra.Command{
		Use: "plan", Short: "Show which settings of the bucket differ from what the jobs want", Args: noArgs,
		Long: `Read versioning, default encryption, public access block and lifecycle rules of each bucket of the
configuration, and show what 'aws bucket apply' would change. Wanted are versioning, encryption, no public access, and
for each instance lifecycle rules that abort uploads which nobody completed (7 days), delete old versions (14 days), and
move dumps as s3.transition says. Rules of other people stay, and where one does what is wanted, none is added.
Object lock and the bucket's policy are shown and never changed.

With --check the exit code is 3 if a setting differs, or if a rule of somebody else deletes or archives what retention
keeps. It takes the rights of 'aws policy --role bucket', with a key of yours: docs/bucket.md.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAWSBucket(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.check, "check", false, "exit with 3 if something differs")
	return cmd
}

func newBucketApplyCommand(p *program) *cobra.Command {
	o := newAWSBucketOptions(p)
	o.apply = true
	cmd := &cobra.Command{
		Use: "apply", Short: "Set the bucket as 'aws bucket plan' shows", Args: noArgs,
		Long: `Show what 'aws bucket plan' shows, ask, and put the changes: lifecycle rules first, versioning last. Rules of
other people are put back as they were read. Right before, the bucket is read again: if somebody changed it meanwhile,
nothing is put (exit 75). Afterwards it is read until it has the settings.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAWSBucket(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

// bucketJobs are the jobs of one bucket.
type bucketJobs struct {
	bucket *s3.Bucket
	jobs   []config.Job
}

func runAWSBucket(ctx context.Context, o *awsBucketOptions) error {
	without, err := o.leftOut()
	if err != nil {
		return err
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	buckets, err := o.buckets(ctx, c)
	if err != nil {
		return err
	}
	out := jsonBuckets{Schema: jsonSchema, Buckets: []jsonBucket{}}
	for _, b := range buckets {
		one, err := o.one(ctx, b, without)
		if err != nil {
			return err
		}
		out.Buckets = append(out.Buckets, one)
	}
	if o.json {
		if err := o.printJSON(out); err != nil {
			return err
		}
	}
	if o.check && out.differs() {
		return exitWith(fault.Warnings)
	}
	return nil
}

// one plans a bucket, and applies the plan.
func (o *awsBucketOptions) one(ctx context.Context, b bucketJobs, without []posture.Part) (jsonBucket, error) {
	state, err := posture.Read(ctx, b.bucket, without)
	if err != nil {
		return jsonBucket{}, err
	}
	plan, err := posture.For(state, b.jobs, without)
	if err != nil {
		return jsonBucket{}, err
	}
	out := newJSONBucket(b.bucket, plan, without)
	if !o.json {
		printBucket(o.streams, out, o.apply)
	}
	if !o.apply || len(plan.Changes) == 0 {
		return out, nil
	}
	consequence := fmt.Sprintf("%s gets %s.", b.bucket.Location(), counted(len(plan.Changes), "change"))
	if err := o.agreed(ctx, consequence, o.yes); err != nil {
		return out, err
	}
	if err := plan.Apply(ctx, b.bucket); err != nil {
		return out, err
	}
	left, err := posture.Confirm(ctx, b.bucket, b.jobs, without)
	if err != nil {
		return out, err
	}
	if len(left.Changes) > 0 {
		return out, fault.New(fault.Failed, fmt.Sprintf("%s does not show %s of what was put (%s)", b.bucket.Location(),
			counted(len(left.Changes), "change"), left.Changes[0].What),
			"Run `pgbtui aws bucket plan` in a few minutes: some stores take settings and do not keep them.", nil)
	}
	out.Applied = true
	if !o.json {
		o.sayf("%s is set as the jobs want.\n", b.bucket.Location())
	}
	return out, nil
}

func (o *awsBucketOptions) leftOut() ([]posture.Part, error) {
	var parts []posture.Part
	for _, name := range o.without {
		if !slices.Contains(posture.Parts(), posture.Part(name)) {
			return nil, usageText(
				fmt.Sprintf("--without %s: there are versioning, encryption, public-access and lifecycle", name))
		}
		parts = append(parts, posture.Part(name))
	}
	if len(parts) > 0 && len(slices.Compact(slices.Sorted(slices.Values(parts)))) == len(posture.Parts()) {
		return nil, usageText("--without leaves nothing to do")
	}
	return parts, nil
}

// buckets are those of the configuration, each with its jobs.
func (o *awsBucketOptions) buckets(ctx context.Context, c *config.Config) ([]bucketJobs, error) {
	jobs, err := c.Named("") // rules go by folders, so that nobody has to know the databases of a job of several
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, fault.New(fault.Config, "no job is configured", "Write a job into the configuration first.", nil)
	}
	type place struct{ endpoint, bucket string }
	var order []place
	of := map[place][]config.Job{}
	for _, j := range jobs {
		if o.profile != "" {
			j.S3.CredentialsFile, j.S3.Profile = "", o.profile
		}
		at := place{endpoint: j.S3.Endpoint, bucket: j.S3.Bucket}
		if of[at] == nil {
			order = append(order, at)
		}
		of[at] = append(of[at], j)
	}
	var out []bucketJobs
	for _, at := range order {
		b, err := o.bucket(ctx, of[at][0])
		if err != nil {
			return nil, err
		}
		out = append(out, bucketJobs{bucket: b, jobs: of[at]})
	}
	return out, nil
}
