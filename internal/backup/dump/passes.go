package dump

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Retention decides from all sets of a database or not at all: a rule counts those that are there, and whoever deletes
// by what was there yesterday may delete one too many. With very many sets that takes longer than a small backup. So a
// run among very many leaves it to a later one, where the last pass is not long ago. Rules:
//
//   - below manySets each run decides; above, one does in a hundredth as many runs as there are sets, and at least one
//     a day: a set stays at most that much longer
//   - a pass that failed, was refused, or could not delete something is repeated by the next run, and so is one by
//     other rules than those of now
//   - what is remembered is the host's own, beside the set that it committed last; without it, a run decides

const (
	manySets    = 1000
	setsPerRun  = 100
	passesApart = 24 * time.Hour
)

// pass is the last one that decided about everything.
type pass struct {
	Rules string    `json:"rules"` // a digest of what decided
	At    time.Time `json:"at"`
	Sets  int       `json:"sets"` // of the database, that it looked at
	Runs  int       `json:"runs"` // that left it to a later one since
}

// due reports whether a run has to decide. A clock that went back tells nothing about how long ago a pass was.
func (p *pass) due(rules string, now time.Time) bool {
	since := now.Sub(p.At)
	return p.Rules != rules || p.Sets < manySets || since < 0 || since >= passesApart || p.Runs+1 >= p.Sets/setsPerRun
}

// passRules are what a decision depends on besides the sets.
func passRules(job config.Job) string {
	rules, err := json.Marshal([]any{job.Keep, backup.WhoseOf(job), job.Signing.PublicKeys})
	if err != nil {
		return "" // which no pass has
	}
	return fmt.Sprintf("%x", sha256.Sum256(rules))
}

func passFile(dir string, job config.Job) string {
	last, _ := memoryFile(dir, job, job.Name)
	return filepath.Join(dir, "retention-"+filepath.Base(last))
}

// recallPass is empty, and so due, where nothing that can be read is remembered.
func recallPass(dir string, job config.Job) (p pass) {
	if dir == "" {
		return pass{}
	}
	raw, err := bounded.ReadPlain(passFile(dir, job), bounded.File)
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Runs < 0 {
		return pass{}
	}
	return p
}

// rememberPass costs the next run time where it fails, and nothing else.
func rememberPass(dir string, job config.Job, p pass) {
	if dir == "" {
		return
	}
	file := passFile(dir, job)
	body, err := json.Marshal(p)
	if err == nil {
		err = os.WriteFile(file+".next", body, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".next", file)
	}
	if err != nil {
		_ = os.Remove(file) // a pass too many is better than one too few
	}
}
