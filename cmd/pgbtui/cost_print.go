package main

import (
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/cost"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonCost struct {
	Schema int           `json:"schema"`
	If     []string      `json:"if"`
	Jobs   []jsonJobCost `json:"jobs"`
}

type jsonJobCost struct {
	Job           string          `json:"job"`
	Database      string          `json:"database"`
	Region        string          `json:"region"`
	Prices        string          `json:"prices"`
	Sets          int             `json:"sets"`
	NowUSD        *float64        `json:"nowUsd"`
	Classes       []jsonClassCost `json:"classes"`
	History       []jsonPastCost  `json:"history"`
	GrowthPercent *float64        `json:"growthPercent"`
	GrowthLow     *float64        `json:"growthLowPercent"`
	GrowthHigh    *float64        `json:"growthHighPercent"`
	GrowthMonths  int             `json:"growthMonths"`
	Months        []jsonMonthCost `json:"months,omitempty"`
	WhatIf        []jsonMonthCost `json:"whatIf,omitempty"`
	Notes         []string        `json:"notes"`
}

type jsonClassCost struct {
	StorageClass string   `json:"storageClass"`
	Sets         int      `json:"sets"`
	StoredBytes  int64    `json:"storedBytes"`
	USD          *float64 `json:"usd"`
}

type jsonPastCost struct {
	Month       string `json:"month"`
	Sets        int    `json:"sets"`
	StoredBytes int64  `json:"storedBytes"`
	NewestBytes int64  `json:"newestBytes"`
}

type jsonMonthCost struct {
	Month       int      `json:"month"`
	Sets        int      `json:"sets"`
	StoredBytes int64    `json:"storedBytes"`
	StorageUSD  float64  `json:"storageUsd"`
	EarlyUSD    float64  `json:"earlyUsd"`
	RequestsUSD *float64 `json:"requestsUsd"`
	USD         float64  `json:"usd"`
	LowUSD      *float64 `json:"lowUsd"`
	HighUSD     *float64 `json:"highUsd"`
}

// addPast is how the sets that are there grew.
func (j *jsonJobCost) addPast(own []backup.Set) {
	j.History = []jsonPastCost{}
	for _, p := range cost.HistoryOf(own) {
		j.History = append(j.History, jsonPastCost{
			Month: p.Month, Sets: p.Sets, StoredBytes: p.Bytes, NewestBytes: p.Newest,
		})
	}
	g := cost.GrowthOf(own)
	if !g.Known {
		return
	}
	percent := func(rate float64) *float64 { rate *= 100; return &rate }
	j.GrowthPercent, j.GrowthMonths = percent(g.PerMonth), g.Months
	j.GrowthLow, j.GrowthHigh = percent(g.Low), percent(g.High)
}

func (j *jsonJobCost) note(text string) {
	if !slices.Contains(j.Notes, text) {
		j.Notes = append(j.Notes, text)
	}
}

// addNow is what lies there, by storage class.
func (j *jsonJobCost) addNow(prices price.Table, own []backup.Set) {
	sum, all := 0.0, true
	classes, of := cost.ByClass(own)
	for _, class := range classes {
		one := jsonClassCost{StorageClass: class, Sets: len(of[class])}
		for i := range of[class] {
			one.StoredBytes += of[class][i].StoredSize
		}
		if usd, known := cost.Now(prices, j.Region, of[class]); known {
			one.USD = &usd
			sum += usd
		} else {
			all = false
			j.note(fmt.Sprintf("no price of %s in %q", class, j.Region))
		}
		j.Classes = append(j.Classes, one)
	}
	if all {
		j.NowUSD = &sum
	}
}

func printCost(to *streams, out jsonCost) error {
	for i, j := range out.Jobs {
		if i > 0 {
			to.printf("\n")
		}
		to.sayf("job %s, database %s: %s, prices: %s\n", printable.Text(j.Job), printable.Text(j.Database),
			counted(j.Sets, "set"), printable.Text(j.Prices))
		for _, c := range j.Classes {
			to.sayf("  %s: %s, %s, %s a month\n", printable.Text(c.StorageClass), counted(c.Sets, "set"),
				readable.Size(c.StoredBytes), usdText(c.USD))
		}
		printPast(to, j)
		for _, note := range j.Notes {
			to.sayf("  note: %s\n", printable.Text(note))
		}
		if err := printMonths(to, j); err != nil {
			return err
		}
	}
	return nil
}

// shownMonths is how far back the growth is printed; --json has all of it.
const shownMonths = 6

// printPast is how the sets grew: the newest of each month that has one.
func printPast(to *streams, j jsonJobCost) {
	if len(j.History) == 0 {
		return
	}
	var sizes []string
	for _, p := range j.History[max(0, len(j.History)-shownMonths):] {
		sizes = append(sizes, p.Month+" "+readable.Size(p.NewestBytes))
	}
	to.sayf("  newest set of each month: %s\n", strings.Join(sizes, ", "))
	if j.GrowthPercent == nil {
		to.sayf("  growth: not known from less than four weeks of sets; taken as none\n")
		return
	}
	to.sayf("  growth: %.1f%% a month; from %.1f%% to %.1f%% in %s of a month or more\n", *j.GrowthPercent, *j.GrowthLow,
		*j.GrowthHigh, counted(j.GrowthMonths, "span"))
	if n := len(j.Months); n > 0 && j.Months[n-1].LowUSD != nil {
		to.sayf("  by the slowest and the fastest of them, month %d costs %s to %s\n", j.Months[n-1].Month,
			usdText(j.Months[n-1].LowUSD), usdText(j.Months[n-1].HighUSD))
	}
}

// printMonths has a line for each of the next three months, then for every third.
func printMonths(to *streams, j jsonJobCost) error {
	all := table{
		rows:  [][]string{{"MONTH", "SETS", "STORED", "STORAGE", "TOO EARLY", "REQUESTS", "A MONTH"}},
		spare: []string{"REQUESTS", "TOO EARLY", "STORAGE"},
	}
	if j.WhatIf != nil {
		all.rows[0] = append(all.rows[0], "IF SO")
	}
	longest := j.Months
	if len(longest) == 0 {
		longest = j.WhatIf
	}
	for i := range longest {
		if i > 2 && (i+1)%3 != 0 && i+1 != len(longest) {
			continue
		}
		row := []string{fmt.Sprint(i + 1), "-", "-", "-", "-", "-", "-"}
		if len(j.Months) > 0 {
			m := j.Months[i]
			row = []string{
				fmt.Sprint(m.Month), fmt.Sprint(m.Sets), readable.Size(m.StoredBytes), usdText(&m.StorageUSD), usdText(&m.EarlyUSD),
				usdText(m.RequestsUSD), usdText(&m.USD),
			}
		}
		if j.WhatIf != nil {
			row = append(row, usdText(&j.WhatIf[i].USD))
		}
		all.rows = append(all.rows, row)
	}
	if len(all.rows) == 1 {
		return nil
	}
	return all.write(to.text(), to.columns(false))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// usdText is a price of a month. What is less than a cent is not nothing.
func usdText(usd *float64) string {
	switch {
	case usd == nil:
		return "unknown"
	case *usd > 0 && *usd < 0.01:
		return "<$0.01"
	}
	return fmt.Sprintf("$%.2f", *usd)
}
