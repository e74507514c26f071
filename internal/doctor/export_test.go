package doctor

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Checks of what no test has: a bucket at AWS, a server of another version than those that are installed here.

// OwnerFinding is what is said of a bucket's account.
func OwnerFinding(ctx context.Context, job config.Job, bucket *s3.Bucket) []Finding {
	p := poster{log: &log{}, job: job, buckets: []*s3.Bucket{bucket}}
	p.owner(ctx)
	return p.findings
}

// BugsFinding is what is said of a server's version.
func BugsFinding(version string, number int) []Finding {
	s := server{log: &log{}, facts: postgres.Facts{Version: version, VersionNum: number}}
	s.bugs()
	return s.findings
}
