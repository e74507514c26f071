package iam

import (
	"regexp"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Missing is the statement that gives a role one right that it was refused, of its policy and no wider; false where
// the role does not have that right.
func Missing(role Role, job config.Job, right string) (Statement, bool) {
	for _, s := range statements(role, []config.Job{job}, config.Metrics{}) {
		if slices.Contains(s.Action, right) {
			s.Action = []string{right}
			s.Sid = title(role) + s.Sid
			return s, true
		}
	}
	return Statement{}, false
}

var named = regexp.MustCompile(`is not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`)

// Refused is the right that AWS names in a refusal, or "": a write may be refused for that on a KMS key.
func Refused(text string) string {
	if m := named.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

var denied = regexp.MustCompile(`with an explicit deny(?: in (?:an?|the) ([a-z -]+))?`)

// DeniedBy is the kind of policy that holds a denial in AWS's own words, "some policy" where AWS does not say; "" where
// the refusal is no explicit denial. No statement of the identity's own policy mends one.
func DeniedBy(text string) string {
	m := denied.FindStringSubmatch(text)
	switch {
	case m == nil:
		return ""
	case m[1] == "":
		return "some policy"
	}
	return m[1]
}
