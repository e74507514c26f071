package trial

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Trying what a backup asks of a bucket, before the night does. Rules: everything happens under one key beside
// the sets, which is written over by the next trial where this one may not delete it; every right is tried,
// whichever is missing, and none is guessed from another.

// trialName is an object beside the lease: no listing of sets takes it for one.
const trialName = "trial"

// Result is what came of it.
type Result struct {
	Key     string
	Allowed []string // what worked, as people call it
	Refused []error
	Steps   []Step // each call that was tried, in turn
	// MayNotDelete is the store's refusal; nil: the object of the trial is gone again, or never was there.
	MayNotDelete error
	Lacks        []Lack // by the store's nature
	DeletesIf    Honour // whether it minds the condition of a deletion
}

// Bucket does once what a backup does: it puts a small object, reads and lists it, and uploads in parts.
func Bucket(ctx context.Context, bucket *s3.Bucket, job config.Job) Result {
	return BucketWhile(ctx, bucket, job, func(string) {})
}

// BucketWhile is Bucket. Once the object of the trial is there, others may try what they do with it.
func BucketWhile(ctx context.Context, bucket *s3.Bucket, job config.Job, others func(key string)) Result {
	folder := backup.FolderOf(job)
	t := Result{Key: folder + trialName}
	body := []byte("pgbtui config check wrote this to see whether backups can be written here.\n")
	_, err := bucket.Put(ctx, t.Key, body, s3.PutOptions{ContentType: "text/plain"})
	put := t.note(CallPut, err)
	if put {
		t.note(CallGet, readBack(ctx, bucket, t.Key, body))
		t.tryChecksum(ctx, bucket)
		t.tryConditions(ctx, bucket)
	}
	t.note(CallList, t.listed(ctx, bucket, put))
	t.tryUpload(ctx, bucket, folder, put)
	if !put {
		return t
	}
	others(t.Key)
	clean, stop := cleaning(ctx)
	defer stop()
	t.DeletesIf, err = deleteTried(clean, bucket, t.Key)
	t.Steps = append(t.Steps, Step{Call: CallDelete, Err: err})
	if t.DeletesIf == Ignored {
		t.Lacks = append(t.Lacks, LackOfDeleteConditions())
	}
	switch {
	case err == nil:
		t.Allowed = append(t.Allowed, string(CallDelete))
		if t.DeletesIf == Minded {
			t.Allowed = append(t.Allowed, "conditional delete")
		}
	case fault.CodeOf(err) == fault.NotPermitted:
		t.MayNotDelete = err
	default:
		t.Refused = append(t.Refused, err)
	}
	return t
}

// deleteTried deletes the object of a trial, and finds out on the way whether the store minds the condition of a
// deletion. An object that is gone is not deleted again: in a bucket with versions that would leave a marker.
func deleteTried(ctx context.Context, bucket *s3.Bucket, key string) (Honour, error) {
	honour, err := tryDeleteCondition(ctx, bucket, key)
	if honour == Ignored {
		return honour, nil
	}
	if _, plain := bucket.Delete(ctx, []string{key}); plain != nil {
		return Untried, plain
	}
	if err != nil {
		honour = Untried // such a key may delete and not read, which a condition needs as well
	}
	return honour, nil
}

// note keeps how one call went.
func (t *Result) note(what Call, err error) (worked bool) {
	if what != CallUpload { // whose calls are noted one by one
		t.Steps = append(t.Steps, Step{Call: what, Err: err})
	}
	if err != nil {
		t.Refused = append(t.Refused, err)
		return false
	}
	t.Allowed = append(t.Allowed, string(what))
	return true
}

// Err is everything that was refused, in one line; nil when nothing was.
func (t *Result) Err() error {
	if len(t.Refused) == 0 {
		return nil
	}
	said := make([]string, len(t.Refused))
	for i, err := range t.Refused {
		said[i] = err.Error()
	}
	code, remedy := fault.CodeOf(t.Refused[0]), fault.Remedy(t.Refused[0])
	if code == fault.NotPermitted || remedy == "" {
		remedy = "Give the backups' key the rights of docs/iam.md#writer."
	}
	return fault.New(code, "a backup could not be written: "+strings.Join(slices.Compact(said), "; "), remedy, nil)
}

var errReadOther = errors.New("what was read is not what was put")

func readBack(ctx context.Context, bucket *s3.Bucket, key string, want []byte) error {
	body, _, err := bucket.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	got, err := bounded.ReadAll(body, int64(len(want)))
	if err == nil && string(got) != string(want) {
		err = fault.New(fault.Integrity, "s3: get "+key, "", errReadOther)
	}
	return err
}

var errNotListed = errors.New("what was put is not listed")

func (t *Result) listed(ctx context.Context, bucket *s3.Bucket, put bool) error {
	found := false
	for o, err := range bucket.List(ctx, t.Key) {
		if err != nil {
			return err
		}
		found = found || o.Key == t.Key
	}
	if put && !found {
		return fault.New(fault.Integrity, "s3: list "+t.Key, "", errNotListed)
	}
	return nil
}

// tryUpload uploads in parts what is there already, on the condition that it is not: that a store answers by
// refusing, so that no second object has to be deleted. Where nothing is there, the upload is given up before that.
// While it is open, it must be in the list of uploads.
func (t *Result) tryUpload(ctx context.Context, bucket *s3.Bucket, folder string, there bool) {
	up, err := bucket.Upload(ctx, t.Key, s3.UploadOptions{IfNoneMatch: true})
	open := err == nil
	listed, listErr := bucket.Uploads(ctx, folder)
	if open && there {
		err = completed(ctx, up)
	}
	var aborted error
	if up != nil {
		aborted = up.Abort(ctx)
	}
	if err == nil && aborted == nil {
		err = bucket.TryParts(ctx, t.Key)
	}
	t.Steps = append(t.Steps, Step{Call: CallUpload, Err: err})
	if up != nil {
		t.Steps = append(t.Steps, Step{Call: CallAbort, Err: aborted})
	}
	err = errors.Join(err, aborted)
	t.note(CallUpload, err)
	t.judgeUploads(listed, listErr, open)
}

// completed sends one part and completes; that the object is there already is no error.
func completed(ctx context.Context, up *s3.Upload) error {
	_, err := up.Write([]byte("one part"))
	if err == nil {
		_, err = up.Complete(ctx)
	}
	if errors.Is(err, s3.ErrExists) || errors.Is(err, s3.ErrConditionsUnsupported) {
		return nil
	}
	return err
}

// cleaning is for what removes a trial's objects: it goes on for a while after whoever asked for the trial has left.
func cleaning(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleaningTime)
}

const cleaningTime = 30 * time.Second
