package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup/trial"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// What each key does in the bucket, really tried. What the store refuses comes with the statement of the role's policy
// (docs/iam.md) that allows it.

// roleCall is one call of a role, and the right that it needs.
type roleCall struct {
	call  trial.Call
	right string
	why   string
}

// callsOf are the calls of a role that are tried, in turn.
func callsOf(role iam.Role) []roleCall {
	list := roleCall{call: trial.CallList, right: "s3:ListBucket", why: "Sets are found by listing the bucket."}
	get := roleCall{call: trial.CallGet, right: "s3:GetObject", why: "Sets, and what is known of them, are read back."}
	uploads := roleCall{
		call: trial.CallUploads, right: "s3:ListBucketMultipartUploads",
		why: "What a killed run had uploaded in parts is found by it.",
	}
	abort := roleCall{
		call: trial.CallAbort, right: "s3:AbortMultipartUpload",
		why: "An upload that failed is paid for until it is aborted.",
	}
	switch role {
	case iam.Writer:
		return []roleCall{
			{trial.CallPut, "s3:PutObject", "Each set ends with a manifest that is put."},
			get, list,
			{trial.CallUpload, "s3:PutObject", "A dump is uploaded in parts while it is made."},
			abort, uploads,
			{trial.CallDelete, "s3:DeleteObject", "A key on the database's host that deletes can delete every backup."},
		}
	case iam.Keeper:
		return []roleCall{
			list,
			{trial.CallVersions, "s3:ListBucketVersions", "Retention tells what old versions still cost."},
			uploads,
			{
				trial.CallMark, "s3:PutObject",
				"A set is marked before it is deleted, so that a deletion that stops half-way is no loss.",
			},
			get,
			{trial.CallParts, "s3:ListMultipartUploadParts", "An upload that still grows is no leftover."},
			abort,
			{trial.CallDelete, "s3:DeleteObject", "Retention deletes what no rule keeps."},
		}
	case iam.Prover:
		return []roleCall{list, get, {
			trial.CallProof, "s3:PutObject",
			"What a verification or drill found is recorded beside the set.",
		}}
	case iam.Restorer, iam.Copier, iam.Doctor, iam.Bucket, iam.Metrics:
	}
	return []roleCall{list, get}
}

// callID is the check's ID: "s3.writer.list-of-uploads".
func callID(role iam.Role, call trial.Call) string {
	return "s3." + string(role) + "." + strings.NewReplacer(" ", "-", "'", "").Replace(string(call))
}

// rights tries every key that can be used here.
func (l *log) rights(ctx context.Context, w World) {
	buckets := map[iam.Role]*s3.Bucket{}
	for _, role := range rolesOf(w.Job) {
		if why := w.Keys.Hidden(role); why != "" {
			l.hidden(role, why)
			continue
		}
		bucket, err := w.Keys.Open(ctx, role)
		if err != nil {
			l.hidden(role, oneLine(err))
			continue
		}
		buckets[role] = bucket
	}
	if w.Job.Database == "" {
		return
	}
	others := func(key string) {
		if b := buckets[iam.Prover]; b != nil {
			steps, left := trial.Prover(ctx, b, w.Job, key)
			l.steps(w.Job, iam.Prover, b, steps, left)
		}
		if b := buckets[iam.Restorer]; b != nil {
			l.steps(w.Job, iam.Restorer, b, trial.Reader(ctx, b, w.Job, key), "")
		}
	}
	honour := trial.Untried
	if b := buckets[iam.Writer]; b != nil {
		tried := false
		result := trial.BucketWhile(ctx, b, w.Job, func(key string) { tried = true; others(key) })
		l.writer(w.Job, b, result)
		honour = result.DeletesIf
		if !tried {
			others("")
		}
	} else {
		others("")
	}
	if b := buckets[iam.Keeper]; b != nil {
		kept := trial.Keeper(ctx, b, w.Job)
		l.steps(w.Job, iam.Keeper, b, kept.Steps, strings.Join(kept.Left, ", "))
		if honour == trial.Untried {
			honour = kept.DeletesIf
		}
	}
	l.deletesIf(honour)
}

// deletesIf says whether the store minds the condition of a deletion, and what retention does where it does not.
func (l *log) deletesIf(honour trial.Honour) {
	const id, tried = "s3.conditional-deletes", "delete an object on a condition that does not hold"
	switch honour {
	case trial.Minded:
		l.ok(id, tried, "refused, as it should be: retention deletes no set but the one that it decided about")
	case trial.Ignored:
		lack := trial.LackOfDeleteConditions()
		l.add(id, seen{result: Warn, tried: tried, seen: lack.Detail, remedy: lack.Remedy})
	case trial.Untried:
		l.unknown(id, "not tried", "no key that can be used here may delete, and read what it deletes",
			"Run `sudo pgbtui doctor` where the keeper's key is.")
	}
}

// hidden is for a key that cannot be used here.
func (l *log) hidden(role iam.Role, why string) {
	for _, c := range callsOf(role) {
		l.unknown(callID(role, c.call), "not tried", why, "Run `sudo pgbtui doctor`, which is given every key.")
	}
}

// writer is steps for the backups' key, whose deletion is judged by the rules that the job has.
func (l *log) writer(job config.Job, bucket *s3.Bucket, result trial.Result) {
	left := ""
	if result.MayNotDelete != nil {
		left = result.Key
	}
	steps := slices.DeleteFunc(slices.Clone(result.Steps), func(s trial.Step) bool { return s.Call == trial.CallDelete })
	l.steps(job, iam.Writer, bucket, steps, "")
	i := slices.IndexFunc(result.Steps, func(s trial.Step) bool { return s.Call == trial.CallDelete })
	if i >= 0 {
		l.deletion(job, bucket.Location()+result.Key, result.Steps[i].Err, left != "")
	}
	l.lacks(result)
}

// deletion judges whether the backups' key may delete.
func (l *log) deletion(job config.Job, object string, err error, refused bool) {
	id, tried := callID(iam.Writer, trial.CallDelete), "delete "+object
	deletes := len(job.Keep.Rules()) > 0 && job.Keep.By == config.PruneByBackup
	switch {
	case err != nil && !refused:
		l.failed(id, Fail, tried, err)
	case refused && deletes:
		f := l.add(id, seen{
			result: Fail, tried: tried, seen: "refused (" + oneLine(err) + "), and backups delete by the rules of keep; " +
				object + " is left",
			remedy: "Set keep.by: timer and let a keeper delete, or give the backups' key the keeper's rights too (`pgbtui " +
				"aws policy --role keeper`).",
		})
		if statement, ok := iam.Missing(iam.Keeper, job, "s3:DeleteObject"); ok {
			f.Statement = &statement
		}
	case refused:
		l.ok(id, tried, "refused, as it should be: "+object+" is left, and the next trial writes over it")
	case deletes:
		l.add(id, seen{
			result: Warn, tried: tried, seen: "allowed, and the job's backups delete by their rules: whoever has this host's " +
				"key can delete every backup",
			remedy: "Set keep.by: timer, let another key delete, and take s3:DeleteObject from this one (docs/iam.md#keeper).",
		})
	default:
		l.add(id, seen{
			result: Warn, tried: tried, seen: "allowed, and no backup of this job deletes: whoever has " +
				"this host's key can delete every backup",
			remedy: "Take s3:DeleteObject from the backups' key (`pgbtui aws policy --role writer` prints what it needs).",
		})
	}
}

// steps says of each call of a role how it went; what was not tried is said as well.
func (l *log) steps(job config.Job, role iam.Role, bucket *s3.Bucket, steps []trial.Step, left string) {
	for _, c := range callsOf(role) {
		if role == iam.Writer && c.call == trial.CallDelete {
			continue
		}
		id, tried := callID(role, c.call), fmt.Sprintf("%s at %s with the %s's key", c.call, bucket.Location(), role)
		i := slices.IndexFunc(steps, func(s trial.Step) bool { return s.Call == c.call })
		switch {
		case i < 0:
			l.unknown(id, "not tried", "what it needs was not there: nothing could be put, or nothing is stored yet",
				"Mend what failed before it, then run `pgbtui doctor` again.")
		case steps[i].Err == nil:
			text := "allowed"
			if left != "" && (c.call == trial.CallProof || c.call == trial.CallDelete) {
				text += "; " + left + " is left, which this key may not delete"
			}
			l.ok(id, tried, text)
		default:
			l.refused(id, tried, refusal{role: role, job: job, right: c.right, err: steps[i].Err})
		}
	}
}

type refusal struct {
	role  iam.Role
	job   config.Job
	right string
	err   error
}

// refused finds the statement that allows what was refused.
func (l *log) refused(id, tried string, r refusal) {
	f := l.failed(id, Fail, tried, r.err)
	if fault.CodeOf(r.err) != fault.NotPermitted {
		return
	}
	text := r.err.Error()
	if by := iam.DeniedBy(text); by != "" {
		f.Remedy = "Find the statement that denies it, in a " + by + ": no statement of the key's own policy outweighs it."
		return
	}
	right := r.right
	if named := iam.Refused(text); named != "" {
		right = named
	}
	statement, ok := iam.Missing(r.role, r.job, right)
	if !ok {
		f.Remedy = "Give the " + string(r.role) + "'s key " + right + "."
		return
	}
	f.Statement = &statement
	f.Remedy = "Add this statement to the policy of the " + string(r.role) + "'s key; `pgbtui aws policy --role " +
		string(r.role) + "` prints all of them."
}

// StatementText is a statement as it goes into a policy.
func StatementText(s *iam.Statement) string {
	text, err := json.Marshal(s)
	if err != nil { // it has strings alone
		return err.Error()
	}
	return string(text)
}

// lacks says what the store does not do by its nature.
func (l *log) lacks(result trial.Result) {
	worked := func(c trial.Call) bool {
		return slices.ContainsFunc(result.Steps, func(s trial.Step) bool { return s.Call == c && s.Err == nil })
	}
	for _, feature := range []struct {
		id, what, tried, good string
		looked                bool
	}{
		{
			"s3.conditional-writes", "conditional writes", "write over an object on conditions that do not hold",
			"refused, as it should be", worked(trial.CallPut),
		},
		{
			"s3.checksums", "checksums", "ask for the checksum of an object that was put", "the store has it",
			worked(trial.CallPut),
		},
		{
			"s3.upload-list", "list of uploads", "look for an upload in the list of its folder", "it is there",
			worked(trial.CallUploads),
		},
	} {
		i := slices.IndexFunc(result.Lacks, func(k trial.Lack) bool { return k.What == feature.what })
		switch {
		case i >= 0:
			l.add(feature.id, seen{
				result: Warn, tried: feature.tried, seen: result.Lacks[i].Detail,
				remedy: result.Lacks[i].Remedy,
			})
		case !feature.looked:
			l.unknown(feature.id, "not tried", "what it needs was refused",
				"Mend what was refused before it, then run `pgbtui doctor` again.")
		default:
			l.ok(feature.id, feature.tried, feature.good)
		}
	}
}
