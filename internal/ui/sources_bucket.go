package ui

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
)

// What retention would delete, and what a bucket costs and how it is set up.

// Retention tells what a prune would do.
type Retention interface {
	// Plan decides for the sets of one job as `pgbtui prune --dry-run` does, and changes nothing.
	Plan(ctx context.Context, job Job) (PrunePlan, error)
}

// PrunePlan is what retention would do with the sets of one job.
type PrunePlan struct {
	*retention.Pruning
	Rules  string         // "days 30, weekly 8"; "" when there is none, and no set is ever deleted
	By     string         // who deletes by these rules, in words
	Hidden *backup.Hidden // what versions hide; nil: could not be counted
	// MonthlyUSD is about what a leftover costs until it is removed.
	MonthlyUSD func(*retention.Leftover) (usd float64, known bool)
}

// Buckets reads how the buckets are set up, and what lies there and costs.
type Buckets interface {
	// Buckets is each bucket of the configuration once. What one of them does not tell is an error in its place, and
	// the rest is shown. Called when the screen is entered, and on the r key there.
	Buckets(ctx context.Context) ([]BucketView, error)
	// Projections are what each job will cost, as it goes on and with changes as `pgbtui cost --if` takes them.
	Projections(ctx context.Context, changes []string) ([]Projection, error)
}

// BucketView is one bucket.
type BucketView struct {
	Place  string // "s3://backups/"
	Region string

	Settings   [][2]string // what it is set to: name and value
	Differs    []string    // what `pgbtui aws bucket plan` would change
	Harms      []string    // what rules of others do to sets
	PostureErr error       // why its settings are not known

	Prices string // what list, of when
	Costs  []CostView

	Left    []LeftView // what runs left that never committed
	LeftErr error      // why its open uploads are not known
}

// CostView is what the sets of one database or tenant, job and storage class cost a month.
type CostView struct {
	Job, Database, Class string
	Schema               string // of a tenant's sets, else ""
	Sets                 int
	Bytes                int64
	USD                  float64
	Known                bool // the price
}

// LeftView is one leftover.
type LeftView struct {
	What  string
	At    time.Time
	Bytes int64 // -1: unknown
	USD   float64
	Known bool
}

// Projection is what one job will cost a month, in the months of ProjectedMonths.
type Projection struct {
	Job, Database string
	Schema        string    // of a tenant, else ""
	GoesOn        []float64 // nil: not known
	IfSo          []float64 // with the changes; nil: none were asked for, or not known
	Note          string    // why something is not known
}

// ProjectedMonths are those that a projection tells of.
var ProjectedMonths = []int{1, 3, 12}
