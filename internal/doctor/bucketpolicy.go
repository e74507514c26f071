package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// The bucket's own policy: what of it could refuse us. Rule: nothing is decided by it, since the calls themselves are
// tried; a denial that has a condition is told, because it may hold at another time or place than now.

// denial is a statement of a bucket's policy that denies something that a backup's keys do.
type denial struct {
	sid        string
	actions    []string // of ours
	conditions []string // keys; none: it always holds
	principals bool     // for some callers only, which may be ours or not
}

// words is one text, or several.
type words []string

// UnmarshalJSON takes either.
func (w *words) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

type bucketPolicy struct {
	Statement []struct {
		Sid          string                     `json:"Sid"`
		Effect       string                     `json:"Effect"`
		Principal    json.RawMessage            `json:"Principal"`
		NotPrincipal json.RawMessage            `json:"NotPrincipal"`
		Action       words                      `json:"Action"`
		NotAction    words                      `json:"NotAction"`
		Condition    map[string]json.RawMessage `json:"Condition"`
	} `json:"Statement"`
}

// denials are those of a policy that touch actions of ours.
func denials(text string, ours []string) ([]denial, error) {
	var p bucketPolicy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("doctor: read the bucket's policy: %w", err)
	}
	var all []denial
	for i, s := range p.Statement {
		if s.Effect != "Deny" {
			continue
		}
		d := denial{sid: s.Sid, principals: len(s.NotPrincipal) > 0 || !forEverybody(s.Principal)}
		if d.sid == "" {
			d.sid = fmt.Sprintf("number %d", i+1)
		}
		for _, action := range ours {
			if len(s.Action) > 0 && names(s.Action, action) || len(s.NotAction) > 0 && !names(s.NotAction, action) {
				d.actions = append(d.actions, action)
			}
		}
		for _, raw := range s.Condition {
			var keys map[string]json.RawMessage
			if json.Unmarshal(raw, &keys) == nil {
				for key := range keys {
					d.conditions = append(d.conditions, key)
				}
			}
		}
		slices.Sort(d.conditions)
		if len(d.actions) > 0 {
			all = append(all, d)
		}
	}
	return all, nil
}

// forEverybody reports whether a statement is for all callers.
func forEverybody(principal json.RawMessage) bool {
	var one string
	if json.Unmarshal(principal, &one) == nil {
		return one == "*"
	}
	var kinds map[string]words
	if json.Unmarshal(principal, &kinds) != nil {
		return false
	}
	return slices.Contains(kinds["AWS"], "*")
}

// names reports whether patterns of a policy take in an action, whatever the case.
func names(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(strings.ToLower(p), strings.ToLower(action))
		return ok && err == nil
	})
}

// harmless are conditions that pgbtui's requests meet: TLS, its own encryption, the account that it names.
func harmless(d denial, encrypted bool) bool {
	return len(d.conditions) > 0 && !slices.ContainsFunc(d.conditions, func(key string) bool {
		return !strings.EqualFold(key, "aws:SecureTransport") || !encrypted
	})
}

func (p *poster) policy(ctx context.Context) {
	const id, tried = "bucket.policy", "read the bucket's policy, for what it denies"
	text, err := ask(p.buckets, func(b *s3.Bucket) (string, error) { return b.Policy(ctx) })
	if err != nil {
		p.closed(id, tried, "s3:GetBucketPolicy", err)
		return
	}
	if text == "" {
		p.ok(id, tried, "it has none")
		return
	}
	var ours []string
	for _, s := range iam.For([]iam.Role{iam.Writer, iam.Prover, iam.Restorer}, []config.Job{p.job},
		config.Metrics{}).Statement {
		ours = append(ours, s.Action...)
	}
	slices.Sort(ours)
	found, err := denials(text, slices.Compact(ours))
	if err != nil {
		p.unknown(id, tried, oneLine(err), "Read the policy yourself (`aws s3api get-bucket-policy --bucket "+
			p.job.S3.Bucket+"`).")
		return
	}
	encrypted := len(p.buckets) > 0 && p.buckets[0].Encrypted()
	result := OK
	var said []string
	for _, d := range found {
		one, what := Warn, "statement "+d.sid+" denies "+strings.Join(d.actions, ", ")
		switch {
		case harmless(d, encrypted):
			continue
		case len(d.conditions) > 0:
			what += " on conditions (" + strings.Join(d.conditions, ", ") + ")"
		case d.principals:
			what += " to some callers"
		default:
			one = Fail
			what += " to everybody"
		}
		if said = append(said, what); one.weight() > result.weight() {
			result = one
		}
	}
	if len(said) == 0 {
		p.ok(id, tried, "it denies nothing that backups do")
		return
	}
	p.add(id, seen{
		result: result, tried: tried, seen: strings.Join(said, "; "),
		remedy: "Compare them with what was tried just now (s3.writer, s3.restorer); a condition on s3:if-none-match or " +
			"s3:x-amz-server-side-encryption " +
			"must leave out what pgbtui does otherwise.",
	})
}
