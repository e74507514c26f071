package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Copies are further places, in another bucket, region or account, that hold the sets of a job a second time. A job at
// a copy is the same job with the copy's place and the copy's rules, so that whatever reads, restores, verifies or
// deletes sets does so there as it does at the main place.

// Copy is one of them.
type Copy struct {
	Name      string
	S3        S3
	Bandwidth Bandwidth // of what is sent there
	Keep      Keep
	Verify    bool          // the verification's timer reads its sets back as well
	LateAfter time.Duration // a set that is so old and has no copy makes the copy late
}

// lateAfter is a day, and the time that a copy takes.
const lateAfter = 26 * time.Hour

// mostCopies bounds what a status has to ask.
const mostCopies = 5

// fileCopy is an entry of `copies`.
type fileCopy struct {
	Name string `yaml:"name"`
	S3   struct {
		filePlace `yaml:",inline"`

		Bandwidth Bandwidth `yaml:"bandwidth"`
	} `yaml:"s3"`
	Keep struct {
		Last    count `yaml:"last"`
		Days    count `yaml:"days"`
		Daily   count `yaml:"daily"`
		Weekly  count `yaml:"weekly"`
		Monthly count `yaml:"monthly"`
		Yearly  count `yaml:"yearly"`
		MinGood count `yaml:"min_good"`
	} `yaml:"keep"`
	Verify    bool     `yaml:"verify"`
	LateAfter duration `yaml:"late_after"`
}

// copyName goes into messages, documents and file names.
var copyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// copies resolves the list. What an entry does not say of its keep, its prefix
// and its bandwidth is the job's.
func (l loader) copies(of Job, files []fileCopy) ([]Copy, error) {
	var all []Copy
	for _, f := range files {
		c := Copy{
			Name: f.Name, Keep: f.keep(of.Keep), Verify: f.Verify,
			LateAfter: time.Duration(cmp.Or(f.LateAfter, duration(lateAfter))),
			Bandwidth: f.S3.Bandwidth.limit(of.Bandwidth),
			S3: S3{
				Bucket: f.S3.Bucket, Prefix: strings.Trim(cmp.Or(f.S3.Prefix, of.S3.Prefix), "/"),
				Region: f.S3.Region, Endpoint: f.S3.Endpoint, PathStyle: f.S3.PathStyle,
				CredentialsFile: f.S3.CredentialsFile, Profile: f.S3.Profile,
				SSE: cmp.Or(f.S3.SSE, "AES256"), KMSKeyID: f.S3.KMSKeyID, StorageClass: f.S3.StorageClass,
				AllowPlainHTTP: f.S3.AllowPlainHTTP, ExpectedOwner: f.S3.ExpectedOwner,
				MaxParts: f.S3.MaxParts, EqualParts: f.S3.EqualParts,
			},
		}
		if err := l.checkCopy(of, all, c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) > mostCopies {
		return nil, l.problem(of.Name, fmt.Sprintf("%d copies", len(all)),
			fmt.Sprintf("Give at most %d.", mostCopies), "copies")
	}
	return all, nil
}

func (f fileCopy) keep(ofJob Keep) Keep {
	k := Keep{
		Last: int(f.Keep.Last), Days: int(f.Keep.Days), Daily: int(f.Keep.Daily), Weekly: int(f.Keep.Weekly),
		Monthly: int(f.Keep.Monthly), Yearly: int(f.Keep.Yearly), MinGood: int(f.Keep.MinGood), By: ofJob.By,
	}
	if len(k.Rules()) == 0 {
		k = ofJob
		k.MinGood = cmp.Or(int(f.Keep.MinGood), ofJob.MinGood)
	}
	k.MinGood = cmp.Or(k.MinGood, defaultMinGood)
	return k
}

func (l loader) checkCopy(of Job, before []Copy, c Copy) error {
	if !copyName.MatchString(c.Name) {
		return l.problem(of.Name, fmt.Sprintf("%.40q is not a name of a copy", c.Name),
			"Give 1 to 32 of a-z, 0-9 and hyphen, such as `name: other-region`.", "copies")
	}
	if c.S3.Bucket == "" {
		return l.problem(of.Name, fmt.Sprintf("copy %q names no bucket", c.Name),
			"Set its s3.bucket: a copy takes none from the settings of the sets.", "copies")
	}
	if c.S3.SamePlace(of.S3) {
		return l.problem(of.Name, fmt.Sprintf("copy %q is where the sets are already, s3://%s/%s", c.Name, c.S3.Bucket,
			c.S3.Prefix), "Name another bucket: a copy in the same place is none.", "copies")
	}
	for _, other := range before {
		if other.Name == c.Name {
			return l.problem(of.Name, fmt.Sprintf("two copies are called %q", c.Name), "Give each its own name.", "copies")
		}
		if other.S3.SamePlace(c.S3) {
			return l.problem(of.Name, fmt.Sprintf("copies %q and %q are one place, s3://%s/%s", other.Name, c.Name,
				c.S3.Bucket, c.S3.Prefix), "Name another bucket, or leave one of the two out.", "copies")
		}
	}
	return l.checkS3At("copy "+strconv.Quote(c.Name)+": ", []string{"copies"}, of.Name, c.S3)
}

// AtCopy is the job where its copy of that name is. ok is false when it has none.
func (j Job) AtCopy(name string) (at Job, ok bool) {
	i := slices.IndexFunc(j.Copies, func(c Copy) bool { return c.Name == name })
	if i < 0 {
		return j, false
	}
	at = j
	at.Copy = name
	at.Copies = nil
	at.S3 = j.Copies[i].S3
	at.Bandwidth = j.Copies[i].Bandwidth
	at.Keep = j.Copies[i].Keep
	at.ObjectLock = ObjectLock{}
	at.Transition = Transition{}
	return at, true
}

// PrunesCopies reports whether a timer has to delete what the copies' rules let go. A copier may not.
func (j Job) PrunesCopies() bool {
	return slices.ContainsFunc(j.Copies, func(c Copy) bool { return len(c.Keep.Rules()) > 0 })
}

// CopyNames are the names of all copies, each once, in the order of the jobs.
func (c *Config) CopyNames() (names []string) {
	for _, job := range append(slices.Clone(c.Jobs), c.base) {
		for _, copied := range job.Copies {
			if !slices.Contains(names, copied.Name) {
				names = append(names, copied.Name)
			}
		}
	}
	return names
}

// From is the configuration as it is at a copy: with the jobs that have it, where it is. "" is the main place.
func (c *Config) From(name string) (*Config, error) {
	if name == "" {
		return c, nil
	}
	at := *c
	at.Jobs = nil
	var found bool
	for _, job := range c.Jobs {
		if there, ok := job.AtCopy(name); ok {
			at.Jobs = append(at.Jobs, there)
			found = true
		}
	}
	if base, ok := c.base.AtCopy(name); ok {
		at.base = base
		found = true
	}
	if found {
		return &at, nil
	}
	remedy := "Add it under `copies:`, see docs/copies.md."
	if names := c.CopyNames(); len(names) > 0 {
		remedy = "There are " + strings.Join(names, ", ") + "."
	}
	return nil, fault.New(fault.Config, fmt.Sprintf("config: no copy %q is configured", name), remedy, nil)
}

// copiesText is what `config show` says of copies.
func copiesText(j Job) string {
	var said []string
	for _, c := range j.Copies {
		text := c.Name + " (s3://" + c.S3.Bucket + "/" + c.S3.Prefix
		if c.S3.Endpoint != "" {
			text += " at " + withoutPassword(c.S3.Endpoint)
		}
		if keep := c.Keep.String(); keep != "" {
			text += "; keep " + keep
		}
		if c.Bandwidth > 0 {
			text += "; at most " + c.Bandwidth.InBits()
		}
		if c.Verify {
			text += "; verified"
		}
		said = append(said, text+"; late after "+timeText(c.LateAfter)+")")
	}
	return list(said)
}
