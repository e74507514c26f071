package cost

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

// rhythmSets are as many as the distance between two backups is taken from.
const rhythmSets = 20

// smallObjects are the requests of a set besides those of its dump: globals, contents, signature, manifest, and the
// lease that is put and taken back.
const smallObjects = 6

// PlanOf is how a job goes on, by its newest sets. What cannot be told from them is zero.
func PlanOf(job config.Job, class string, sets []backup.Set) Plan {
	p := Plan{Keep: job.Keep, Class: class, Parts: smallObjects + 1, Transition: job.Transition}
	own := Counted(backup.WhoseOf(job), sets)
	slices.SortFunc(own, func(a, b backup.Set) int { return b.FinishedAt.Compare(a.FinishedAt) })
	if len(own) == 0 {
		return p
	}
	newest := own[0]
	p.Bytes = newest.StoredSize
	moved := func(s backup.Set) bool { return s.Class == p.Transition.Class && s.Class != class }
	if i := slices.IndexFunc(own, func(s backup.Set) bool { return !moved(s) }); i >= 0 {
		p.Class = own[i].Class
	}
	p.Parts = smallObjects + partsOf(newest.StoredSize)
	p.Growth = GrowthOf(own).PerMonth
	recent := own[:min(len(own), rhythmSets)]
	var gaps []time.Duration
	for i := 1; i < len(recent); i++ {
		gaps = append(gaps, recent[i-1].FinishedAt.Sub(recent[i].FinishedAt))
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		p.Every = max(gaps[len(gaps)/2], time.Minute)
	}
	return p
}

// partsOf is about how many requests an upload of that size takes: parts of at least 5 MiB, at most 8,000 of them.
func partsOf(bytes int64) int64 {
	part := max(5<<20, (bytes+7999)/8000)
	return (bytes+part-1)/part + 2 // begun and completed
}

// Now is what sets cost a month as they lie there; known is false where one has no price.
func Now(prices price.Table, region string, sets []backup.Set) (usd float64, known bool) {
	for i := range sets {
		one, known := prices.Month(region, sets[i].Class, sets[i].StoredSize)
		if !known {
			return 0, false
		}
		usd += one
	}
	return usd, true
}

// Change applies one `--if KEY=VALUE` to a plan.
func (p *Plan) Change(key, value string) error {
	if rule, ok := strings.CutPrefix(key, "keep."); ok {
		return p.changeRule(rule, value)
	}
	switch key {
	case "class":
		p.Class = value
	case "every":
		d, err := time.ParseDuration(value)
		if err != nil || d < time.Minute {
			return fmt.Errorf("every=%q is not a duration of a minute or more, such as 4h or 24h", value)
		}
		p.Every = d
	case "size":
		bytes, err := humanize.ParseBytes(value)
		if err != nil || bytes == 0 || bytes > 1<<50 {
			return fmt.Errorf("size=%q is not the size of a set, such as 100GiB", value)
		}
		p.Bytes, p.Parts = int64(bytes), smallObjects+partsOf(int64(bytes))
	case "transition.class":
		if p.Transition.Class = value; value == "none" {
			p.Transition = config.Transition{}
		}
	case "transition.days":
		days, err := strconv.Atoi(value)
		if err != nil || days < 1 || days > 36500 {
			return fmt.Errorf("transition.days=%q is not a number from 1 to 36500", value)
		}
		p.Transition.Days = days
	case "growth":
		percent, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
		if err != nil || percent < -100 || percent > 1000 {
			return fmt.Errorf("growth=%q is not per cent a month, such as 5%%", value)
		}
		p.Growth = percent / 100
	default:
		return fmt.Errorf("%q is not known: there are %s", key, strings.Join(Changes(), ", "))
	}
	return nil
}

// Changes are the keys of Change.
func Changes() []string {
	return []string{
		"keep.last", "keep.days", "keep.daily", "keep.weekly", "keep.monthly", "keep.yearly", "class",
		"transition.class", "transition.days", "every", "size", "growth",
	}
}

func (p *Plan) changeRule(rule, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 36500 {
		return fmt.Errorf("keep.%s=%q is not a number from 0 to 36500", rule, value)
	}
	field := map[string]*int{
		"last": &p.Keep.Last, "days": &p.Keep.Days, "daily": &p.Keep.Daily, "weekly": &p.Keep.Weekly,
		"monthly": &p.Keep.Monthly, "yearly": &p.Keep.Yearly,
	}[rule]
	if field == nil {
		return fmt.Errorf("%q is not known: there are %s", "keep."+rule, strings.Join(Changes(), ", "))
	}
	*field = n
	return nil
}

// ByClass are sets by their storage class, the classes sorted.
func ByClass(sets []backup.Set) (classes []string, of map[string][]backup.Set) {
	of = map[string][]backup.Set{}
	for _, s := range sets {
		class := cmp.Or(s.Class, standard)
		of[class] = append(of[class], s)
	}
	for class := range of {
		classes = append(classes, class)
	}
	slices.Sort(classes)
	return classes, of
}
