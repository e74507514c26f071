package watch

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestACopyThatIsLateDamagedOrOutOfReachIsAProblemAndNoneThatFollows(t *testing.T) {
	set := func(id string, age time.Duration, change ...func(*backup.Set)) backup.Set {
		s := backup.Set{ID: id, Kind: backup.KindNative, FinishedAt: start.Add(-age), Manifest: &backup.Manifest{}}
		for _, c := range change {
			c(&s)
		}
		return s
	}
	damaged := func(s *backup.Set) { s.Problem = "dump.pgc.zst is missing" }
	failed := func(s *backup.Set) { s.Proofs = []backup.Proof{{Level: "readable", Error: "flip"}} }
	const hour = time.Hour
	for name, c := range map[string]struct {
		main, there []backup.Set
		err         error
		want        string // "" is none
	}{
		"it has all":                      {main: []backup.Set{set("b", 2*hour), set("a", 30*hour)}, there: []backup.Set{set("b", 2*hour), set("a", 30*hour)}},
		"the newest is still to come":     {main: []backup.Set{set("b", 2*hour), set("a", 30*hour)}, there: []backup.Set{set("a", 30*hour)}},
		"late":                            {main: []backup.Set{set("c", 2*hour), set("b", 27*hour), set("a", 50*hour)}, there: []backup.Set{set("a", 50*hour)}, want: "copy other is late: b of"},
		"emptied":                         {main: []backup.Set{set("b", 27*hour)}, want: "it has none"},
		"a newer one makes up for it":     {main: []backup.Set{set("b", 27*hour)}, there: []backup.Set{set("c", 2*hour)}},
		"what is not good is not awaited": {main: []backup.Set{set("b", 27*hour, damaged), set("a", 30*hour)}, there: []backup.Set{set("a", 30*hour)}},
		"only a damaged one is there":     {main: []backup.Set{set("b", 27*hour)}, there: []backup.Set{set("b", 27*hour, damaged)}, want: "copy other: set b there: dump.pgc.zst is missing"},
		"a failed verification there":     {main: []backup.Set{set("b", 27*hour)}, there: []backup.Set{set("c", hour), set("b", 27*hour, failed)}, want: "copy other: set b there"},
		"the main place is empty":         {there: []backup.Set{set("b", 27*hour)}},
		"out of reach":                    {main: []backup.Set{set("b", hour)}, err: errors.New("no route"), want: "whether it has the backups is unknown: no route"},
	} {
		t.Run(name, func(t *testing.T) {
			j := healthy()
			j.Sets = c.main
			place := &backup.AtCopy{Name: "other", Jobs: []string{""}, LateAfter: 26 * hour, Sets: c.there, Err: c.err}
			j.Copies = []*backup.AtCopy{place}
			found := slices.DeleteFunc(j.Judge(nil, start), func(f Finding) bool { return f.Kind != KindCopy })
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("told %+v", found)
			case c.want != "" && (len(found) != 1 || found[0].Severity != Warning || !strings.Contains(found[0].What, c.want)):
				t.Errorf("told %+v, want %q", found, c.want)
			}
			backup.MarkCopies(j.Sets, j.Copies)
			for _, s := range j.Sets {
				if text := backup.CopiesText(s.Copies); c.err != nil && text != "0/1?" {
					t.Errorf("a copy that cannot be read is shown as %q", text)
				}
			}
		})
	}
}
