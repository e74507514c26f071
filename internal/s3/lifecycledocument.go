package s3

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The lifecycle rules of a bucket are one document, which S3 replaces as a whole and without conditions. So nobody's
// rules but ours may change on the way: they are kept as the SDK read them; a document with an element that the SDK
// does not know is never put; and it is read once more right before it is put.

// LifecycleDocument is all lifecycle rules of a bucket. The zero document has none.
type LifecycleDocument struct {
	rules   []types.LifecycleRule
	minimum types.TransitionDefaultMinimumObjectSize // below which rules without a size move nothing
	strange []string                                 // elements that would be lost
}

// Rules are what the rules do, in the document's order.
func (d LifecycleDocument) Rules() []LifecycleRule {
	var out []LifecycleRule
	for _, r := range d.rules {
		out = append(out, lifecycleRule(r))
	}
	return out
}

// Strange are the elements of the document that this program does not know, such as another store's own.
func (d LifecycleDocument) Strange() []string { return d.strange }

// With is the document with other rules in the place of those that are own, by their ID. All others stay as they are,
// and where they are.
func (d LifecycleDocument) With(rules []LifecycleRule, own func(id string) bool) LifecycleDocument {
	next := LifecycleDocument{minimum: d.minimum, strange: d.strange}
	for _, r := range d.rules {
		if !own(aws.ToString(r.ID)) {
			next.rules = append(next.rules, r)
		}
	}
	for i := range rules {
		next.rules = append(next.rules, rules[i].document())
	}
	return next
}

// Equal reports whether two documents say the same. The order of rules says nothing.
func (d LifecycleDocument) Equal(other LifecycleDocument) bool {
	return d.minimum == other.minimum && slices.Equal(d.texts(), other.texts())
}

// texts are the rules in one form, sorted.
func (d LifecycleDocument) texts() []string {
	out := make([]string, len(d.rules))
	for i, r := range d.rules {
		text, err := json.Marshal(r)
		if err != nil {
			panic("s3: a lifecycle rule has no JSON: " + err.Error()) // its types are strings, numbers and times
		}
		out[i] = string(text)
	}
	slices.Sort(out)
	return out
}

// LifecycleDocument reads the bucket's lifecycle rules, none where the store has or knows none.
func (b *Bucket) LifecycleDocument(ctx context.Context) (LifecycleDocument, error) {
	var body keptBody
	out, err := b.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts), body.keep)
	if codeOf(err) == "NoSuchLifecycleConfiguration" || unknownToStore(err) {
		return LifecycleDocument{}, nil
	}
	if err != nil {
		return LifecycleDocument{}, b.fail(ctx, "read lifecycle of", b.Location(), err)
	}
	return LifecycleDocument{
		rules: out.Rules, minimum: out.TransitionDefaultMinimumObjectSize, strange: strangeElements(body.text),
	}, nil
}

// errLifecycleChanged is in the chain when somebody else was faster.
var errLifecycleChanged = errors.New("the lifecycle rules were changed meanwhile")

// PutLifecycle replaces the document that was read by the next one. It refuses where the bucket has another document
// by now, and where the bucket's has what this program would lose.
func (b *Bucket) PutLifecycle(ctx context.Context, read, next LifecycleDocument) error {
	const verb = "put lifecycle of"
	if len(next.strange) > 0 {
		return fault.New(fault.Refused, subject(verb, b.Location()),
			"Change the rules with the store's own tools: `pgbtui aws bucket plan` says which they should be.",
			errors.New("its rules have elements that pgbtui does not know and would lose: "+visible(listOf(next.strange))))
	}
	now, err := b.LifecycleDocument(ctx)
	if err != nil {
		return err
	}
	if !now.Equal(read) {
		return b.because(verb, b.Location(), verdict{
			code: fault.Temporary, sentinel: errLifecycleChanged, remedy: "Look at the plan again: somebody " +
				"else changes these rules.",
		}, nil)
	}
	_, err = b.client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(), TransitionDefaultMinimumObjectSize: next.minimum,
		ChecksumAlgorithm:      types.ChecksumAlgorithmCrc32,
		LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: next.rules},
	}, b.atMost(probeAttempts))
	if err != nil {
		return b.fail(ctx, verb, b.Location(), err)
	}
	return nil
}

// document is the rule as the SDK writes it.
func (r *LifecycleRule) document() types.LifecycleRule {
	out := types.LifecycleRule{ID: &r.ID, Status: types.ExpirationStatusDisabled, Filter: r.filter()}
	if r.Enabled {
		out.Status = types.ExpirationStatusEnabled
	}
	switch {
	case !r.ExpireAt.IsZero():
		out.Expiration = &types.LifecycleExpiration{Date: &r.ExpireAt}
	case r.ExpireDays > 0:
		out.Expiration = &types.LifecycleExpiration{Days: days(r.ExpireDays)}
	case r.ExpireMarkers:
		out.Expiration = &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)}
	}
	if r.NoncurrentDays > 0 {
		out.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{NoncurrentDays: days(r.NoncurrentDays)}
		if r.NoncurrentKept > 0 {
			out.NoncurrentVersionExpiration.NewerNoncurrentVersions = days(r.NoncurrentKept)
		}
	}
	if r.AbortDays > 0 {
		out.AbortIncompleteMultipartUpload = &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: days(r.AbortDays)}
	}
	r.addTransitions(&out)
	return out
}

func (r *LifecycleRule) addTransitions(out *types.LifecycleRule) {
	for _, t := range r.Transitions {
		class := types.TransitionStorageClass(t.Class)
		switch {
		case t.Noncurrent:
			out.NoncurrentVersionTransitions = append(out.NoncurrentVersionTransitions,
				types.NoncurrentVersionTransition{NoncurrentDays: days(t.Days), StorageClass: class})
		case !t.At.IsZero():
			out.Transitions = append(out.Transitions, types.Transition{Date: &t.At, StorageClass: class})
		default:
			out.Transitions = append(out.Transitions, types.Transition{Days: days(t.Days), StorageClass: class})
		}
	}
}

// filter is an And as soon as there are two conditions, as S3 wants it.
func (r *LifecycleRule) filter() *types.LifecycleRuleFilter {
	if len(r.Tags) == 0 && r.OverBytes == 0 && r.UnderBytes == 0 {
		return &types.LifecycleRuleFilter{Prefix: &r.Prefix}
	}
	and := &types.LifecycleRuleAndOperator{Prefix: &r.Prefix}
	if r.OverBytes > 0 {
		and.ObjectSizeGreaterThan = &r.OverBytes
	}
	if r.UnderBytes > 0 {
		and.ObjectSizeLessThan = &r.UnderBytes
	}
	for key, value := range r.Tags {
		and.Tags = append(and.Tags, types.Tag{Key: &key, Value: &value})
	}
	slices.SortFunc(and.Tags, func(a, b types.Tag) int { return compareText(*a.Key, *b.Key) })
	return &types.LifecycleRuleFilter{And: and}
}
