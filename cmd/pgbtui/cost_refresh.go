package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// `cost refresh`: AWS's published prices into the file by which costs are estimated. Nothing but this verb ever asks
// for prices.

type costRefreshOptions struct {
	*streams
	client
	config  func() (*config.Config, error)
	regions []string
	from    []string
	to      string
	dryRun  bool
}

type jsonRefresh struct {
	Schema  int               `json:"schema"`
	File    string            `json:"file"`
	Written bool              `json:"written"`
	Lists   []jsonPriceList   `json:"lists"`
	Changes []jsonPriceChange `json:"changes"`
}

type jsonPriceList struct {
	Region      string    `json:"region"`
	From        string    `json:"from"`
	PublishedAt time.Time `json:"publishedAt"`
	Classes     []string  `json:"storageClasses"`
	Missing     []string  `json:"missing"`
	Doubtful    []string  `json:"doubtful"`
}

type jsonPriceChange struct {
	Region       string   `json:"region"`
	StorageClass string   `json:"storageClass"`
	What         string   `json:"what"`
	Before       *float64 `json:"before"`
	After        *float64 `json:"after"`
}

func newCostRefreshCommand(p *program) *cobra.Command {
	o := &costRefreshOptions{
		streams: p.streams, config: p.config,
		client: client{stores: p.stores, access: access{duty: dutyOf("cost"), waitedFor: true}},
	}
	cmd := &cobra.Command{
		Use: "refresh", Short: "Write AWS's published prices into the file that cost.prices names", Args: noArgs,
		Long: `Fetch AWS's price list of each region that a job's bucket is in, and write the prices of storage, of requests
that store and of thawing into the file that cost.prices names (or --to). What changes is said. What a list does not
have stays unknown. The lists need no key; a host without a way out takes them from files:

  curl -o frankfurt.json ` + price.ListURL("eu-central-1") + `
  sudo pgbtui cost refresh --from frankfurt.json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCostRefresh(cmd.Context(), o) },
	}
	cmd.Flags().StringArrayVar(&o.regions, "region", nil,
		"this `region` instead of those of the jobs; may be given several times")
	cmd.Flags().StringArrayVar(&o.from, "from", nil,
		"a list, as `FILE` or URL, instead of fetching from AWS; may be given several times")
	cmd.Flags().StringVar(&o.to, "to", "", "the `file` to write, instead of cost.prices")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would change, and write nothing")
	cmd.MarkFlagsMutuallyExclusive("region", "from")
	return cmd
}

func runCostRefresh(ctx context.Context, o *costRefreshOptions) error {
	file, from, err := o.asked(ctx)
	if err != nil {
		return err
	}
	out := jsonRefresh{
		Schema: jsonSchema, File: file, Lists: []jsonPriceList{}, Changes: []jsonPriceChange{}, Written: !o.dryRun,
	}
	var lists []price.List
	for _, place := range from {
		l, err := readList(ctx, place)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(lists, func(other price.List) bool { return other.Region == l.Region }) {
			return fault.New(fault.Usage, "cost refresh: two lists are of "+l.Region, "Give one list for each region.", nil)
		}
		lists = append(lists, l)
		out.Lists = append(out.Lists, jsonPriceList{
			Region: l.Region, From: place, PublishedAt: l.Published, Classes: l.Classes,
			Missing: append([]string{}, l.Missing...), Doubtful: append([]string{}, l.Doubtful...),
		})
	}
	changes, err := price.Refresh(file, lists, o.dryRun)
	if err != nil {
		return err
	}
	for _, c := range changes {
		out.Changes = append(out.Changes, jsonPriceChange{
			Region: c.Region, StorageClass: c.Class, What: c.What, Before: c.Before, After: c.After,
		})
	}
	if o.json {
		return o.printJSON(out)
	}
	o.tell(out)
	return nil
}

// asked is the file to write, and where the lists are.
func (o *costRefreshOptions) asked(ctx context.Context) (file string, from []string, err error) {
	file, from = o.to, o.from
	for _, region := range o.regions {
		if !isRegion(region) {
			return "", nil, usageText("--region " + region + " is not the name of a region, such as eu-central-1")
		}
		from = append(from, price.ListURL(region))
	}
	if file != "" && len(from) > 0 {
		return file, from, nil
	}
	c, err := o.config()
	if err != nil {
		return "", nil, err
	}
	if file == "" {
		file = c.Cost.Prices
	}
	if file == "" {
		return "", nil, fault.New(fault.Config, "cost refresh: no file is named",
			"Write `cost: {prices: /etc/pgbtui/prices.yaml}` into the configuration, or name one with --to.", nil)
	}
	if len(from) == 0 {
		from, err = o.listsOfJobs(ctx, c)
	}
	return file, from, err
}

// listsOfJobs are AWS's lists of the regions of all buckets there.
func (o *costRefreshOptions) listsOfJobs(ctx context.Context, c *config.Config) (from []string, err error) {
	for _, job := range c.All() {
		b, err := o.bucket(ctx, job)
		if err != nil {
			return nil, err
		}
		at := price.ListURL(b.Region())
		if b.Endpoint() == "" && isRegion(b.Region()) && !slices.Contains(from, at) {
			from = append(from, at)
		}
	}
	if len(from) == 0 {
		return nil, fault.New(fault.Config, "cost refresh: no job's bucket is at AWS, and other stores publish no list",
			"Write a file of prices yourself (docs/cost.md#prices), or name a region with --region.", nil)
	}
	return from, nil
}

// isRegion keeps whatever is no name of a region out of a URL.
func isRegion(text string) bool {
	return len(text) > 3 && len(text) < 40 && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// listTime bounds the fetching of one list, of some megabytes.
const listTime = 5 * time.Minute

// readList is the list of a file or URL.
func readList(ctx context.Context, place string) (price.List, error) {
	var body io.ReadCloser
	var err error
	if strings.Contains(place, "://") {
		ctx, cancel := context.WithTimeout(ctx, listTime)
		defer cancel()
		body, err = fetchList(ctx, place)
	} else if body, err = os.Open(place); err != nil {
		err = fault.New(fault.NotFound, "cost refresh: "+err.Error(), "Correct the path that --from names.", err)
	}
	if err != nil {
		return price.List{}, err
	}
	defer func() { _ = body.Close() }()
	l, err := price.ReadList(body)
	if err != nil {
		return l, fmt.Errorf("%s: %w", printable.Text(place), err)
	}
	return l, nil
}

func fetchList(ctx context.Context, place string) (io.ReadCloser, error) {
	at, err := url.Parse(place)
	here := []string{"localhost", "127.0.0.1", "::1"}
	local := err == nil && at.Scheme == "http" && slices.Contains(here, at.Hostname())
	if err != nil || at.Host == "" || at.Scheme != "https" && !local {
		return nil, usageText("--from takes a file or an https address, not " + place)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, usageText("--from: " + err.Error())
	}
	const remedy = "Fetch the list on a host that reaches it, and give it with --from FILE."
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cost refresh: "+err.Error(), remedy, err)
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, fault.New(fault.Unavailable, "cost refresh: "+place+" answers "+answer.Status, remedy, nil)
	}
	return answer.Body, nil
}

func (o *costRefreshOptions) tell(out jsonRefresh) {
	for _, l := range out.Lists {
		o.sayf("%s: AWS's list of %s\n", printable.Text(l.Region), l.PublishedAt.Format(time.DateOnly))
		if len(l.Missing) > 0 {
			o.sayf("  no price of %s: unknown\n", strings.Join(l.Missing, ", "))
		}
		for _, usage := range l.Doubtful {
			o.sayf("  several prices of %s: unknown\n", printable.Text(usage))
		}
	}
	for _, c := range out.Changes {
		o.sayf("  %s %s %s: %s -> %s\n", printable.Text(c.Region), printable.Text(c.StorageClass), c.What,
			figureText(c.Before), figureText(c.After))
	}
	if len(out.Changes) == 0 {
		o.sayf("no price changes\n")
	}
	if out.Written {
		o.sayf("written: %s\n", printable.Text(out.File))
	} else {
		o.sayf("nothing was written (--dry-run)\n")
	}
}

func figureText(usd *float64) string {
	if usd == nil {
		return "unknown"
	}
	return fmt.Sprintf("$%g", *usd)
}
