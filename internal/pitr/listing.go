package pitr

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Listing is what lies in the repository, by its own listing: the first and the last segment that the engine names say
// nothing of those between.
type Listing struct {
	Segments  map[uint32][]uint64 // of each timeline the positions of its segments, in order
	Histories []uint32            // timelines of which the history is there
	Backups   map[string]bool     // labels whose manifest is there
}

const (
	mostListing  = 2 << 30   // bytes of a listing, which is read as it comes
	mostSegments = 8_000_000 // half a year of a segment every two seconds
	mostHistory  = 1 << 20
)

// walFile is a segment as it is stored: with the sum of its content, and the form it was compressed to.
var walFile = regexp.MustCompile(`^[0-9A-F]{16}/([0-9A-F]{24})-[0-9a-f]{40}(\.[a-z0-9]{1,4})?$`)

var historyFile = regexp.MustCompile(`^([0-9A-F]{8})\.history$`)

// List reads what lies in the archive of one server, and which backups have a manifest.
func (e *PgBackRest) List(ctx context.Context, archive string, segmentBytes int64) (Listing, error) {
	l := Listing{Segments: map[uint32][]uint64{}, Backups: map[string]bool{}}
	seen := 0
	err := e.each(ctx, "archive/"+e.Cluster.Stanza+"/"+archive, func(name string) error {
		if seen++; seen > mostSegments {
			return fmt.Errorf("more than %d files: %w", mostSegments, bounded.ErrTooLarge)
		}
		l.add(name, segmentBytes)
		return nil
	})
	if err != nil {
		return Listing{}, err
	}
	for _, positions := range l.Segments {
		slices.Sort(positions)
	}
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
	if m := historyFile.FindStringSubmatch(name); m != nil {
		timeline, _ := strconv.ParseUint(m[1], 16, 32) // eight digits
		l.Histories = append(l.Histories, uint32(timeline))
	}
	m := walFile.FindStringSubmatch(name)
	if m == nil {
		return
	}
	segment, ok := parseSegmentName(m[1])
	if !ok || uint64(segment.Number) >= perLog(segmentBytes) {
		return
	}
	l.Segments[segment.Timeline] = append(l.Segments[segment.Timeline], segment.position(segmentBytes))
}

// each hands every file below a folder of the repository to see. A folder that is not there has none.
func (e *PgBackRest) each(ctx context.Context, folder string, see func(name string) error, options ...string) error {
	args := append([]string{"repo-ls", "--output=json", "--recurse", "--sort=none"}, options...)
	return e.run(ctx, append(append(append([]string{}, quiet...), args...), folder), nil, func(c *command) {
		c.read = func(r io.Reader) error { return eachName(r, see) }
	})
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

// branch is where a timeline ended and the next one went on.
type branch struct {
	timeline uint32
	until    wal.LSN
}

// history reads from which timelines one comes, the oldest first.
func (e *PgBackRest) history(ctx context.Context, archive string, timeline uint32) ([]branch, error) {
	name := fmt.Sprintf("archive/%s/%s/%08X.history", e.Cluster.Stanza, archive, timeline)
	out, err := e.Output(ctx, "repo-get", name)
	if err != nil {
		return nil, err
	}
	if len(out) > mostHistory {
		return nil, fmt.Errorf("pitr: %s: %w", name, bounded.ErrTooLarge)
	}
	return parseHistory(string(out))
}

func parseHistory(text string) (all []branch, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		timeline, err := strconv.ParseUint(fields[0], 10, 32)
		var until wal.LSN
		if err == nil && len(fields) > 1 {
			until, err = wal.ParseLSN(fields[1])
		}
		if err != nil || len(fields) < 2 {
			return nil, fault.New(fault.Integrity,
				fmt.Sprintf("pitr: %.80q is not a line of a timeline's history", strings.TrimSpace(line)),
				"Find out who has written to the repository besides the engine.", err)
		}
		all = append(all, branch{timeline: uint32(timeline), until: until})
	}
	return all, nil
}
