package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what a whole run of the laboratory found, as Markdown for docs/reliability.md.
type Report struct {
	Seed     uint64
	Date     time.Time
	Took     time.Duration
	Machine  string
	Sections []Section
	Damages  []DamageSection
}

// Section is one kind of cells.
type Section struct {
	Name  string
	Cells []*Cell
}

// DamageSection is one kind of damage to one kind of set.
type DamageSection struct {
	Name    string
	Objects []Damage
}

// Violations of all sections.
func (r *Report) Violations() (all []string) {
	for _, s := range r.Sections {
		for _, c := range s.Cells {
			for _, v := range c.Violations {
				all = append(all, c.Name+": "+v)
			}
		}
	}
	for _, s := range r.Damages {
		for _, d := range s.Objects {
			all = append(all, d.Violations...)
		}
	}
	return all
}

// Markdown is the report.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Run on %s with seed %d, %s: %s.\n\n", r.Date.UTC().Format(time.DateOnly), r.Seed, r.Machine, r.Took.Round(time.Second))
	b.WriteString("| what | cells | struck | violations | false greens | lost backups | next run succeeds | sets read back whole | secrets found | longest end after SIGTERM | peak RSS |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range r.Sections {
		s.row(&b)
	}
	b.WriteString("\n| damage | object | done | not listed as good | found or refused by verify | not noticed | of these, harmless |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range r.Damages {
		for _, d := range s.Objects {
			fmt.Fprintf(&b, "| %s | `%s` | %d | %d | %d | %d | %d |\n", s.Name, d.Object, d.Done, d.Listed, d.Verified, d.Unmarked, d.Harmless)
		}
	}
	b.WriteString("\n" + r.oom() + "\n")
	return b.String()
}

func (s Section) row(b *strings.Builder) {
	var struck, violations, green, lost, next, sets, leaks int
	var ending time.Duration
	var peak int64
	for _, c := range s.Cells {
		struck += one(!c.Missed)
		violations += len(c.Violations)
		green += with(c.Violations, "FALSE GREEN")
		lost += with(c.Violations, "LOST")
		next += one(c.Next)
		sets += c.Sets
		leaks += c.Leaks
		if strings.HasSuffix(c.Name, string(Terminate)) {
			ending = max(ending, c.Ending)
		}
		peak = max(peak, c.PeakRSS)
	}
	fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %s | %s |\n",
		s.Name, len(s.Cells), struck, violations, green, lost, next, sets, leaks, known(ending > 0, fmt.Sprintf("%.1f s", ending.Seconds())), known(peak > 0, fmt.Sprintf("%d MiB", peak>>20)))
}

// oom says whose kills the OOM kills were.
func (r *Report) oom() string {
	all, genuine := 0, 0
	for _, s := range r.Sections {
		for _, c := range s.Cells {
			if strings.HasSuffix(c.Name, string(OutOfMemory)) && !c.Missed {
				all++
				genuine += one(c.RealOOM)
			}
		}
	}
	return fmt.Sprintf("OOM kills: %d, of which the kernel's own killer did %d in a memory cgroup; SIGKILL stood for the others.", all, genuine)
}

func with(texts []string, start string) int {
	return len(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return !strings.HasPrefix(s, start) }))
}

func known(is bool, text string) string {
	if !is {
		return ""
	}
	return text
}
