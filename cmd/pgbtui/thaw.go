package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// `thaw`: bring an archived set back where it can be read. Price and time are said first, then asked.

type thawOptions struct {
	*streams
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	find   *finder
	of     selection
	tier   string
	days   int
	prices string
	yes    bool
	dryRun bool
}

type jsonThaw struct {
	Schema  int       `json:"schema"`
	Set     jsonSet   `json:"set"`
	Objects int       `json:"objects"` // that cannot be read, or could not before they were thawed
	Bytes   int64     `json:"bytes"`   // of those that cannot be read
	Tier    string    `json:"tier"`
	Days    int       `json:"days"`
	Takes   string    `json:"takes,omitempty"`
	USD     *float64  `json:"usd"` // null: a price is not known
	Asked   bool      `json:"asked"`
	At      time.Time `json:"at"`
}

const (
	defaultThawDays = 7
	longestThaw     = 365
)

func newThawCommand(p *program) *cobra.Command {
	o := &thawOptions{
		streams: p.streams, env: p.environment, logs: p.logs, config: p.config,
		find: p.finder(access{duty: dutyOf("thaw"), waitedFor: true}),
	}
	cmd := &cobra.Command{
		Use: "thaw ID|latest", Short: "Bring an archived set back where it can be read",
		Long: `Ask the store for every object of a set that lies in an archive class (GLACIER, DEEP_ARCHIVE, the archive tiers
of INTELLIGENT_TIERING). What it costs and how long it takes are said first. The copy can be read for --days, then the
set is archived as before; called again, the command keeps it for so many days from then on.

"pgbtui list" and "show" say how far it is. "pgbtui restore ID --thaw TIER" thaws, waits and restores in one go. Drills
and verifications never thaw anything.`,
		Args: o.of.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return runThaw(cmd.Context(), o) },
	}
	o.of.flags(cmd)
	fromFlag(cmd, p.settings)
	cmd.Flags().StringVar(&o.tier, "tier", string(s3.TierStandard), "how fast, and how dear: bulk, standard or expedited")
	cmd.Flags().IntVar(&o.days, "days", defaultThawDays, "for how many `days` the copy can be read, 1 to 365")
	cmd.Flags().StringVar(&o.prices, "prices", "", "price list, a YAML `file` instead of cost.prices (docs/cost.md)")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say price and time, and ask the store for nothing")
	// It fails for a flag that is not there alone.
	_ = cmd.RegisterFlagCompletionFunc("tier",
		cobra.FixedCompletions([]string{"bulk", "standard", "expedited"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func runThaw(ctx context.Context, o *thawOptions) error {
	tier, err := thaw.ParseTier(o.tier)
	if err != nil {
		return usageText("--tier: " + err.Error())
	}
	if o.days < 1 || o.days > longestThaw {
		return usageText(fmt.Sprintf("--days is 1 to %d, not %d", longestThaw, o.days))
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	custom, err := price.ReadFile(cmp.Or(o.prices, c.Cost.Prices))
	if err != nil {
		return err
	}
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	st, err := thaw.Of(ctx, at.bucket, at.set)
	if err != nil {
		return err
	}
	if err := thaw.Fits(st, tier); err != nil {
		return err
	}
	out := o.outlook(at, st, tier, storedAt(at.bucket, custom).Table())
	if len(st.Objects) == 0 || o.dryRun {
		return o.tell(at, st, out)
	}
	if err := o.agreed(ctx, printable.Text(out.consequence(at.set)), o.yes); err != nil {
		return err
	}
	if st, err = thaw.Begin(ctx, at.bucket, at.set, tier, o.days); err != nil {
		return err
	}
	who := journal.Session{Getenv: o.env.getenv}.CurrentOperator()
	o.logs.audit(ctx, who, journal.Action{What: "thaw", Target: at.set.ID, Reason: o.tier})
	out.Asked = true
	return o.tell(at, st, out)
}

// outlook is what thawing a set would cost and take.
func (o *thawOptions) outlook(at *located, st thaw.Standing, tier s3.Tier, prices price.Table) jsonThaw {
	out := jsonThaw{
		Schema: jsonSchema, Objects: len(st.Objects), Bytes: st.Bytes, Tier: o.tier, Days: o.days, At: o.env.now().UTC(),
	}
	_, out.Takes = thaw.TakesAll(st, tier)
	if usd, known := thaw.Price(prices, at.bucket.Region(), st, tier, o.days); known {
		out.USD = &usd
	}
	return out
}

// consequence is what somebody agrees to.
func (j jsonThaw) consequence(set *backup.Set) string {
	if j.Bytes == 0 {
		return fmt.Sprintf("The thawed copy of %s is kept for %d days from now.", set.ID, j.Days)
	}
	cost := "at a price that is not known here (--prices)"
	if j.USD != nil {
		cost = "for about " + usdText(j.USD)
	}
	return fmt.Sprintf("%s of %s are thawed %s, by AWS %s, and can be read for %d days.", readable.Size(j.Bytes), set.ID,
		cost, j.Takes, j.Days)
}

func (o *thawOptions) tell(at *located, st thaw.Standing, out jsonThaw) error {
	at.set.Archive = st.Archive
	out.Set = setJSON(at.set, nil)
	if o.json {
		return o.printJSON(out)
	}
	switch {
	case len(st.Objects) == 0:
		o.sayf("%s can be read: nothing to thaw\n", at.set.ID)
	case o.dryRun:
		o.sayf("%s\n", printable.Text(out.consequence(at.set)))
	case st.State == backup.Archived:
		return fault.New(fault.Failed, "the store took the request and does not show it",
			"Look at `pgbtui show "+at.set.ID+"` in a minute.", nil)
	default:
		o.sayf("%s is %s\n", at.set.ID, st.Text())
	}
	return nil
}
