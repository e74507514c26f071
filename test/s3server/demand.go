package s3server

import (
	"encoding/json"
	"net/http"
	"slices"
)

// What is obeyed of a bucket's policy: a denial of deletions without a condition, as "Enforcing conditional deletes" in
// the S3 user guide has it. Everything else of it is kept and returned.

type bucketStatement struct {
	Effect           string
	Principal        json.RawMessage
	Action, Resource oneOrMore
	Condition        map[string]map[string]oneOrMore
}

// demandsIfMatch reports whether the bucket's policy denies a deletion that names no ETag.
func (b *bucket) demandsIfMatch(resource string) bool {
	policy := b.configured().Policy
	if policy == "" {
		return false
	}
	var document struct{ Statement []bucketStatement }
	if json.Unmarshal([]byte(policy), &document) != nil {
		return false
	}
	return slices.ContainsFunc(document.Statement, func(s bucketStatement) bool {
		return s.Effect == "Deny" && string(s.Principal) == `"*"` && len(s.Condition) == 1 &&
			slices.Equal(s.Condition["Null"]["s3:if-match"], oneOrMore{"true"}) &&
			matchesAny(s.Action, "s3:DeleteObject") && matchesAny(s.Resource, resource)
	})
}

// deniedByBucket is AWS's answer in its words.
func (c *call) deniedByBucket(action, key string) *apiError {
	return apiErr(http.StatusForbidden, "AccessDenied",
		"User: arn:aws:iam::%s:user/%s is not authorized to perform: %s on resource: \"%s\" "+
			"with an explicit deny in a resource-based policy",
		c.s.opt.Owner, c.accessKey, action, c.resource(key))
}
