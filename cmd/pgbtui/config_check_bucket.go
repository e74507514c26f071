package main

import (
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lifecycle"
	"codeberg.org/pgbtui/pgbtui/internal/backup/trial"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// What `config check` asks of the bucket. That it answers says nothing of whether a backup can be written there, so
// that is tried, with the key that backups have.

// bucketFindings tries the bucket, as far as it is reached.
func bucketFindings(ctx context.Context, backups client, job config.Job) []jsonFinding {
	env := backups.stores.env
	bucket, err := backups.bucket(ctx, job)
	if err == nil {
		err = bucket.Probe(ctx)
	}
	found := []jsonFinding{finding("bucket", "reachable", err)}
	if bucket == nil {
		return found
	}
	if owner := job.S3.ExpectedOwner; owner != "" {
		found = append(found, finding("bucket owner", "account "+owner+"; the store compares", bucket.CheckOwner(ctx)))
	}
	if job.ObjectLock.Mode != "" {
		lock := dump.CheckObjectLock(ctx, bucket, job.ObjectLock, env.now)
		found = append(found, finding("object lock", job.ObjectLock.String(), lock))
	}
	if err == nil && job.Database != "" {
		found = append(found, checkRights(ctx, env, bucket, job)...)
	}
	if err == nil {
		found = append(found, lifecycleFindings(ctx, bucket, job)...)
		if off := trial.CheckClock(ctx, backup.Env{Bucket: bucket, Now: env.now}); off != nil {
			found = append(found, finding("clock", "", off))
		}
	}
	return found
}

// copyFindings try the places of a job's copies in the same way, with the copier's key.
func copyFindings(ctx context.Context, copies client, job config.Job) (all []jsonFinding) {
	for _, c := range job.Copies {
		at, _ := job.AtCopy(c.Name)
		at.Keep.By = config.PruneByTimer // a copier deletes nothing
		for _, found := range bucketFindings(ctx, copies, at) {
			found.What = "copy " + c.Name + ": " + found.What
			all = append(all, found)
		}
	}
	return all
}

// lifecycleFindings compare the bucket's lifecycle rules with the job's retention; none where the bucket has no rules.
func lifecycleFindings(ctx context.Context, bucket *s3.Bucket, job config.Job) (found []jsonFinding) {
	const what = "lifecycle"
	rules, err := bucket.Lifecycle(ctx)
	switch {
	case err != nil:
		one := nothing(what,
			"the bucket's lifecycle rules cannot be read, so whether they delete or move sets is not known: "+oneLine(err))
		one.Remedy = "Give the key s3:GetLifecycleConfiguration (docs/iam.md#writer), or look at the rules yourself."
		return append(found, one)
	case len(rules) == 0:
		return nil
	}
	for _, c := range lifecycle.Conflicts(job, rules) {
		if c.Costs {
			one := nothing(what, c.What)
			one.Remedy = c.Remedy
			found = append(found, one)
			continue
		}
		found = append(found, finding(what, "", fault.New(fault.Config, c.What, c.Remedy, nil)))
	}
	if len(found) == 0 {
		found = append(found, finding(what, "no rule of the bucket deletes or moves what retention keeps", nil))
	}
	return found
}

// checkRights tries what a backup does there, and cleans up. What the store lacks is no fault: it is told with what
// is lost by it.
func checkRights(ctx context.Context, env *environment, bucket *s3.Bucket, job config.Job) []jsonFinding {
	result := trial.Bucket(ctx, bucket, job)
	found := []jsonFinding{rightsFinding(env, bucket, job, result)}
	for _, lack := range result.Lacks {
		one := nothing(lack.What, lack.Detail)
		one.Remedy = lack.Remedy
		found = append(found, one)
	}
	return found
}

func rightsFinding(env *environment, bucket *s3.Bucket, job config.Job, result trial.Result) jsonFinding {
	const what = "bucket rights"
	tried := strings.Join(result.Allowed, ", ") + " work at " + bucket.Location() + result.Key
	err := result.Err()
	switch {
	case err != nil && fault.CodeOf(err) == fault.NotPermitted && env.keyHidden(writer):
		return nothing(what, "this user's key may not write there, which is right for people's keys; "+
			"`sudo pgbtui config check` tries the backups' own")
	case err != nil:
		return finding(what, "", err)
	case result.MayNotDelete == nil:
		return finding(what, tried+", where nothing is left", nil)
	case len(job.Keep.Rules()) > 0 && job.Keep.By == config.PruneByBackup:
		return finding(what, "", fault.New(fault.NotPermitted,
			"backups may not delete what no rule keeps ("+result.MayNotDelete.Error()+"), and each would end with a warning",
			"Give the backups' key s3:DeleteObject, or set keep.by: timer and let a keeper delete (docs/iam.md#keeper).", nil))
	}
	return finding(what, tried+
		"; delete is refused, as it should be for backups without rules to keep, so that this object stays", nil)
}

// jobsToCheck are those of the configuration; without any, those that timers on this host are for.
func jobsToCheck(ctx context.Context, c *config.Config) []config.Job {
	if len(c.Jobs) > 0 {
		return c.Jobs
	}
	var jobs []config.Job
	if bus := ownUnits(ctx, c); bus != nil {
		defer func() { _ = bus.Close() }()
		timers, _ := bus.Timers(ctx) // whoever cannot ask is told that nothing is configured
		for _, timer := range timers {
			name, plain, ok := systemd.JobOf(timer.Name)
			if job, err := c.Job(name); ok && !plain && err == nil {
				jobs = append(jobs, job)
			}
		}
	}
	if len(jobs) == 0 {
		return c.All()
	}
	return jobs
}
