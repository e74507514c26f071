package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A set that was committed and cannot be used any more, since something of it is gone from the bucket, is
// a loss: whoever removed the bytes also removed what would have shown it. It is reported until a person
// acknowledges it. Rules:
//
//   - a manifest whose objects are missing or have another size is a loss, and so is one that is damaged
//   - a folder without a manifest is a loss when something shows that there was one: a later set that
//     followed it, a proof, a hold. Else it is what an unfinished run left
//   - retention marks what it deletes before it begins: what it did not finish is none
//   - an acknowledgement is of what was gone then. When more goes, it is reported again

// lossesFolder has the acknowledgements: documents that are only ever added.
const lossesFolder = "losses/"

// RetiredName marks a set that retention deletes. It is there from before its manifest goes until the end.
const RetiredName = "retired.json"

// LossSchema is the version of the acknowledgements that are written.
const LossSchema = 1

// Acknowledgement is that somebody knows of a loss.
type Acknowledgement struct {
	By     string
	Host   string
	At     time.Time // UTC
	Reason string
	Lost   []string // what was gone then
}

// String is the acknowledgement as it is shown.
func (a *Acknowledgement) String() string {
	text := fmt.Sprintf("acknowledged by %s on %s at %s", a.By, a.Host, a.At.Format(time.RFC3339))
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return text
}

// acknowledgement is one as stored.
type acknowledgement struct {
	Schema int       `json:"schema"`
	Set    string    `json:"set"`
	Lost   []string  `json:"lost"`
	By     string    `json:"by"`
	Host   string    `json:"host"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// lossName is `<time>-<6 hex digits>-acknowledged.json`.
var lossName = regexp.MustCompile(`^losses/\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}-acknowledged\.json$`)

// newestLosses is how many acknowledgements of a set are read: each covers all that was gone by then.
const newestLosses = 8

// Loss says what is gone of a committed set, or "" when nothing is, or somebody acknowledged it.
func (s *Set) Loss() string {
	if len(s.Lost) == 0 || s.Acknowledged != nil {
		return ""
	}
	return s.Problem
}

// Acknowledge records that somebody knows of what a set has lost, so that it is no longer told.
func Acknowledge(ctx context.Context, bucket *s3.Bucket, set *Set, a Acknowledgement) error {
	switch {
	case len(set.Lost) == 0:
		return fault.New(fault.Refused, "acknowledge: no loss of "+set.ID+" is known",
			"Acknowledge one of the sets that `pgbtui status` names.", nil)
	case strings.TrimSpace(a.Reason) == "":
		return fault.New(fault.Usage, "acknowledge: no reason",
			"Say in a few words what happened to the set, with --reason.", nil)
	}
	at := a.At.UTC().Truncate(time.Millisecond)
	return putNote(ctx, bucket, set, note{folder: lossesFolder, at: at, word: "acknowledged", document: acknowledgement{
		Schema: LossSchema, Set: set.ID, Lost: set.Lost, By: a.By, Host: a.Host, At: at, Reason: a.Reason,
	}})
}

// covers is the acknowledgement in a document, or nil when it is none of this loss. What cannot be read
// acknowledges nothing.
func (s *Set) covers(raw []byte) *Acknowledgement {
	var a acknowledgement
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if strict.Decode(&a) != nil || Sane(&a) != nil || a.Schema < 1 || a.Schema > LossSchema || a.Set != s.ID {
		return nil
	}
	for _, gone := range s.Lost {
		if !slices.Contains(a.Lost, gone) {
			return nil
		}
	}
	return &Acknowledgement{By: a.By, Host: a.Host, At: a.At.UTC(), Reason: a.Reason, Lost: a.Lost}
}

// gone are the objects that a manifest vouches for and that are missing or have another size.
func (m *Manifest) gone(sizes map[string]int64) (names []string) {
	for _, o := range m.Objects() {
		if size, there := sizes[o.Key]; !there || size != o.SizeBytes {
			names = append(names, o.Key)
		}
	}
	return names
}

// findLosses names what is gone of each set that was committed. It needs all sets of a listing: a set
// without its manifest is known by the one that followed it.
func (c *Catalogue) findLosses(ctx context.Context, found map[string]*Gathered) error {
	followed := map[string]bool{}
	for _, g := range found {
		if g.Believed() && g.Manifest != nil && g.Manifest.Previous != nil {
			followed[string(g.Manifest.Instance)+"\x00"+string(g.Manifest.Database)+"\x00"+g.Manifest.schema()+"\x00"+
				g.Manifest.Previous.ID] = true
		}
	}
	for _, g := range found {
		g.Lost = g.lost(followed[g.Instance+"\x00"+g.Database+"\x00"+g.Schema+"\x00"+g.ID])
		if len(g.Lost) == 0 {
			continue
		}
		if g.Kind == KindIncomplete {
			there, err := c.stillThere(ctx, g.Dir)
			if err != nil {
				return fmt.Errorf("backup: look again at %s: %w", g.ID, err)
			}
			if !there {
				g.Lost = nil
				continue
			}
			g.flaw(fault.Integrity, "its manifest is gone, and the set was committed")
		}
		if err := c.readAcknowledgements(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// stillThere looks again: a set that retention deletes while it is listed is seen in parts.
func (c *Catalogue) stillThere(ctx context.Context, dir string) (bool, error) {
	for _, err := range c.bucket.List(ctx, dir) {
		return err == nil, err
	}
	return false, nil
}

func (g *Gathered) lost(followed bool) []string {
	switch {
	case g.Kind == KindIncomplete && g.retired, g.Kind == KindLegacy:
		return nil
	case g.Kind == KindIncomplete:
		if followed || g.evidence {
			return []string{ManifestName}
		}
		return nil
	case g.suspect || g.Signature == SignatureForged || g.ProblemCode != fault.Integrity:
		return nil // told as what it is: absurd, forged, unsigned, of a newer program, archived
	case g.Manifest == nil || !g.Manifest.isOf(g):
		return []string{ManifestName}
	}
	return g.Manifest.gone(g.Sizes)
}

// newestLossDocs keeps the newest by name once there are more than most.
func newestLossDocs(all []member, most int) []member {
	if len(all) <= most {
		return all
	}
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(b.name, a.name) })
	return all[:newestLosses:newestLosses]
}

func (c *Catalogue) readAcknowledgements(ctx context.Context, g *Gathered) error {
	for _, o := range newestLossDocs(g.lossDocs, newestLosses) {
		raw, err := c.fetch(ctx, g, o, maxHold)
		if err != nil && ofDocument(err) == "" {
			return fmt.Errorf("backup: read acknowledgement %s: %w", g.Dir+o.name, err)
		}
		if g.Acknowledged = g.covers(raw); g.Acknowledged != nil {
			return nil
		}
	}
	return nil
}

// losses tells of what is gone of a job's sets and nobody has acknowledged, the newest first.
func losses(sets []Set) (told []string) {
	for i := range sets {
		if what := sets[i].Loss(); what != "" {
			told = append(told, fmt.Sprintf("set %s is lost: %s", sets[i].ID, what))
		}
	}
	return told
}
