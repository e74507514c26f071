package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Sample reads the small objects of a set whole and a share of the dump's frames, chosen at
// random: cheap enough to look at old sets again and again. It finds what rots, is exchanged or gone.
// What it shows is level stored and never counts as readable; what it refutes, only a whole
// verification answers.
//
// share is above 0 and at most 1. An encrypted set needs an identity, since a part of it can't be
// held against anything else; a set without an index of frames can't be sampled. Both are refused.
func Sample(
	ctx context.Context, job config.Job, env backup.Env, set *backup.Set, identities []age.Identity, share float64,
) (*Result, error) {
	if share <= 0 || share > 1 {
		return nil, fault.New(fault.Usage, fmt.Sprintf("backup: a sample of %g of a dump", share),
			"Give more than 0 and at most 100%.", nil)
	}
	if set.Good() {
		if err := samplable(set, len(identities) > 0); err != nil {
			return nil, err
		}
	}
	return verify(ctx, &verifying{job: job, env: env, set: set, identities: identities, subset: share})
}

// samplable is why a good set can't be sampled, or nil.
func samplable(set *backup.Set, identity bool) error {
	switch {
	case set.Manifest == nil || set.Manifest.Contents == nil:
		return fault.New(fault.Refused, "backup: set "+set.ID+" has no index of its dump: no part of it can be read alone",
			"Verify it whole, without --read-data-subset.", nil)
	case set.Encrypted() && !identity:
		return fault.New(fault.NotPermitted,
			"backup: a part of the encrypted set "+set.ID+" can't be checked without an age identity",
			"Give --identity, or verify it whole: its stored bytes have checksums.", nil)
	}
	return nil
}

func (v *verifying) sample(ctx context.Context) error {
	v.proof.Level = backup.LevelStored.String()
	if err := v.small(ctx); err != nil {
		return err
	}
	streams, err := v.reading().Streams()
	if err != nil {
		return err
	}
	of := 0
	for _, s := range streams {
		of += len(s.Index.Sizes)
	}
	chosen := rand.Perm(of)[:int(math.Ceil(v.subset*float64(of)))] //nolint:gosec // nobody gains by foreseeing it
	slices.Sort(chosen)
	v.proof.Sample = &backup.Sample{OfFrames: of}
	v.proof.NotProven = append(v.proof.NotProven, unread(len(chosen), of)...)
	spans := make([][]sealed.Span, len(streams))
	total, first := int64(0), 0
	for i, s := range streams {
		next := first + len(s.Index.Sizes)
		for len(chosen) > 0 && chosen[0] < next {
			span := s.Index.Frame(int64(chosen[0] - first))
			spans[i] = append(spans[i], span)
			total += span.Len()
			chosen = chosen[1:]
		}
		first = next
	}
	v.meter.Enter(backup.StageRead, total)
	for i, s := range streams {
		if len(spans[i]) == 0 {
			continue
		}
		if err := v.readFrames(ctx, s, spans[i]); err != nil {
			return err
		}
	}
	return nil
}

// readFrames reads some frames of a stream, in its order.
func (v *verifying) readFrames(ctx context.Context, of stored.Sampled, spans []sealed.Span) error {
	frames, err := of.Parts(ctx, spans)
	if err != nil {
		return badFrame(err)
	}
	defer func() { v.proof.Bytes += frames.Fetched(); _ = frames.Close() }()
	for _, s := range spans {
		n, err := io.Copy(v.meter, io.NewSectionReader(frames, s.From, s.Len()))
		if err != nil {
			return badFrame(err)
		}
		v.proof.Sample.Frames++
		v.proof.Sample.RawBytes += n
	}
	return nil
}

func badFrame(err error) error {
	if code := fault.CodeOf(err); code != fault.Integrity && !errors.Is(err, s3.ErrNotFound) {
		return err
	}
	return fault.New(fault.Integrity, "backup: the dump", "Restore another set.", err)
}

// unread is what a sample leaves open.
func unread(read, of int) []string {
	open := []string{"that the dump can be decoded, and the number of rows"}
	if read < of {
		open = append([]string{fmt.Sprintf("anything of the other %d of %d parts of the dump", of-read, of)}, open...)
	}
	return open
}
