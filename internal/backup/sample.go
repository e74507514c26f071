package backup

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// VerifySample reads the small objects of a set whole and a share of the dump's frames, chosen at
// random: cheap enough to look at old sets again and again. It finds what rots and what is gone.
// What it shows is level stored and never counts as readable; what it refutes, only a whole
// verification answers.
//
// share is above 0 and at most 1. An encrypted set needs an identity, since a part of it can't be
// held against anything else; a set without an index of frames can't be sampled. Both are refused.
func VerifySample(ctx context.Context, job config.Job, env Env, set *Set, identities []age.Identity, share float64) (*Verification, error) {
	if share <= 0 || share > 1 {
		return nil, fault.New(fault.Usage, fmt.Sprintf("backup: a sample of %g of a dump", share), "more than 0 and at most 100%", nil)
	}
	if set.Good() {
		if err := samplable(set, len(identities) > 0); err != nil {
			return nil, err
		}
	}
	return verify(ctx, &verifying{job: job, env: env, set: set, identities: identities, subset: share})
}

// samplable is why a good set can't be sampled, or nil.
func samplable(set *Set, identity bool) error {
	switch {
	case set.Manifest == nil || set.Manifest.Contents == nil:
		return fault.New(fault.Refused, "backup: set "+set.ID+" has no index of its dump: no part of it can be read alone",
			"verify it whole, without --read-data-subset", nil)
	case set.Encrypted() && !identity:
		return fault.New(fault.NotPermitted, "backup: a part of the encrypted set "+set.ID+" can't be checked without an age identity",
			"give --identity, or verify it whole: its stored bytes have checksums", nil)
	}
	return nil
}

func (v *verifying) sample(ctx context.Context) error {
	v.proof.Level = LevelStored.String()
	if err := v.small(ctx); err != nil {
		return err
	}
	contents, err := parseContents(v.contents)
	if err != nil {
		return err
	}
	m := v.set.Manifest
	source := v.env.Bucket.ReaderAt(ctx, v.set.Dir+m.Dump.Key, m.Dump.SizeBytes)
	frames, err := sealed.OpenFrames(source, m.Dump.SizeBytes, contents.Frames, v.set.Encrypted(), v.identities)
	if err != nil {
		return err
	}
	defer frames.Close()
	if contents.Frames.RawBytes != m.Dump.RawBytes {
		return fault.New(fault.Integrity, fmt.Sprintf("backup: the index is of a dump of %d bytes, the manifest says %d", contents.Frames.RawBytes, m.Dump.RawBytes), "restore another set", nil)
	}
	return v.readFrames(ctx, frames, contents.Frames)
}

// readFrames goes through the chosen frames in the order of the stream, so that ranges of one
// window meet.
func (v *verifying) readFrames(ctx context.Context, frames *sealed.Frames, index sealed.Index) error {
	chosen := rand.Perm(frames.Len())[:int(math.Ceil(v.subset*float64(frames.Len())))] //nolint:gosec // nobody gains by foreseeing it
	slices.Sort(chosen)
	var total int64
	for _, i := range chosen {
		total += frames.RawBytes(i)
	}
	v.meter.enter(StageRead, total)
	v.proof.Sample = &Sample{OfFrames: frames.Len()}
	v.proof.NotProven = append(v.proof.NotProven, unread(len(chosen), frames.Len())...)
	var raw []byte
	for _, i := range chosen {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		if raw, err = frames.Read(raw[:0], i); err != nil {
			return badFrame(err)
		}
		_, _ = v.meter.Write(raw)
		v.proof.Bytes += index.Sizes[i]
		v.proof.Sample.Frames++
		v.proof.Sample.RawBytes += int64(len(raw))
	}
	return nil
}

func badFrame(err error) error {
	if code := fault.CodeOf(err); code != fault.Integrity && !errors.Is(err, s3.ErrNotFound) {
		return err
	}
	return fault.New(fault.Integrity, "backup: the dump", "restore another set", err)
}

// unread is what a sample leaves open.
func unread(read, of int) []string {
	open := []string{
		"that the parts read are the very bytes that were stored: they pass the checksums of zstd and age, the SHA-256 is of the whole dump",
		"that the dump can be decoded, and the number of rows",
	}
	if read < of {
		open = append([]string{fmt.Sprintf("anything of the other %d of %d parts of the dump", of-read, of)}, open...)
	}
	return open
}
