package main

import (
	"cmp"
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// access is how a verb reaches stores.
type access struct {
	duty duty // whose key it takes; "" is that of people, s3.credentials_file
	// waitedFor is for a verb whose answer somebody waits for at a screen: a store that is gone is reported within
	// seconds. A run tries for a minute, since it has the night.
	waitedFor bool
}

// stores are the buckets that a call has opened: one for equal settings, closed at its end.
type stores struct {
	env    *environment
	open   map[storeID]*s3.Bucket
	listed map[instanceID][]backup.Set
}

// storeID is a place in a store and whose key reaches it.
type storeID struct {
	config.S3
	bandwidth config.Bandwidth
	duty      duty
}

func (s *stores) close() {
	for _, b := range s.open {
		b.Close()
	}
}

// client opens stores as one verb does.
type client struct {
	stores *stores
	access
}

// bucket opens a job's bucket.
func (c client) bucket(ctx context.Context, job config.Job) (*s3.Bucket, error) {
	key := storeID{S3: job.S3, bandwidth: job.Bandwidth, duty: c.duty}
	if b := c.stores.open[key]; b != nil {
		return b, nil
	}
	env := c.stores.env
	options := s3.Options{
		Bucket: job.S3.Bucket, Region: job.S3.Region, Endpoint: job.S3.Endpoint, PathStyle: job.S3.PathStyle,
		Profile: job.S3.Profile, CredentialsFile: c.keyFile(job),
		SSE: job.S3.SSE, KMSKeyID: job.S3.KMSKeyID, StorageClass: job.S3.StorageClass,
		AllowPlainHTTP: job.S3.AllowPlainHTTP, ExpectedBucketOwner: job.S3.ExpectedOwner,
		MaxParts: job.S3.MaxParts, EqualParts: job.S3.EqualParts, Bandwidth: int64(job.Bandwidth),
	}
	if c.waitedFor && env.getenv("AWS_MAX_ATTEMPTS") == "" {
		options.MaxAttempts = 3
		options.IdleTimeout = 15 * time.Second
	}
	b, err := s3.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if c.stores.open == nil {
		c.stores.open = map[storeID]*s3.Bucket{}
	}
	c.stores.open[key] = b
	return b, nil
}

// keyFile is the file of the key that a verb takes; "" leaves it to the SDK's chain.
func (c client) keyFile(job config.Job) string {
	env := c.stores.env
	file := cmp.Or(env.storeKey(c.duty), job.S3.CredentialsFile)
	if file == "" && c.duty == "" {
		return env.lookersKey()
	}
	return file
}

// catalogue reads the sets of a job's place, with what this user has kept of their documents.
func (c client) catalogue(bucket *s3.Bucket, job config.Job) *backup.Catalogue {
	return backup.NewCatalogue(bucket, job).KeepIn(c.stores.env.cacheDir())
}
