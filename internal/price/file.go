package price

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A file of AWS's lists, written anew from time to time. Rules: a file that somebody wrote by hand is never replaced;
// prices never become older; the file is whole or the one before.

// fileLimit is far more than every region and class needs.
const fileLimit = 1 << 20

// written is how a file begins that Write may replace.
const written = "# Written by `pgbtui cost refresh`, which replaces it. Your own prices belong into another file.\n"

// ReadFile is the list of a file, or nil without one.
func ReadFile(file string) (*Table, error) {
	if file == "" {
		return nil, nil
	}
	raw, err := bounded.ReadFile(file, fileLimit)
	if err != nil {
		code := fault.NotFound
		if errors.Is(err, fs.ErrPermission) {
			code = fault.NotPermitted
		}
		return nil, fault.New(code, "prices: "+err.Error(),
			"Correct the path that --prices or cost.prices names, or write the file with `pgbtui cost refresh`.", err)
	}
	table, err := Read(file, raw)
	return &table, err
}

// Change is a price that is another than before, in US dollars; nil is unknown.
type Change struct {
	Region, Class, What string
	Before, After       *float64
}

// Refresh puts lists into a file: regions that it has and that are not among them stay. It returns what changes, by
// what was in force before: the file, or without one the built-in list. With dryRun nothing is written.
func Refresh(file string, lists []List, dryRun bool) ([]Change, error) {
	now, err := readWritten(file)
	if err != nil {
		return nil, err
	}
	before := BuiltIn()
	if now.Regions == nil {
		now = fileTable{Published: map[string]time.Time{}, Regions: map[string]map[string]filePrice{}}
	} else if before, err = now.table(file); err != nil {
		return nil, err
	}
	for _, l := range lists {
		if had := now.Published[l.Region]; l.Published.Before(had) {
			return nil, fault.New(fault.Refused, fmt.Sprintf("prices: the list of %s is of %s, and %s has one of %s", l.Region,
				l.Published.Format(time.DateOnly), file, had.Format(time.DateOnly)),
				"Take a newer list. If you want the older one, delete the file first.", nil)
		}
		now.Published[l.Region], now.Regions[l.Region] = l.Published, l.prices
	}
	oldest := slices.MinFunc(slices.Collect(maps.Values(now.Published)), time.Time.Compare)
	now.AsOf = oldest.Format(time.DateOnly) + " or later, AWS's price list"
	after, err := now.table(file)
	if err != nil {
		return nil, err
	}
	var all []Change
	for _, l := range lists {
		all = append(all, changes(l.Region, before, after)...)
	}
	if dryRun {
		return all, nil
	}
	return all, now.write(file)
}

// readWritten is what is in a file that Write may replace; nothing where there is none.
func readWritten(file string) (fileTable, error) {
	var now fileTable
	raw, err := bounded.ReadFile(file, fileLimit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return now, nil
	case err != nil:
		return now, fault.New(fault.NotPermitted, "prices: "+err.Error(), "Run it as who may read and write that file.", err)
	case !bytes.HasPrefix(raw, []byte(written)):
		return now, fault.New(fault.Refused, "prices: "+file+" was not written by `pgbtui cost refresh`",
			"Name another file with --to, or move this one away.", nil)
	}
	if err := yaml.Unmarshal(raw, &now); err != nil {
		return now, wrongPrices(file, err.Error())
	}
	if len(now.Regions) == 0 || len(now.Published) != len(now.Regions) {
		return now, wrongPrices(file, "its regions and their dates do not fit together; delete it")
	}
	return now, nil
}

func (f fileTable) write(file string) error {
	text := bytes.NewBufferString(written)
	out := yaml.NewEncoder(text)
	out.SetIndent(2)
	if err := errors.Join(out.Encode(f), out.Close()); err != nil {
		return fmt.Errorf("price: write %s: %w", file, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".prices-*")
	if err == nil {
		_, err = temp.Write(text.Bytes())
		// Everybody reads it: verbs of people, the console, the watch.
		err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
		if err == nil {
			err = os.Rename(temp.Name(), file)
		}
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}
	if err == nil {
		return nil
	}
	code := fault.Failed
	remedy := "Correct the path that --to or cost.prices names."
	if errors.Is(err, fs.ErrPermission) {
		code = fault.NotPermitted
		remedy = "Run it with sudo, or name a file of your own with --to."
	}
	return fault.New(code, "prices: write "+file, remedy, err)
}

// changes are the prices of a region that differ.
func changes(region string, before, after Table) []Change {
	classes := slices.Concat(slices.Collect(maps.Keys(before.regions[region])),
		slices.Collect(maps.Keys(after.regions[region])))
	slices.Sort(classes)
	var all []Change
	for _, class := range slices.Compact(classes) {
		was := figuresOf(before.regions[region], class)
		is := figuresOf(after.regions[region], class)
		names := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
		slices.Sort(names)
		for _, what := range slices.Compact(names) {
			one := Change{Region: region, Class: class, What: what, Before: was[what], After: is[what]}
			if !same(one.Before, one.After) {
				all = append(all, one)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Change) int { return cmp.Compare(a.Class, b.Class) })
	return all
}

func same(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// figuresOf are the figures of a class by their names in a file.
func figuresOf(classes map[string]Price, class string) map[string]*float64 {
	p, has := classes[class]
	if !has {
		return nil
	}
	all := map[string]*float64{"gib_month": &p.GiBMonth}
	if p.Put1000 != nil {
		all["put_1000"] = p.Put1000
	}
	for tier, r := range p.Thaw {
		all["thaw."+tier+".gib"] = &r.GiB
		all["thaw."+tier+".per_1000"] = &r.Per1000
	}
	return all
}
