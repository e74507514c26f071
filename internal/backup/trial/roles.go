package trial

import (
	"context"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// What the keys besides the backups' own do in a bucket (docs/iam.md), tried. Rules: under one key each, in a folder
// beside the sets whose name is no set's; nothing of a set is written or deleted; the keeper deletes what the others
// may not.

// Call is one thing that is tried, as people call it.
type Call string

// The calls.
const (
	CallPut      Call = "put"
	CallGet      Call = "get"
	CallList     Call = "list"
	CallUpload   Call = "multipart upload"
	CallAbort    Call = "abort of an upload"
	CallUploads  Call = "list of uploads"
	CallParts    Call = "list of an upload's parts"
	CallVersions Call = "list of versions"
	CallMark     Call = "mark before deletion"
	CallProof    Call = "record of a proof"
	CallDelete   Call = "delete"
)

// Step is how one call went. A call whose ground another one did not lay is not tried, and no step.
type Step struct {
	Call Call
	Err  error
}

// Folders beside the sets. No listing takes them for a set's, and retention does not see them.
const (
	keeperFolder = "trial.keeper/"
	proverFolder = "trial.prover/"
)

// Kept is what came of the keeper's trial.
type Kept struct {
	Steps     []Step
	Left      []string // keys that it could not delete
	DeletesIf Honour   // whether the store minds the condition of a deletion
}

// Keeper does once what retention does: it lists, marks, reads, and deletes what it made.
func Keeper(ctx context.Context, bucket *s3.Bucket, job config.Job) (kept Kept) {
	folder := backup.FolderOf(job)
	key := folder + keeperFolder + "retired.json"
	note := func(call Call, err error) bool {
		kept.Steps = append(kept.Steps, Step{Call: call, Err: err})
		return err == nil
	}
	note(CallList, firstOf(bucket.List(ctx, folder)))
	note(CallVersions, firstOf(bucket.Versions(ctx, key)))
	_, err := bucket.Uploads(ctx, folder)
	note(CallUploads, err)
	body := []byte("{}\n")
	_, err = bucket.Put(ctx, key, body, s3.PutOptions{ContentType: "application/json"})
	if !note(CallMark, err) {
		return kept
	}
	note(CallGet, readBack(ctx, bucket, key, body))
	kept.Steps = append(kept.Steps, openUpload(ctx, bucket, key)...)
	clean, stop := cleaning(ctx)
	defer stop()
	kept.DeletesIf, err = deleteTried(clean, bucket, key)
	if err != nil {
		kept.Left = append(kept.Left, key)
	}
	if others := leftBehind(clean, bucket, folder); err == nil && len(others) > 0 {
		_, err = bucket.Delete(clean, others)
	}
	note(CallDelete, err)
	return kept
}

// leftBehind are the objects of trials by keys that may not delete them. None is deleted that is not there: in a
// bucket with versions that would leave a marker.
func leftBehind(ctx context.Context, bucket *s3.Bucket, folder string) (keys []string) {
	for o, err := range bucket.List(ctx, folder+trialName) {
		if err != nil {
			return keys
		}
		if o.Key == folder+trialName || o.Key == folder+proverFolder+proofName {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// openUpload tries what is done with an upload that a dead run left, on one that it opens.
func openUpload(ctx context.Context, bucket *s3.Bucket, key string) (steps []Step) {
	up, err := bucket.Upload(ctx, key, s3.UploadOptions{})
	if err != nil {
		return nil
	}
	defer func() { _ = up.Abort(ctx) }()
	listed, err := bucket.Uploads(ctx, key)
	i := slices.IndexFunc(listed, func(u s3.OpenUpload) bool { return u.Key == key })
	if err != nil || i < 0 {
		return nil
	}
	_, err = bucket.Parts(ctx, listed[i])
	return []Step{{Call: CallParts, Err: err}, {Call: CallAbort, Err: bucket.AbortUpload(ctx, listed[i])}}
}

// proofName is where a proof of a set would be.
const proofName = "proofs/trial.json"

// Prover does what verifications and drills do: it lists, reads the object at key, which somebody else put, and
// records. left is the key of that record, which a prover may not delete; "" where nothing is left.
func Prover(ctx context.Context, bucket *s3.Bucket, job config.Job, key string) (steps []Step, left string) {
	steps = Reader(ctx, bucket, job, key)
	proof := backup.FolderOf(job) + proverFolder + proofName
	_, err := bucket.Put(ctx, proof, []byte("{}\n"), s3.PutOptions{ContentType: "application/json"})
	steps = append(steps, Step{Call: CallProof, Err: err})
	if err != nil {
		return steps, ""
	}
	clean, stop := cleaning(ctx)
	defer stop()
	if _, err := bucket.Delete(clean, []string{proof}); fault.CodeOf(err) != fault.OK {
		return steps, proof
	}
	return steps, ""
}

// Reader does what a restore does: it lists, and reads the object at key. Without a key it reads one that it finds.
func Reader(ctx context.Context, bucket *s3.Bucket, job config.Job, key string) (steps []Step) {
	var listed error
	for o, err := range bucket.List(ctx, backup.Root(job.S3.Prefix)) {
		if listed = err; err == nil && key == "" && o.Size > 0 && o.Size < maxRead {
			key = o.Key
		}
		if err != nil || key != "" {
			break
		}
	}
	steps = append(steps, Step{Call: CallList, Err: listed})
	if key == "" {
		return steps
	}
	body, _, err := bucket.Get(ctx, key, 0, 1)
	if err == nil {
		err = body.Close()
	}
	return append(steps, Step{Call: CallGet, Err: err})
}

// maxRead keeps a trial from asking for a dump, which may be archived.
const maxRead = 1 << 20

// firstOf asks for the first page of a list alone.
func firstOf[T any](all func(yield func(T, error) bool)) (first error) {
	for _, err := range all {
		return err
	}
	return nil
}
