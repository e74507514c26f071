package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// place is one prefix of one bucket, with the jobs that write there.
type place struct {
	job       config.Job // whose settings reach it
	bucket    *s3.Bucket
	catalogue *backup.Catalogue
}

// places are the distinct prefixes of a job, or of all jobs when name is empty. Jobs that differ in how they
// reach one prefix, or in what they write there, have one place: the same sets are there for all of them.
func (f *finder) places(ctx context.Context, c *config.Config, name string) ([]place, error) {
	jobs, err := c.Named(name)
	if err != nil {
		return nil, err
	}
	var found []place
	for _, job := range config.Places(jobs) {
		bucket, err := f.bucket(ctx, job)
		if err != nil {
			return nil, err
		}
		found = append(found, place{job: job, bucket: bucket, catalogue: f.catalogue(bucket, job)})
	}
	return found, nil
}
