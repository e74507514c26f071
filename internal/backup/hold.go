package backup

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A hold keeps a set from retention until a person releases it. Holds and releases are documents in
// the set's folder, only ever added; the newest decides. Rules:
//
//   - what cannot be read, or was written by a newer pgbtui, counts as a hold
//   - of a hold and a release of one moment, the hold counts
//   - whoever adds one stamps it later than all that are there, so that no clock that is wrong makes
//     it an old one
//   - the time in the name counts, and a document that has another one cannot be read; so only those of the
//     newest moment are read, however many there are
//   - a time that is days after the store got the document is taken for a day after: none lasts for ever
//
// It binds pgbtui, not the store: who may delete objects can still do so. Object lock binds all.

// Hold says who keeps a set, and why.
type Hold struct {
	By     string    // the operator, as far as the session tells
	Host   string    // where it was asked for
	At     time.Time // UTC
	Reason string    // as typed, may be ""
}

// String is the hold as retention gives it for a reason.
func (h *Hold) String() string {
	text := fmt.Sprintf("held by %s on %s since %s", h.By, h.Host, h.At.Format(time.RFC3339))
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	return text
}

// HoldSchema is the version of the documents that are written.
const HoldSchema = 1

// holdDocument is a hold or a release as stored.
type holdDocument struct {
	Schema  int       `json:"schema"`
	Set     string    `json:"set"`
	Release bool      `json:"release"`
	By      string    `json:"by"`
	Host    string    `json:"host"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
}

// HoldsFolder is where the holds of a set lie, below its folder.
const HoldsFolder = "holds/"

// holdName is `<time>-<6 hex digits>-hold.json` or `-release.json`; the time repeats the document's.
var holdName = regexp.MustCompile(`^holds/(\d{8}T\d{6}\.\d{3}Z)-[0-9a-f]{6}-(hold|release)\.json$`)

// HoldSet keeps a set from retention. One that is held already gets one more hold, with its reason.
func HoldSet(ctx context.Context, bucket *s3.Bucket, set *Set, h Hold) error {
	if err := mayBeHeld(set); err != nil {
		return err
	}
	return putHold(ctx, bucket, set, holdDocument{By: h.By, Host: h.Host, At: h.At, Reason: h.Reason})
}

// ReleaseSet ends the hold of a set, however often it was held.
func ReleaseSet(ctx context.Context, bucket *s3.Bucket, set *Set, h Hold) error {
	if err := mayBeHeld(set); err != nil {
		return err
	}
	return putHold(ctx, bucket, set, holdDocument{Release: true, By: h.By, Host: h.Host, At: h.At, Reason: h.Reason})
}

func mayBeHeld(set *Set) error {
	switch set.Kind {
	case KindLegacy:
		return fault.New(fault.Refused, "hold: "+set.ID+" is a set of the old script, which has no folder for a hold",
			"Copy the object to another prefix if it must survive `prune --legacy`: nothing else deletes it.", nil)
	case KindIncomplete:
		return fault.New(fault.Refused, "hold: "+set.ID+" was never committed: it is not a backup",
			"Hold another set: `pgbtui list` shows which there are.", nil)
	case KindNative:
	}
	return nil
}

func putHold(ctx context.Context, bucket *s3.Bucket, set *Set, d holdDocument) error {
	d.Schema, d.Set = HoldSchema, set.ID
	d.At = d.At.UTC().Truncate(time.Millisecond)
	if d.At.IsZero() || saneTime(d.At, "at") != "" { // a clock that is so wrong tells nothing
		d.At = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if !d.At.After(set.Holds.newest) {
		d.At = set.Holds.newest.Add(time.Millisecond)
	}
	d.By = cut(d.By)
	d.Host = cut(d.Host)
	d.Reason = cut(d.Reason)
	word := "hold"
	if d.Release {
		word = "release"
	}
	return putNote(ctx, bucket, set, note{folder: HoldsFolder, at: d.At, word: word, document: d})
}

// holds is what a set's folder says of holds.
type holds struct {
	Count  int       // documents in the listing, read or not
	newest time.Time // of any of them
	by     *Hold     // the one in force; nil: none
}

// add takes one more document into account, in any order.
func (h *holds) add(d holdDocument) {
	if d.At.Before(h.newest) || (d.At.Equal(h.newest) && d.Release && h.by != nil) {
		return
	}
	h.newest, h.by = d.At, nil
	if !d.Release {
		h.by = &Hold{By: d.By, Host: d.Host, At: d.At, Reason: d.Reason}
	}
}

// parseHold reads the document of a name within the set's folder. What it cannot trust is a hold,
// at the time that the name tells.
func parseHold(set, name string, raw []byte) holdDocument {
	unknown := holdDocument{By: "an unknown person", Host: "an unknown host", Reason: "this program cannot read " + name}
	if m := holdName.FindStringSubmatch(name); m != nil {
		unknown.At, _ = time.Parse(noteTime, m[1])
	}
	var schema struct {
		Schema int `json:"schema"`
	}
	if json.Unmarshal(raw, &schema) != nil || schema.Schema < 1 || schema.Schema > HoldSchema {
		return unknown
	}
	var d holdDocument
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields() // a release with a condition that this program does not know is no release
	if strict.Decode(&d) != nil || Sane(&d) != nil || d.Set != set || d.At.IsZero() || !d.At.Equal(unknown.At) {
		return unknown
	}
	d.At = d.At.UTC()
	return d
}

// holdAt is the time of a document by its name, no later than a day after the store got it. Up to an hour
// more stays as it is, so that what is stamped later than a time that was cut is later.
func holdAt(o member) time.Time {
	m := holdName.FindStringSubmatch(o.name)
	if m == nil {
		return time.Time{}
	}
	at, err := time.Parse(noteTime, m[1])
	if err != nil || at.Before(time.Time{}) {
		return time.Time{}
	}
	if most := o.modified.Add(storeSlack); !o.modified.IsZero() && at.After(most.Add(time.Hour)) {
		return most.UTC().Truncate(time.Millisecond)
	}
	return at
}

// keepHolds keeps the documents of the newest moment, and one more than are read of them. The whole
// listing is known when it is asked for the last time.
func keepHolds(all []member, whole bool) []member {
	if !whole && len(all) < 16*maxHoldsRead {
		return all
	}
	slices.SortStableFunc(all, func(a, b member) int {
		return cmp.Or(holdAt(b).Compare(holdAt(a)), cmp.Compare(a.name, b.name))
	})
	n := 0
	for n < len(all) && n <= maxHoldsRead && holdAt(all[n]).Equal(holdAt(all[0])) {
		n++
	}
	return all[:n:n]
}

func (c *Catalogue) readHolds(ctx context.Context, g *Gathered) error {
	for i, o := range g.holdDocs {
		var raw []byte
		if !o.unread && i < maxHoldsRead {
			var err error
			raw, err = c.fetch(ctx, g, o, maxHold)
			if err != nil && ofDocument(err) == "" {
				return fmt.Errorf("backup: read hold %s: %w", g.Dir+o.name, err)
			}
		}
		d := parseHold(g.ID, o.name, raw) // one that can't be read holds
		d.At = holdAt(o)
		g.Holds.add(d)
	}
	g.Hold, g.holdDocs = g.Holds.by, nil
	return nil
}
