package backrest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// Listing is what lies in the repository, by its own listing: the first and the last segment that the engine names say
// nothing of those between.
type Listing struct {
	Segments pitr.Segments
	Backups  map[string]bool // labels whose manifest is there
}

// mostListing bounds a listing, in bytes, which is read as it comes.
const mostListing = 2 << 30

// walFile is a segment as it is stored: with the sum of its content, and the form it was compressed to.
var walFile = regexp.MustCompile(`^[0-9A-F]{16}/([0-9A-F]{24})-[0-9a-f]{40}(\.[a-z0-9]{1,4})?$`)

// List reads what lies in the archive of one server, and which backups have a manifest.
func (e *PgBackRest) List(ctx context.Context, archive string, segmentBytes int64) (Listing, error) {
	l := Listing{Segments: pitr.Segments{}, Backups: map[string]bool{}}
	seen := 0
	err := e.each(ctx, "archive/"+e.Cluster.Stanza+"/"+archive, func(name string) error {
		if seen++; seen > pitr.MostSegments {
			return fmt.Errorf("more than %d files: %w", pitr.MostSegments, bounded.ErrTooLarge)
		}
		l.add(name, segmentBytes)
		return nil
	})
	if err != nil {
		return Listing{}, err
	}
	l.Segments.Sort()
	// The filter is the store's answer, made smaller: the files of a backup may be very many.
	err = e.each(ctx, "backup/"+e.Cluster.Stanza, func(name string) error {
		if label, ok := strings.CutSuffix(name, "/backup.manifest"); ok && backupLabel.MatchString(label) {
			l.Backups[label] = true
		}
		return nil
	}, "--filter=/backup\\.manifest$")
	return l, err
}

func (l *Listing) add(name string, segmentBytes int64) {
	if m := walFile.FindStringSubmatch(name); m != nil {
		l.Segments.Add(m[1], segmentBytes)
	}
}

// each hands every file below a folder of the repository to see. A folder that is not there has none.
func (e *PgBackRest) each(ctx context.Context, folder string, see func(name string) error, options ...string) error {
	args := append([]string{"repo-ls", "--output=json", "--recurse", "--sort=none"}, options...)
	return e.run(ctx, append(append(append([]string{}, quiet...), args...), folder),
		reading(func(r io.Reader) error { return eachName(r, see) }))
}

// eachName reads the object that repo-ls prints, of which the keys are names.
func eachName(listing io.Reader, see func(name string) error) error {
	d := json.NewDecoder(bounded.Reader(listing, mostListing))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return fmt.Errorf("a listing does not begin with %v: %w", begin, err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		text, ok := name.(string)
		if !ok {
			return fmt.Errorf("%v is no name", name)
		}
		var what struct {
			Type string `json:"type"`
		}
		if err := d.Decode(&what); err != nil {
			return err
		}
		if what.Type != "file" {
			continue
		}
		if err := see(text); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
