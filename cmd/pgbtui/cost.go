package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/cost"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// `cost`: what the sets of each job cost a month, what they will cost if it goes on as it does, and what by other
// rules.

type costOptions struct {
	*streams
	client
	now    func() time.Time
	config func() (*config.Config, error)
	job    string
	months int
	ifs    []string
	prices string
}

func newCostCommand(p *program) *cobra.Command {
	o := &costOptions{
		streams: p.streams, now: p.now, config: p.config,
		client: client{stores: p.stores, access: access{duty: dutyOf("cost")}},
	}
	cmd := &cobra.Command{
		Use: "cost", Short: "Estimate what the sets cost now, later, and by other rules", Args: noArgs,
		Long: `Estimate what the sets of each job cost a month by dated list prices: now, and in each of the next months if
the job goes on as it does, with the rules of keep. --if KEY=VALUE asks what if: keep.last, keep.days, keep.daily,
keep.weekly, keep.monthly, keep.yearly, class (a storage class), transition.class and transition.days (as in
s3.transition), every (24h), size (100GiB, of one set) and growth (5%, a month). It may be given several times, and
answers before the first backup too, if every and size are given.

Counted are storage, what is paid for sets that are deleted before the minimum of their class, and the requests that
store them. Not counted: transfer, reading and thawing, old versions, and what runs left (pgbtui prune --dry-run shows
these). A price that is not known for the bucket's region is said to be unknown; --prices reads others from a file, and
those of stores that are not AWS.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCost(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "only this `job`")
	cmd.Flags().IntVar(&o.months, "months", 12, "how many `months` of 30 days to look ahead, 1 to 60")
	cmd.Flags().StringArrayVar(&o.ifs, "if", nil, "`KEY=VALUE`: what if; may be given several times")
	cmd.Flags().StringVar(&o.prices, "prices", "", "price list, a YAML `file` instead of cost.prices (docs/cost.md)")
	cmd.AddCommand(newCostRefreshCommand(p))
	return cmd
}

func runCost(ctx context.Context, o *costOptions) error {
	if o.months < 1 || o.months > 60 {
		return usageText(fmt.Sprintf("--months is from 1 to 60, not %d", o.months))
	}
	changes, err := parseChanges(o.ifs)
	if err != nil {
		return err
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := o.expand(ctx, c).Named(o.job)
	if err != nil {
		return err
	}
	custom, err := price.ReadFile(cmp.Or(o.prices, c.Cost.Prices))
	if err != nil {
		return err
	}
	out := jsonCost{Schema: jsonSchema, If: append([]string{}, o.ifs...), Jobs: []jsonJobCost{}}
	for _, job := range jobs {
		one, err := o.costOf(ctx, job, custom, changes)
		if err != nil {
			return err
		}
		out.Jobs = append(out.Jobs, one)
	}
	if o.json {
		return o.printJSON(out)
	}
	return printCost(o.streams, out)
}

// change is one --if.
type change struct{ key, value string }

func parseChanges(ifs []string) ([]change, error) {
	var all []change
	for _, text := range ifs {
		key, value, found := strings.Cut(text, "=")
		if !found {
			return nil, usageText("--if " + text + ": write KEY=VALUE, with one of " + strings.Join(cost.Changes(), ", "))
		}
		if err := new(cost.Plan).Change(key, value); err != nil {
			return nil, usageText("--if " + err.Error())
		}
		all = append(all, change{key: key, value: value})
	}
	return all, nil
}

// ownPrices are those of the file that the configuration names, for what goes on without: where it cannot be read, no
// price is known. Nil where it names none.
func ownPrices(c *config.Config) *price.Table {
	own, err := price.ReadFile(c.Cost.Prices)
	if err != nil {
		return &price.Table{AsOf: "none: " + err.Error()}
	}
	return own
}

// storedAt is where a bucket's prices hold.
func storedAt(b *s3.Bucket, own *price.Table) price.Place {
	return price.Place{Region: b.Region(), Endpoint: b.Endpoint(), Own: own}
}

// costOf is what one job costs. What is not known of it is a note, since the other jobs have their answer all the same.
func (o *costOptions) costOf(
	ctx context.Context, job config.Job, custom *price.Table, changes []change,
) (jsonJobCost, error) {
	bucket, err := o.bucket(ctx, job)
	if err != nil {
		return jsonJobCost{}, err
	}
	var sets []backup.Set
	if job.Database != "" { // else no run has found its databases yet
		if sets, err = o.setsOf(ctx, job); err != nil {
			return jsonJobCost{}, err
		}
	}
	own := cost.Counted(backup.WhoseOf(job), sets)
	out := jsonJobCost{
		Job: job.Name, Database: job.Database, Region: bucket.Region(), Sets: len(own),
		Classes: []jsonClassCost{}, Notes: []string{},
	}
	prices := storedAt(bucket, custom).Table()
	if prices.AsOf == "" {
		out.Notes = append(out.Notes, "the store is not AWS, so its prices are not known: give them with --prices")
		prices.AsOf = "none"
	}
	out.Prices = prices.AsOf
	out.addNow(prices, own)
	subject := cost.Subject{Region: out.Region, Instance: job.Instance, Database: job.Database, Whose: backup.WhoseOf(job)}
	plan := cost.PlanOf(job, job.S3.StorageClass, sets)
	out.addPast(own)
	if len(changes) == 0 || plan.Complete() {
		out.Months = o.forecast(prices, subject, sets, plan, &out)
	}
	if len(changes) == 0 {
		return out, nil
	}
	for _, c := range changes {
		if err := plan.Change(c.key, c.value); err != nil {
			return out, usageText("--if " + err.Error())
		}
	}
	out.WhatIf = o.forecast(prices, subject, sets, plan, &out)
	return out, nil
}

// forecast is nil where it cannot be had, and a note says why.
func (o *costOptions) forecast(
	prices price.Table, of cost.Subject, sets []backup.Set, p cost.Plan, out *jsonJobCost,
) []jsonMonthCost {
	if !p.Complete() {
		out.note("later months cannot be estimated from fewer than two sets: give --if every=24h and --if size=100GiB")
		return nil
	}
	months, low, high, err := cost.ForecastRange(prices, of, sets, p, o.now(), o.months)
	if err != nil {
		out.note(err.Error())
		return nil
	}
	if t := p.Transition.String(); t != "" {
		out.note("moved to " + t + ", as `pgbtui aws bucket apply` makes it; the requests of moving are not counted")
	}
	var all []jsonMonthCost
	for i, m := range months {
		one := jsonMonthCost{
			Month: i + 1, Sets: m.Sets, StoredBytes: m.Bytes,
			StorageUSD: m.Storage, EarlyUSD: m.Early, RequestsUSD: m.Requests, USD: m.USD(),
		}
		if low != nil {
			least, most := low[i].USD(), high[i].USD()
			one.LowUSD, one.HighUSD = &least, &most
		}
		all = append(all, one)
	}
	return all
}
