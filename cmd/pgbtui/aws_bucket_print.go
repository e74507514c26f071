package main

import (
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup/posture"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

type jsonBuckets struct {
	Schema  int          `json:"schema"`
	Buckets []jsonBucket `json:"buckets"`
}

type jsonBucket struct {
	Bucket       string               `json:"bucket"`
	Region       string               `json:"region"`
	Endpoint     string               `json:"endpoint,omitempty"`
	Versioning   string               `json:"versioning"`
	ObjectLock   string               `json:"objectLock"`
	Encryption   string               `json:"encryption,omitempty"`
	PublicAccess string               `json:"publicAccess,omitempty"`
	Policy       string               `json:"policy,omitempty"`
	Changes      []jsonBucketChange   `json:"changes"`
	Conflicts    []jsonBucketConflict `json:"conflicts"`
	OtherRules   []string             `json:"otherRules"`
	Notes        []string             `json:"notes"`
	Applied      bool                 `json:"applied"`
}

type jsonBucketChange struct {
	Part  posture.Part `json:"part"`
	What  string       `json:"what"`
	Has   string       `json:"has"`
	Wants string       `json:"wants"`
	Why   string       `json:"why,omitempty"`
}

type jsonBucketConflict struct {
	Job    string `json:"job"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
	Costs  bool   `json:"costs"`
}

// differs reports whether --check is to say so.
func (j jsonBuckets) differs() bool {
	return slices.ContainsFunc(j.Buckets, func(b jsonBucket) bool {
		harms := slices.ContainsFunc(b.Conflicts, func(c jsonBucketConflict) bool { return !c.Costs })
		return len(b.Changes) > 0 || harms
	})
}

func newJSONBucket(b *s3.Bucket, plan posture.Plan, without []posture.Part) jsonBucket {
	out := jsonBucket{
		Bucket: b.Location(), Region: b.Region(), Endpoint: b.Endpoint(), Versioning: plan.State.VersioningText(),
		ObjectLock: plan.State.LockText(), Changes: []jsonBucketChange{}, Conflicts: []jsonBucketConflict{},
		OtherRules: append([]string{}, plan.Others...), Notes: append([]string{}, plan.Notes...),
	}
	if !slices.Contains(without, posture.Encryption) {
		out.Encryption = plan.State.EncryptionText()
	}
	if !slices.Contains(without, posture.PublicAccess) {
		out.PublicAccess = plan.State.PublicAccessText()
	}
	out.Policy = plan.State.Policy
	if plan.State.PolicyErr != nil {
		out.Notes = append(out.Notes, "the bucket's policy cannot be read: "+oneLine(plan.State.PolicyErr))
	}
	if strange := plan.State.Lifecycle.Strange(); len(strange) > 0 {
		out.Notes = append(out.Notes, "a lifecycle rule has what pgbtui does not know, so that apply refuses to put rules: "+
			printable.Text(strange[0]))
	}
	for _, c := range plan.Changes {
		out.Changes = append(out.Changes, jsonBucketChange{
			Part: c.Part, What: c.What, Has: c.Has, Wants: c.Wants,
			Why: c.Why,
		})
	}
	for _, c := range plan.Conflicts {
		out.Conflicts = append(out.Conflicts, jsonBucketConflict{Job: c.Job, What: c.What, Remedy: c.Remedy, Costs: c.Costs})
	}
	return out
}

func printBucket(to *streams, b jsonBucket, applying bool) {
	to.sayf("%s, region %s\n", printable.Text(b.Bucket), printable.Text(b.Region))
	to.sayf("  versioning %s, encryption %s, public access %s\n", b.Versioning, orNotAsked(b.Encryption),
		orNotAsked(b.PublicAccess))
	policy := "none"
	if b.Policy != "" {
		policy = "there is one (--json shows it)"
	}
	to.sayf("  object lock %s; policy of the bucket: %s\n", b.ObjectLock, policy)
	for _, c := range b.Changes {
		printBucketChange(to, c)
	}
	for _, rule := range b.OtherRules {
		to.sayf("  = rule %s\n", printable.Text(rule))
	}
	for _, c := range b.Conflicts {
		word := "!"
		if c.Costs {
			word = "-"
		}
		to.sayf("  %s job %s: %s\n", word, printable.Text(c.Job), printable.Text(c.What))
		to.sayf("      remedy: %s\n", printable.Text(c.Remedy))
	}
	for _, note := range b.Notes {
		to.sayf("  note: %s\n", printable.Text(note))
	}
	switch {
	case len(b.Changes) == 0:
		to.sayf("  nothing to change\n")
	case !applying:
		to.sayf("  `pgbtui aws bucket apply` makes %s\n", counted(len(b.Changes), "change"))
	}
}

func printBucketChange(to *streams, c jsonBucketChange) {
	switch {
	case c.Has == "":
		to.sayf("  + %s: %s\n", printable.Text(c.What), printable.Text(c.Wants))
	case c.Wants == "":
		to.sayf("  - %s: %s\n", printable.Text(c.What), printable.Text(c.Has))
	default:
		to.sayf("  ~ %s: %s -> %s\n", printable.Text(c.What), printable.Text(c.Has), printable.Text(c.Wants))
	}
	if c.Why != "" {
		to.sayf("      %s\n", c.Why)
	}
}

func orNotAsked(text string) string {
	if text == "" {
		return "not asked"
	}
	return printable.Text(text)
}
