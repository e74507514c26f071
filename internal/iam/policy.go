// Package iam writes the AWS policies that pgbtui's keys need, for one configuration and no right more.
package iam

import (
	"cmp"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Role is who has a key; docs/iam.md says what each does.
type Role string

// The roles.
const (
	Writer   Role = "writer"
	Prover   Role = "prover"
	Keeper   Role = "keeper"
	Restorer Role = "restorer"
	Copier   Role = "copier"  // reads the sets, and writes them to the places of `copies`
	Doctor   Role = "doctor"  // besides another: reads how the bucket is set up
	Bucket   Role = "bucket"  // a person's: the settings of the bucket, and nothing in it
	Metrics  Role = "metrics" // besides another: sends to CloudWatch
)

// Roles are all of them, in the order of docs/iam.md.
func Roles() []Role { return []Role{Writer, Prover, Keeper, Restorer, Copier, Doctor, Bucket, Metrics} }

// Policy is an IAM policy document; its JSON is what `aws iam put-user-policy` takes.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement allows actions on resources. Conditions are by operator, then by key.
type Statement struct {
	Sid       string                         `json:"Sid"`
	Effect    string                         `json:"Effect"`
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:"Resource"`
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

// For is the policy that a key needs to have these roles for these jobs, and for what is told of them. Jobs that are
// not on AWS are taken as if they were: many stores read the same documents.
func For(roles []Role, jobs []config.Job, told config.Metrics) Policy {
	all := Policy{Version: "2012-10-17", Statement: []Statement{}}
	several := len(roles) > 1
	for _, role := range Roles() {
		if !slices.Contains(roles, role) {
			continue
		}
		for _, s := range statements(role, jobs, told) {
			if several && role != Metrics { // a Sid is there once
				s.Sid = title(role) + s.Sid
			}
			all.Statement = append(all.Statement, s)
		}
	}
	return all
}

func title(r Role) string { return strings.ToUpper(string(r[:1])) + string(r[1:]) }

func statements(role Role, jobs []config.Job, told config.Metrics) []Statement {
	switch role {
	case Writer:
		return writer(jobs)
	case Prover:
		return prover(jobs)
	case Keeper:
		return keeper(jobs)
	case Copier:
		return copier(jobs)
	case Bucket:
		return bucket(jobs)
	case Doctor:
		return doctor(jobs)
	case Metrics:
		return metrics(told.CloudWatch.Namespace)
	default:
		return restorer(jobs)
	}
}

func writer(jobs []config.Job) []Statement {
	out := []Statement{
		allow("List", buckets(jobs),
			"s3:ListBucket", "s3:ListBucketMultipartUploads",
			"s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetLifecycleConfiguration"),
		allow("OwnFolder", ownFolders(jobs, "/*"), "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"),
		allow("WhatOthersHave", slices.Concat(places(jobs, "*/manifest.json"), places(jobs, "*/proofs/*")), "s3:GetObject"),
	}
	locked := slices.DeleteFunc(slices.Clone(jobs), func(j config.Job) bool { return j.ObjectLock.Mode == "" })
	if len(locked) > 0 {
		out = append(out, allow("Lock", ownFolders(locked, "/*"), "s3:PutObjectRetention", "s3:GetObjectRetention"))
	}
	return append(out, keys(jobs, "kms:GenerateDataKey", "kms:Decrypt")...)
}

func prover(jobs []config.Job) []Statement {
	out := []Statement{
		allow("List", buckets(jobs), "s3:ListBucket"),
		allow("Read", places(jobs, "*"), "s3:GetObject", "s3:RestoreObject"),
		allow("Proofs", ownFolders(jobs, "/*/proofs/*"), "s3:PutObject"),
	}
	// What it stores is encrypted with the same key.
	return append(out, keys(jobs, "kms:GenerateDataKey", "kms:Decrypt")...)
}

func keeper(jobs []config.Job) []Statement {
	out := []Statement{
		allow("List", buckets(jobs), "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
		allow("ReadAndDelete", places(jobs, "*"),
			"s3:GetObject", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
		allow("MarkBeforeDeletion", places(jobs, "*/retired.json"), "s3:PutObject"),
	}
	return append(out, keys(jobs, "kms:GenerateDataKey", "kms:Decrypt")...)
}

func restorer(jobs []config.Job) []Statement {
	out := []Statement{
		allow("List", buckets(jobs), "s3:ListBucket"),
		allow("Read", places(jobs, "*"), "s3:GetObject", "s3:RestoreObject"),
	}
	return append(out, keys(jobs, "kms:Decrypt")...)
}

// copier reads what the jobs have, and writes the same to their copies. It deletes nothing anywhere.
func copier(jobs []config.Job) []Statement {
	copied := slices.DeleteFunc(slices.Clone(jobs), func(j config.Job) bool { return len(j.Copies) == 0 })
	var there []config.Job
	for _, j := range copied {
		for _, c := range j.Copies {
			at, _ := j.AtCopy(c.Name)
			there = append(there, at)
		}
	}
	out := []Statement{
		allow("List", buckets(slices.Concat(copied, there)), "s3:ListBucket"),
		allow("Read", ownFolders(copied, "/*"), "s3:GetObject"),
		allow("Uploads", buckets(there), "s3:ListBucketMultipartUploads"),
		allow("Copies", ownFolders(there, "/*"), "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"),
	}
	for _, s := range keys(copied, "kms:Decrypt") {
		s.Sid = "Source" + s.Sid
		out = append(out, s)
	}
	return append(out, keys(there, "kms:GenerateDataKey", "kms:Decrypt")...)
}

// bucket sees and changes what the bucket is, and reads nothing that is stored there.
func bucket(jobs []config.Job) []Statement {
	return []Statement{
		allow("Settings", buckets(jobs),
			"s3:ListBucket", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetEncryptionConfiguration",
			"s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicy", "s3:GetLifecycleConfiguration"),
		allow("Change", buckets(jobs),
			"s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock",
			"s3:PutLifecycleConfiguration"),
	}
}

// doctor reads what a bucket is set to; nothing of a set.
func doctor(jobs []config.Job) []Statement {
	return []Statement{
		allow("Posture", buckets(jobs),
			"s3:ListBucket", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetLifecycleConfiguration",
			"s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicy"),
		allow("Account", []string{"*"}, "s3:GetAccountPublicAccessBlock"), // it has no resource to name
	}
}

// metrics has a condition, since CloudWatch has no resources to name.
func metrics(namespace string) []Statement {
	s := allow("Metrics", []string{"*"}, "cloudwatch:PutMetricData")
	s.Condition = map[string]map[string][]string{"StringEquals": {"cloudwatch:namespace": {namespace}}}
	return []Statement{s}
}

func allow(sid string, resources []string, actions ...string) Statement {
	return Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources}
}

// buckets are the buckets of jobs, each once, sorted.
func buckets(jobs []config.Job) []string {
	return each(jobs, func(j config.Job) string { return bucketARN(j.S3) })
}

// places are where the sets of every host lie, with an ending.
func places(jobs []config.Job, ending string) []string {
	return each(jobs, func(j config.Job) string { return rootARN(j.S3) + ending })
}

// ownFolders are the folders of the jobs' own instances, with an ending.
func ownFolders(jobs []config.Job, ending string) []string {
	return each(jobs, func(j config.Job) string { return rootARN(j.S3) + backup.EncodeName(j.Instance) + ending })
}

func each(jobs []config.Job, of func(config.Job) string) []string {
	var out []string
	for _, j := range jobs {
		out = append(out, of(j))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func bucketARN(s config.S3) string { return "arn:" + partition(s.Region) + ":s3:::" + s.Bucket }

// rootARN is what all keys of a prefix begin with.
func rootARN(s config.S3) string { return bucketARN(s) + "/" + literal(backup.Root(s.Prefix)) }

// partition is the part of AWS that a region belongs to.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// literal is text that stands for itself in a policy, where * and ? are wildcards and ${ begins a variable.
func literal(text string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(text)
}

// keys are statements for the KMS keys of jobs: none without aws:kms, and none for the account's own key for S3, whose
// policy lets in everybody who may use the bucket.
func keys(jobs []config.Job, actions ...string) []Statement {
	var named, aliases []string
	for _, j := range jobs {
		switch id := j.S3.KMSKeyID; {
		case j.S3.SSE != "aws:kms" || id == "" || id == "alias/aws/s3":
		case strings.HasPrefix(id, "alias/"):
			aliases = append(aliases, id)
		case strings.Contains(id, ":alias/"):
			aliases = append(aliases, id[strings.Index(id, ":alias/")+1:])
		case strings.HasPrefix(id, "arn:"):
			named = append(named, id)
		default:
			named = append(named,
				"arn:"+partition(j.S3.Region)+":kms:"+cmp.Or(literal(j.S3.Region), "*")+":"+cmp.Or(j.S3.ExpectedOwner, "*")+
					":key/"+id)
		}
	}
	var out []Statement
	if len(named) > 0 {
		slices.Sort(named)
		out = append(out, allow("Key", slices.Compact(named), actions...))
	}
	if len(aliases) > 0 { // a right on a key is not given by its alias
		slices.Sort(aliases)
		s := allow("KeyByAlias", []string{"*"}, actions...)
		s.Condition = map[string]map[string][]string{"ForAnyValue:StringEquals": {
			"kms:ResourceAliases": slices.Compact(aliases),
		}}
		out = append(out, s)
	}
	return out
}
