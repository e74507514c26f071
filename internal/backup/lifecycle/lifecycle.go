// Package lifecycle compares what a bucket's lifecycle rules do with what a job expects of the bucket.
package lifecycle

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Conflict is what one rule does to sets of a job that the job does not expect.
type Conflict struct {
	What   string // begins with the rule
	Remedy string
	Costs  bool // it costs more than it seems to; nothing is lost
}

// Conflicts are those of the rules that touch the job's sets, in the order of the rules.
func Conflicts(job config.Job, rules []s3.LifecycleRule) []Conflict {
	var all []Conflict
	for i := range rules {
		if r := &rules[i]; r.Enabled && Touches(r, job) {
			all = append(all, conflictsOf(r, job)...)
		}
	}
	return all
}

// Touches reports whether objects of the job's sets can be below the rule's prefix.
func Touches(r *s3.LifecycleRule, job config.Job) bool {
	folder := backup.Root(job.S3.Prefix) + backup.EncodeName(job.Instance) + "/"
	if job.Database != "" {
		folder = backup.FolderOf(job)
	}
	return strings.HasPrefix(folder, r.Prefix) || strings.HasPrefix(r.Prefix, folder)
}

func conflictsOf(r *s3.LifecycleRule, job config.Job) (all []Conflict) {
	name := ruleName(r)
	if r.ExpireDays > 0 || !r.ExpireAt.IsZero() {
		when := fmt.Sprintf("after %d days", r.ExpireDays)
		if r.ExpireDays == 0 {
			when = "on " + r.ExpireAt.UTC().Format("2006-01-02")
		}
		all = append(all, Conflict{
			What: name + " deletes sets " + when + " by their age alone, also the newest good one if backups have stopped; " +
				keepText(job.Keep),
			Remedy: "Take the expiration out of that rule, or limit it to another prefix. Retention (keep) deletes sets, " +
				"and knows which ones must stay.",
		})
	}
	if r.AbortDays == 1 {
		all = append(all, Conflict{
			What:   name + " aborts uploads a day after they began, so that a backup that takes longer cannot be completed",
			Remedy: "Let that rule wait for 7 days.",
		})
	}
	for _, t := range r.Transitions {
		switch {
		case t.Noncurrent:
		case dumpsAlone(r) && isArchive(t.Class):
			all = append(all, archivedDumps(name, t, job)...)
		default:
			all = append(all, transition(name, t, job)...)
		}
	}
	return all
}

// dumpsAlone reports whether the rule leaves everything alone that is read to list and choose sets.
func dumpsAlone(r *s3.LifecycleRule) bool { return r.OverBytes >= backup.MaxContentsStored }

func isArchive(class string) bool { return class == "GLACIER" || class == "DEEP_ARCHIVE" }

// archivedDumps is a conflict unless the job's configuration says the same.
func archivedDumps(name string, t s3.Transition, job config.Job) []Conflict {
	longest, ends := Longest(job.Keep)
	asWanted := job.Transition == config.Transition{Class: t.Class, Days: t.Days}
	if asWanted || ends && t.At.IsZero() && t.Days >= longest {
		return nil
	}
	return []Conflict{{
		What: name + " moves dumps to " + t.Class + " " + whenText(t) + ": from then on they cannot be " +
			"verified, drilled or " +
			"restored until they are thawed, which takes hours",
		Remedy: "Take the transition out of that rule, or configure s3.transition if that is what you want.",
	}}
}

func whenText(t s3.Transition) string {
	if !t.At.IsZero() {
		return "on " + t.At.UTC().Format("2006-01-02")
	}
	return fmt.Sprintf("after %d days", t.Days)
}

func transition(name string, t s3.Transition, job config.Job) []Conflict {
	longest, ends := Longest(job.Keep)
	when := whenText(t)
	reached := !ends || !t.At.IsZero() || t.Days < longest
	switch {
	case !reached:
		return nil
	case isArchive(t.Class):
		return []Conflict{{
			What: name + " moves sets to " + t.Class + " " + when + ", with their manifests: from then on they cannot be " +
				"listed, verified, drilled or restored until they are thawed, which takes hours",
			Remedy: "Take the transition out of that rule. GLACIER_IR costs about as little and can be read at once; " +
				"or let a job of its own store sets in the archive class " +
				"(s3.storage_class), and another one those that you restore from.",
		}}
	}
	minimum := price.MinimumDays(t.Class)
	if ends && t.At.IsZero() && t.Days+minimum > longest {
		return []Conflict{{
			What: fmt.Sprintf("%s moves sets to %s %s, where each is paid for %d days at least, and retention keeps none for "+
				"longer than %d days in all", name, t.Class, when, minimum, longest),
			Remedy: "Compare both with `pgbtui cost`, and take the transition out of that rule if it does not pay.",
			Costs:  true,
		}}
	}
	return nil
}

func ruleName(r *s3.LifecycleRule) string {
	name := fmt.Sprintf("rule %q", r.ID)
	if r.ID == "" {
		name = "a rule without a name"
	}
	if r.Narrow {
		name += " (for objects of some sizes or tags)"
	}
	return name
}

// keepText is what retention does instead.
func keepText(k config.Keep) string {
	if len(k.Rules()) == 0 {
		return "the job has no rules to keep, so that nothing is to be deleted"
	}
	return "retention keeps " + k.String()
}

// Longest is for how many days the rules of retention keep a set at most; ends is false if they may keep one for ever.
func Longest(k config.Keep) (days int, ends bool) {
	if len(k.Rules()) == 0 || k.Last > 0 { // the last N are as old as the schedule makes them
		return 0, false
	}
	return max(k.Days, k.Daily, 7*k.Weekly, 31*k.Monthly, 366*k.Yearly), true
}
