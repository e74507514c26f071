package doctor

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Whether anything of the bucket can be public: by its own block, and where that leaves something open, by that of the
// account.

func (p *poster) access(ctx context.Context) {
	const id, tried = "bucket.public-access", "ask for the bucket's public access block"
	block, err := ask(p.buckets, func(b *s3.Bucket) (s3.PublicAccess, error) { return b.PublicAccess(ctx) })
	switch {
	case err != nil:
		p.closed(id, tried, "s3:GetBucketPublicAccessBlock", err)
	case !block.Known:
		p.unknown(id, tried, "the store knows no such setting",
			"Find out by the store's own means whether anybody may read the bucket.")
	case block.Blocked():
		p.ok(id, tried, "nothing of the bucket can be public")
	default:
		p.opened(ctx, block)
	}
}

// opened is for a bucket whose own block leaves something open: the account's may close it.
func (p *poster) opened(ctx context.Context, block s3.PublicAccess) {
	const id, tried = "bucket.public-access", "ask for the public access blocks of the bucket and of the account"
	account, err := ask(p.buckets, func(b *s3.Bucket) (s3.PublicAccess, error) { return b.AccountPublicAccess(ctx) })
	if err == nil && block.With(account).Blocked() {
		p.ok(id, tried, "the account's block keeps everything of the bucket from being public; its own leaves something open")
		return
	}
	text := "a policy or an ACL could make backups public"
	remedy := "Run `aws s3api put-public-access-block --bucket " + p.job.S3.Bucket +
		" --public-access-block-configuration " +
		"BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`."
	if err == nil {
		if !account.Known {
			text += ", unless the account's own block keeps it from that, which was not looked at: s3.expected_bucket_owner " +
				"names no account, or the store is not AWS"
		}
		p.add(id, seen{result: Warn, tried: tried, seen: text, remedy: remedy})
		return
	}
	text += ", unless the account's own block keeps it from that, which was not told: " + oneLine(err)
	f := p.unknown(id, tried, text, remedy)
	if statement, ok := iam.Missing(iam.Doctor, p.job, "s3:GetAccountPublicAccessBlock"); ok &&
		fault.CodeOf(err) == fault.NotPermitted {
		f.Statement = &statement
	}
}
