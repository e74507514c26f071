package posture

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lifecycle"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// The lifecycle rules that jobs want. Each host has rules for its own instance's folder, by IDs that name it, so that
// the plans of two hosts do not undo each other. docs/decisions/lifecycle.md says why dumps are known by their size.

const (
	// unfinishedAfter is longer than any dump takes.
	unfinishedAfter = 7
	// oldVersionsAfter is for how long what was overwritten or deleted can be brought back.
	oldVersionsAfter = 14
)

// moveOver is what an object is larger than to be moved: everything that is read to list, verify or choose a set is
// at most as large, so that only dumps are.
const moveOver = backup.MaxContentsStored

// folder is where one instance's sets lie, with the jobs that put them there.
type folder struct {
	path string
	jobs []config.Job
}

// foldersOf are those of jobs of one bucket, sorted.
func foldersOf(jobs []config.Job) []folder {
	var out []folder
	for _, j := range jobs {
		path := backup.Root(j.S3.Prefix) + backup.EncodeName(j.Instance) + "/"
		at := slices.IndexFunc(out, func(f folder) bool { return f.path == path })
		if at < 0 {
			out = append(out, folder{path: path})
			at = len(out) - 1
		}
		out[at].jobs = append(out[at].jobs, j)
	}
	slices.SortFunc(out, func(a, b folder) int { return cmp.Compare(a.path, b.path) })
	return out
}

// longestID is S3's own bound.
const longestID = 255

// id names a rule of ours: "pgbtui FOLDER KIND".
func (f folder) id(kind string) string {
	name := f.idStart() + kind
	if len(name) > longestID {
		sum := sha256.Sum256([]byte(kind))
		name = f.idStart() + hex.EncodeToString(sum[:8])
	}
	return name
}

// idStart is what the IDs of the folder's rules begin with, and those of no other.
func (f folder) idStart() string {
	path := strings.ReplaceAll(url.PathEscape(f.path), "%2F", "/")
	if len(path) > longestID-64 {
		sum := sha256.Sum256([]byte(f.path))
		path = hex.EncodeToString(sum[:8])
	}
	return "pgbtui " + path + " "
}

// ownRule reports whether a rule is of these folders and ours.
func ownRule(folders []folder) func(id string) bool {
	return func(id string) bool {
		return slices.ContainsFunc(folders, func(f folder) bool { return strings.HasPrefix(id, f.idStart()) })
	}
}

// wantedRules are those of a folder that no rule of somebody else makes needless.
func (f folder) wantedRules(others []s3.LifecycleRule, versions bool) ([]s3.LifecycleRule, error) {
	var wanted []s3.LifecycleRule
	aborts := func(r *s3.LifecycleRule) bool { return r.AbortDays > 0 }
	if !f.served(others, aborts) {
		wanted = append(wanted, s3.LifecycleRule{
			ID: f.id("unfinished-uploads"), Enabled: true, Prefix: f.path, AbortDays: unfinishedAfter,
		})
	}
	expires := func(r *s3.LifecycleRule) bool { return r.NoncurrentDays > 0 }
	marks := func(r *s3.LifecycleRule) bool { return r.ExpireMarkers }
	if versions && (!f.served(others, expires) || !f.served(others, marks)) {
		wanted = append(wanted, s3.LifecycleRule{
			ID: f.id("old-versions"), Enabled: true, Prefix: f.path, NoncurrentDays: oldVersionsAfter, ExpireMarkers: true,
		})
	}
	transitions, err := f.transitions()
	return append(wanted, transitions...), err
}

// served reports whether a rule does something for every object of the folder.
func (f folder) served(rules []s3.LifecycleRule, does func(*s3.LifecycleRule) bool) bool {
	for i := range rules {
		r := &rules[i]
		if r.Enabled && !r.Narrow && strings.HasPrefix(f.path, r.Prefix) && does(r) {
			return true
		}
	}
	return false
}

// transitions are one rule for the instance where all its jobs want the same, else one for each database: a rule knows
// folders, and no jobs.
func (f folder) transitions() ([]s3.LifecycleRule, error) {
	for _, j := range f.jobs {
		if err := transitionFits(j); err != nil {
			return nil, err
		}
	}
	first := f.jobs[0].Transition
	if !slices.ContainsFunc(f.jobs, func(j config.Job) bool { return j.Transition != first }) {
		return f.transition(first, f.path, "dumps"), nil
	}
	var out []s3.LifecycleRule
	of := map[string]config.Job{}
	for _, j := range f.jobs {
		if j.Several() || j.Database == "" {
			return nil, fault.New(fault.Config, fmt.Sprintf("job %q has several databases and another s3.transition than the "+
				"other jobs of instance %q", j.Name, j.Instance),
				"Give all jobs of the instance the same s3.transition: a lifecycle rule knows folders, and no patterns.", nil)
		}
		other, both := of[j.Database]
		if both && other.Transition != j.Transition {
			return nil, fault.New(fault.Config, fmt.Sprintf(
				"jobs %q and %q store sets of database %q in one folder, and differ in "+
					"s3.transition", other.Name, j.Name, j.Database),
				"Give both the same s3.transition, or another s3.prefix: a lifecycle rule knows folders, and no jobs.", nil)
		}
		if of[j.Database] = j; !both {
			path := f.path + backup.EncodeName(j.Database) + "/"
			out = append(out, f.transition(j.Transition, path, "dumps "+backup.EncodeName(j.Database))...)
		}
	}
	return out, nil
}

func (f folder) transition(t config.Transition, path, kind string) []s3.LifecycleRule {
	if t.Class == "" {
		return nil
	}
	return []s3.LifecycleRule{{
		ID: f.id(kind), Enabled: true, Prefix: path, Narrow: true, OverBytes: moveOver,
		Transitions: []s3.Transition{{Class: t.Class, Days: t.Days}},
	}}
}

// transitionFits refuses what moves nothing, or what is deleted before it has paid.
func transitionFits(j config.Job) error {
	t := j.Transition
	longest, ends := lifecycle.Longest(j.Keep)
	if t.Class == "" || !ends || t.Days+price.MinimumDays(t.Class) <= longest {
		return nil
	}
	what := fmt.Sprintf(
		"job %q: s3.transition moves dumps to %s, where each is paid for %d days at least, and retention keeps "+
			"none for longer than %d days in all", j.Name, t, price.MinimumDays(t.Class), longest)
	if t.Days >= longest {
		what = fmt.Sprintf("job %q: s3.transition moves dumps to %s, and retention keeps none for longer than %d days",
			j.Name, t,
			longest)
	}
	return fault.New(fault.Config, what,
		"Give fewer days or another class, keep sets for longer, or "+
			"remove s3.transition. `pgbtui cost` compares.", nil)
}

// ruleText is what a rule does, in words.
func ruleText(r *s3.LifecycleRule) string {
	where := "everything"
	if r.Prefix != "" {
		where = r.Prefix
	}
	var does []string
	for _, t := range r.Transitions {
		does = append(does, transitionText(t))
	}
	if r.ExpireDays > 0 {
		does = append(does, fmt.Sprintf("delete after %d days", r.ExpireDays))
	}
	if !r.ExpireAt.IsZero() {
		does = append(does, "delete on "+r.ExpireAt.UTC().Format("2006-01-02"))
	}
	if r.NoncurrentDays > 0 {
		does = append(does, fmt.Sprintf("delete old versions after %d days", r.NoncurrentDays))
	}
	if r.NoncurrentKept > 0 {
		does = append(does, fmt.Sprintf("but the newest %d of them", r.NoncurrentKept))
	}
	if r.ExpireMarkers {
		does = append(does, "delete markers of nothing")
	}
	if r.AbortDays > 0 {
		does = append(does, fmt.Sprintf("abort uploads after %d days", r.AbortDays))
	}
	text := where + narrowText(r) + ": " + strings.Join(does, ", ")
	if !r.Enabled {
		text += " (disabled)"
	}
	return text
}

func transitionText(t s3.Transition) string {
	what := "move"
	if t.Noncurrent {
		what = "move old versions"
	}
	if !t.At.IsZero() {
		return fmt.Sprintf("%s to %s on %s", what, t.Class, t.At.UTC().Format("2006-01-02"))
	}
	return fmt.Sprintf("%s to %s after %d days", what, t.Class, t.Days)
}

func narrowText(r *s3.LifecycleRule) string {
	var only []string
	if r.OverBytes > 0 {
		only = append(only, "over "+readable.Size(r.OverBytes))
	}
	if r.UnderBytes > 0 {
		only = append(only, "under "+readable.Size(r.UnderBytes))
	}
	tags := make([]string, 0, len(r.Tags))
	for key, value := range r.Tags {
		tags = append(tags, "tagged "+key+"="+value)
	}
	slices.Sort(tags)
	if only = append(only, tags...); len(only) == 0 {
		return ""
	}
	return " (" + strings.Join(only, ", ") + ")"
}
