package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup/lifecycle"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// How the bucket is set up: what it keeps by itself, and what it does to sets by itself. Nothing is changed here.

func bucketCatalogue() []Check {
	const locks, owner = "docs/retention.md#object-lock-and-versions", "docs/iam.md#whose-bucket-it-is"
	return []Check{
		{ID: "bucket.kind", Why: "A directory bucket lies in one zone, and has neither versions, " +
			"nor object lock, nor lifecycle transitions.", Docs: "docs/stores.md"},
		{ID: "bucket.owner", Why: "A bucket's name says nothing about its owner: a deleted " +
			"bucket's name can be taken by any account.", Docs: owner},
		{
			ID:  "bucket.versioning",
			Why: "Without versions, whoever may write can overwrite a set, and nothing is left of it.", Docs: locks,
		},
		{ID: "bucket.object-lock", Why: "A locked set cannot be deleted by anybody before its time.", Docs: locks},
		{
			ID: "bucket.public-access", Why: "A public bucket is read by everybody, and somebody looks for it.",
			Docs: "docs/security.md",
		},
		{
			ID: "bucket.encryption", Why: "What the store does not encrypt lies on its disks as it is.",
			Docs: "docs/encryption.md",
		},
		{ID: "bucket.policy", Why: "What the bucket's policy denies, no policy of a key allows.", Docs: "docs/iam.md"},
		{ID: "bucket.class", Why: "Colder classes are paid for a least number of days, " +
			"and the coldest cannot be read at once.", Docs: "docs/cost.md"},
		{ID: "bucket.lifecycle", Why: "A lifecycle rule deletes and moves by age alone, " +
			"and knows no good set from a bad one.", Docs: "docs/retention.md"},
		{ID: "bucket.old-versions", Why: "Versions that nothing removes are paid for, for ever.", Docs: locks},
		{ID: "bucket.uploads", Why: "The parts of uploads that nobody completes are paid " +
			"for, and no list of objects shows them.", Docs: "docs/retention.md"},
	}
}

// posture reads with the key of people, and where that may not, with the backups'.
func (l *log) posture(ctx context.Context, w World) {
	if strings.HasSuffix(w.Job.S3.Bucket, "--x-s3") {
		l.add("bucket.kind", seen{
			result: Fail, tried: "look at the bucket's name", seen: "it is a directory bucket (S3 Express One Zone): the " +
				"loss of one zone loses every backup, " +
				"and it keeps no versions and no locks",
			remedy: "Store backups in a general purpose bucket.",
		})
	} else {
		l.ok("bucket.kind", "look at the bucket's name", "it is that of a general purpose bucket")
	}
	p := poster{log: l, job: w.Job}
	for _, role := range []iam.Role{iam.Restorer, iam.Writer} {
		if w.Keys.Hidden(role) != "" {
			continue
		}
		if b, err := w.Keys.Open(ctx, role); err == nil && !slices.Contains(p.buckets, b) {
			p.buckets = append(p.buckets, b)
		}
	}
	p.owner(ctx)
	p.protection(ctx)
	p.access(ctx)
	p.encryption(ctx)
	p.policy(ctx)
	p.class()
	p.lifecycle(ctx)
}

// poster asks each bucket, which are one by several keys, until one may answer.
type poster struct {
	*log
	job     config.Job
	buckets []*s3.Bucket
	keeps   s3.Protection
}

// aws reports whether the store is Amazon's own, as far as is known.
func (p *poster) aws() bool { return len(p.buckets) > 0 && p.buckets[0].Endpoint() == "" }

// ask is the first answer; denied: no key may ask.
func ask[T any](buckets []*s3.Bucket, question func(*s3.Bucket) (T, error)) (answer T, err error) {
	for _, b := range buckets {
		if answer, err = question(b); err == nil || fault.CodeOf(err) != fault.NotPermitted {
			return answer, err
		}
	}
	return answer, err
}

// closed is for a question that was refused: it is not known, and the statement says how to know.
func (p *poster) closed(id, tried, right string, err error) {
	if fault.CodeOf(err) != fault.NotPermitted {
		p.unknown(id, tried, oneLine(err), fault.Remedy(err))
		return
	}
	if named := iam.Refused(err.Error()); named != "" { // one answer may take two rights
		right = named
	}
	f := p.unknown(id, tried, oneLine(err),
		"Add this statement to the policy of people's key; `pgbtui aws policy "+
			"--role restorer --role doctor` prints all of them.")
	if statement, ok := iam.Missing(iam.Doctor, p.job, right); ok {
		f.Statement = &statement
	}
}

func (p *poster) owner(ctx context.Context) {
	const id = "bucket.owner"
	owner := p.job.S3.ExpectedOwner
	switch {
	case owner == "" && !p.aws():
		p.ok(id, "look at s3.expected_bucket_owner", "not set, and the store is another than AWS")
	case owner == "":
		p.add(id, seen{
			result: Warn, tried: "look at s3.expected_bucket_owner", seen: "it is not set, so that nobody notices when the " +
				"bucket is another account's",
			remedy: "Set s3.expected_bucket_owner to the number of your account (`aws sts get-caller-identity`).",
		})
	default:
		_, err := ask(p.buckets, func(b *s3.Bucket) (struct{}, error) { return struct{}{}, b.CheckOwner(ctx) })
		p.judge(id, "ask for the bucket as if it were another account's", "account "+owner+"; the store compares", err)
	}
}

func (p *poster) protection(ctx context.Context) {
	const versions, locks = "bucket.versioning", "bucket.object-lock"
	const tried = "ask for versioning and object lock"
	var err error
	p.keeps, err = ask(p.buckets, func(b *s3.Bucket) (s3.Protection, error) { return b.Protection(ctx) })
	if err != nil {
		p.closed(versions, tried, "s3:GetBucketVersioning", err)
		p.closed(locks, tried, "s3:GetBucketObjectLockConfiguration", err)
		return
	}
	if p.keeps.Versioning == s3.VersioningEnabled {
		p.ok(versions, tried, "versioning is on")
	} else {
		p.add(versions, seen{
			result: Warn, tried: tried, seen: "versioning is " + string(p.keeps.Versioning) + ": what is overwritten " +
				"or deleted is gone",
			remedy: "Run `aws s3api put-bucket-versioning --bucket " + p.job.S3.Bucket + " --versioning-configuration " +
				"Status=Enabled`, " +
				"and give old versions a lifecycle rule.",
		})
	}
	wanted := p.job.ObjectLock.Mode != ""
	switch {
	case wanted && !p.keeps.ObjectLock:
		p.add(locks, seen{
			result: Fail, tried: tried,
			seen: "s3.object_lock wants " + p.job.ObjectLock.String() + ", and the bucket has no " +
				"object lock: backups fail",
			remedy: "Run `aws s3api put-object-lock-configuration --bucket " + p.job.S3.Bucket +
				" --object-lock-configuration ObjectLockEnabled=Enabled`, or remove s3.object_lock.",
		})
	case wanted:
		p.ok(locks, tried, "on, as s3.object_lock wants: "+p.job.ObjectLock.String())
	case p.keeps.ObjectLock && p.keeps.Default.Mode != "":
		p.ok(locks, tried, fmt.Sprintf("on, with a default of %s for %d days and %d years", p.keeps.Default.Mode,
			p.keeps.Default.Days, p.keeps.Default.Years))
	default:
		p.ok(locks, tried, "no set is locked, and s3.object_lock asks for none")
	}
}

func (p *poster) lifecycle(ctx context.Context) {
	const id, tried = "bucket.lifecycle", "lay the bucket's lifecycle rules over retention, class and objectives"
	rules, err := ask(p.buckets, func(b *s3.Bucket) ([]s3.LifecycleRule, error) { return b.Lifecycle(ctx) })
	if err != nil {
		for _, check := range []string{id, "bucket.old-versions", "bucket.uploads"} {
			p.closed(check, "read the bucket's lifecycle rules", "s3:GetLifecycleConfiguration", err)
		}
		return
	}
	conflicts := lifecycle.Conflicts(p.job, rules)
	result, remedy := OK, ""
	var said []string
	for _, c := range conflicts {
		said = append(said, c.What)
		if one := map[bool]Result{true: Warn, false: Fail}[c.Costs]; one.weight() > result.weight() {
			result, remedy = one, c.Remedy
		}
	}
	if len(said) == 0 {
		said = []string{fmt.Sprintf("no rule of the bucket (there are %d) deletes or moves what retention keeps", len(rules))}
	}
	p.add(id, seen{result: result, tried: tried, seen: strings.Join(said, "; "), remedy: remedy})
	p.leftToRules(rules)
}

// leftToRules is what only a rule of the bucket removes.
func (p *poster) leftToRules(rules []s3.LifecycleRule) {
	const versions, uploads = "bucket.old-versions", "bucket.uploads"
	const tried = "look for a lifecycle rule that removes them"
	old := slices.ContainsFunc(rules, func(r s3.LifecycleRule) bool {
		return r.Enabled && r.NoncurrentDays > 0 && lifecycle.Touches(&r, p.job)
	})
	switch {
	case p.keeps.Versioning != s3.VersioningEnabled && p.keeps.Versioning != s3.VersioningSuspended:
		p.ok(versions, tried, "the bucket keeps no versions")
	case old:
		p.ok(versions, tried, "a rule removes them")
	default:
		p.add(versions, seen{
			result: Warn, tried: tried, seen: "the bucket keeps versions, and no rule ever removes " +
				"those that were deleted or written over",
			remedy: "Add a lifecycle rule with NoncurrentVersionExpiration, of at least as " +
				"many days as you want to be able to undo a deletion.",
		})
	}
	if slices.ContainsFunc(rules, func(r s3.LifecycleRule) bool {
		return r.Enabled && r.AbortDays > 0 && lifecycle.Touches(&r, p.job)
	}) {
		p.ok(uploads, tried, "a rule aborts them")
		return
	}
	p.add(uploads, seen{
		result: Warn, tried: tried, seen: "no rule aborts uploads that nobody completes; the next run of the same " +
			"database, or prune, does, as long as there is one",
		remedy: "Add a lifecycle rule with AbortIncompleteMultipartUpload after 7 days.",
	})
}

func (p *poster) encryption(ctx context.Context) {
	const id, tried = "bucket.encryption", "ask for the bucket's default encryption"
	e, err := ask(p.buckets, func(b *s3.Bucket) (s3.Encryption, error) { return b.Encryption(ctx) })
	asked := "each object asks for " + p.job.S3.SSE
	if len(p.job.Encryption.Recipients) > 0 {
		asked = "sets are encrypted by pgbtui, and " + asked
	}
	switch {
	case err != nil:
		p.closed(id, tried, "s3:GetEncryptionConfiguration", err)
	case !e.Known && len(p.job.Encryption.Recipients) > 0:
		p.ok(id, tried, "the store knows no such setting; "+asked)
	case !e.Known:
		p.unknown(id, tried, "the store knows no such setting; "+asked, "Find out by the store's own means, or let pgbtui "+
			"encrypt (docs/encryption.md).")
	case e.Algorithm != "":
		p.ok(id, tried, strings.TrimSpace(e.Algorithm+" "+e.KMSKeyID)+"; "+asked)
	case p.job.S3.SSE == s3.SSENone && len(p.job.Encryption.Recipients) == 0:
		p.add(id, seen{
			result: Fail, tried: tried, seen: "neither bucket, nor s3.sse, nor pgbtui encrypts: sets lie there as they are",
			remedy: "Remove s3.sse: none, or let pgbtui encrypt (docs/encryption.md).",
		})
	default:
		p.add(id, seen{
			result: Warn, tried: tried, seen: "the bucket has none; " + asked,
			remedy: "Run `aws s3api put-bucket-encryption --bucket " + p.job.S3.Bucket +
				" --server-side-encryption-configuration " +
				`'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'` + "`.",
		})
	}
}

// class lays the storage class that sets are put in over retention.
func (p *poster) class() {
	const id, tried = "bucket.class", "lay the class of new sets over retention"
	class := p.job.S3.StorageClass
	if class == "" && p.aws() {
		class = "STANDARD_IA"
	}
	longest, ends := lifecycle.Longest(p.job.Keep)
	minimum := price.MinimumDays(class)
	switch {
	case class == "GLACIER" || class == "DEEP_ARCHIVE":
		p.add(id, seen{
			result: Warn, tried: tried, seen: "sets are put in " + class + ": they cannot be verified, drilled or restored " +
				"before they are thawed, which takes hours",
			remedy: "Set s3.storage_class: GLACIER_IR, which can be read at once, or keep newer sets by a job in another class.",
		})
	case ends && minimum > longest:
		p.add(id, seen{
			result: Warn, tried: tried, seen: fmt.Sprintf("sets are put in %s, where each is paid for %d days, and retention "+
				"keeps none for longer than %d", class, minimum, longest),
			remedy: "Set s3.storage_class: STANDARD, or compare both with `pgbtui cost`.",
		})
	default:
		p.ok(id, tried, cmp.Or(class, "the store's default")+": no set is paid for longer than retention may keep it")
	}
}
