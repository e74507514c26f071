package s3server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Policies of callers, as AWS evaluates identity policies: what no statement allows is denied, a denying statement
// wins, and an action may need several rights. A policy with an element that is not built (Condition, NotAction, …) is
// refused when it is read, since it would otherwise grant more than it says.

// Policy says what a caller may do. The nil Policy allows everything.
type Policy struct{ statements []statement }

type statement struct {
	Sid              string
	Effect           string
	Action, Resource oneOrMore
}

// oneOrMore is a string or a list of strings, which mean the same in a policy.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

// ParsePolicy reads an IAM policy document.
func ParsePolicy(raw []byte) (*Policy, error) {
	var document struct {
		Version   string
		Statement []statement
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&document); err != nil {
		return nil, fmt.Errorf("s3server: read policy: %w", err)
	}
	if document.Version != "2012-10-17" {
		return nil, fmt.Errorf("s3server: read policy: version %q", document.Version)
	}
	for _, st := range document.Statement {
		if (st.Effect != "Allow" && st.Effect != "Deny") || len(st.Action) == 0 || len(st.Resource) == 0 {
			return nil, fmt.Errorf("s3server: read policy: statement %q needs an effect, an action and a resource", st.Sid)
		}
	}
	return &Policy{statements: document.Statement}, nil
}

// Allows says whether an action such as s3:GetObject on a resource, an ARN, is allowed.
func (p *Policy) Allows(action, resource string) bool {
	if p == nil {
		return true
	}
	allowed := false
	for _, st := range p.statements {
		if !matchesAny(st.Action, action) || !matchesAny(st.Resource, resource) {
			continue
		}
		if st.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return wildcard(pattern).MatchString(text) })
}

// wildcard is IAM's: * is any characters, slashes included, ? is one; ${*}, ${?} and ${$} are the characters themselves.
func wildcard(pattern string) *regexp.Regexp {
	var out strings.Builder
	out.WriteString("(?s)^")
	for pattern != "" {
		switch {
		case len(pattern) >= 4 && pattern[:2] == "${" && pattern[3] == '}' && strings.ContainsRune("*?$", rune(pattern[2])):
			out.WriteString(regexp.QuoteMeta(pattern[2:3]))
			pattern = pattern[4:]
			continue
		case pattern[0] == '*':
			out.WriteString(".*")
		case pattern[0] == '?':
			out.WriteString(".")
		default:
			out.WriteString(regexp.QuoteMeta(pattern[:1]))
		}
		pattern = pattern[1:]
	}
	return regexp.MustCompile(out.String() + "$")
}

// rights are what AWS asks for each operation; the service authorization reference of Amazon S3 has them.
func rights() map[Op]string {
	return map[Op]string{
		OpCreateBucket: "s3:CreateBucket", OpHeadBucket: "s3:ListBucket",
		OpGetBucketVersioning: "s3:GetBucketVersioning", OpPutBucketVersioning: "s3:PutBucketVersioning",
		OpGetObjectLock: "s3:GetBucketObjectLockConfiguration", OpPutObjectLock: "s3:PutBucketObjectLockConfiguration",
		OpGetLifecycle: "s3:GetLifecycleConfiguration", OpPutLifecycle: "s3:PutLifecycleConfiguration",
		OpGetEncryption: "s3:GetEncryptionConfiguration", OpPutEncryption: "s3:PutEncryptionConfiguration",
		OpGetPublicAccess: "s3:GetBucketPublicAccessBlock", OpPutPublicAccess: "s3:PutBucketPublicAccessBlock",
		OpGetPolicy: "s3:GetBucketPolicy", OpPutPolicy: "s3:PutBucketPolicy",
		OpListObjects: "s3:ListBucket", OpListObjectsV2: "s3:ListBucket",
		OpListObjectVersions: "s3:ListBucketVersions", OpListMultipartUploads: "s3:ListBucketMultipartUploads",
		OpDeleteObjects: "s3:DeleteObject", OpDeleteObject: "s3:DeleteObject",
		OpPutObject: "s3:PutObject", OpCopyObject: "s3:PutObject",
		OpGetObject: "s3:GetObject", OpHeadObject: "s3:GetObject", OpRestoreObject: "s3:RestoreObject",
		OpGetObjectRetention: "s3:GetObjectRetention", OpPutObjectRetention: "s3:PutObjectRetention",
		OpGetObjectLegalHold: "s3:GetObjectLegalHold", OpPutObjectLegalHold: "s3:PutObjectLegalHold",
		OpCreateMultipart: "s3:PutObject", OpUploadPart: "s3:PutObject", OpCompleteMultipart: "s3:PutObject",
		OpAbortMultipart: "s3:AbortMultipartUpload", OpListParts: "s3:ListMultipartUploadParts",
	}
}

// Right is what AWS asks for an operation, such as s3:GetObject, or "" for one that is not known.
func Right(op Op) string { return rights()[op] }

// Grant gives a caller a policy from now on; nil allows everything.
func (s *Server) Grant(accessKey string, p *Policy) {
	s.policies.Store(accessKey, p)
}

func (s *Server) policyOf(accessKey string) *Policy {
	p, _ := s.policies.Load(accessKey)
	policy, _ := p.(*Policy)
	return policy
}

// permit applies the caller's policy. DeleteObjects names its keys in the body, and is asked for each of them.
func (c *call) permit() error {
	if c.policy == nil || c.op == OpDeleteObjects {
		return nil
	}
	for _, action := range c.needed() {
		if !c.policy.Allows(action, c.resource(c.key)) {
			return c.notAuthorized(action, c.key)
		}
	}
	return c.permitSource()
}

// permitSource asks for the right to read what a copy is made of.
func (c *call) permitSource() error {
	if c.op != OpCopyObject {
		return nil
	}
	raw, _, _ := strings.Cut(c.r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	source, err := url.PathUnescape(raw)
	if err != nil {
		return invalidArgument("Invalid copy source object key")
	}
	resource := "arn:aws:s3:::" + strings.TrimPrefix(source, "/")
	if c.policy.Allows("s3:GetObject", resource) {
		return nil
	}
	return apiErr(http.StatusForbidden, "AccessDenied",
		"User: arn:aws:iam::%s:user/%s is not authorized to perform: s3:GetObject on resource: \"%s\" because no identity-based policy allows the s3:GetObject action",
		c.s.opt.Owner, c.accessKey, resource)
}

// needed are the rights for this call, those for its headers included.
func (c *call) needed() []string {
	needed := []string{Right(c.op)}
	versioned := c.query.Has("versionId")
	switch {
	case c.op == OpDeleteObject && versioned:
		needed = []string{"s3:DeleteObjectVersion"}
	case (c.op == OpGetObject || c.op == OpHeadObject) && versioned:
		needed = []string{"s3:GetObjectVersion"}
	case c.r.Header.Get("X-Amz-Object-Lock-Mode") != "":
		needed = append(needed, "s3:PutObjectRetention")
	}
	if c.r.Header.Get("X-Amz-Bypass-Governance-Retention") != "" {
		needed = append(needed, "s3:BypassGovernanceRetention")
	}
	return needed
}

// resource is the ARN of a key of this bucket, or of the bucket itself.
func (c *call) resource(key string) string {
	if key == "" {
		return "arn:aws:s3:::" + c.bucket
	}
	return "arn:aws:s3:::" + c.bucket + "/" + key
}

// notAuthorized is AWS's answer in its words.
func (c *call) notAuthorized(action, key string) *apiError {
	return apiErr(http.StatusForbidden, "AccessDenied",
		"User: arn:aws:iam::%s:user/%s is not authorized to perform: %s on resource: \"%s\" because no identity-based policy allows the %s action",
		c.s.opt.Owner, c.accessKey, action, c.resource(key), action)
}
