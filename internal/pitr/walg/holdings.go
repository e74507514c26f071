package walg

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Folders of WAL-G's storage, below its prefix.
const (
	backupsFolder = "basebackups_005"
	walFolder     = "wal_005"
)

// Detail is what `backup-list --detail --json` says of a backup, as far as it is used.
type Detail struct {
	Name             string      `json:"backup_name"`
	StartTime        time.Time   `json:"start_time"`
	FinishTime       time.Time   `json:"finish_time"`
	PgVersion        int         `json:"pg_version"` // 150006
	StartLSN         uint64      `json:"start_lsn"`
	FinishLSN        uint64      `json:"finish_lsn"`
	SystemID         json.Number `json:"system_identifier"`
	UncompressedSize int64       `json:"uncompressed_size"`
	CompressedSize   int64       `json:"compressed_size"`
}

// backupName is of the segment that a backup began in, and for a delta of that of the backup that it builds on.
var backupName = regexp.MustCompile(`^base_([0-9A-F]{24})(?:_D_([0-9A-F]{24}))?$`)

// mostBackups bounds how many backups a storage is believed to hold.
const mostBackups = 20_000

// Holdings is what the storage holds, by its own listing.
func (e *WALG) Holdings(ctx context.Context, segmentBytes int64) (h pitr.Holdings, err error) {
	if _, err := e.settings(); err != nil {
		return h, err
	}
	details, err := e.backups(ctx)
	if fault.CodeOf(err) == fault.Integrity || ctx.Err() != nil {
		return h, err
	}
	if err != nil {
		h.Fault = err
		return h, nil
	}
	files := map[string]parts{}
	if err := e.list(ctx, backupsFolder, func(name string) { addPart(files, name) }); err != nil {
		return h, err
	}
	h.Segments = pitr.Segments{}
	if err := e.list(ctx, walFolder, func(name string) { addSegment(h.Segments, name, segmentBytes) }); err != nil {
		return h, err
	}
	h.Segments.Sort()
	fill(&h, details, files, segmentBytes)
	return h, nil
}

// backups are those that WAL-G lists, the oldest first.
func (e *WALG) backups(ctx context.Context) ([]Detail, error) {
	out, err := e.Output(ctx, "backup-list", "--detail", "--json")
	if err != nil {
		return nil, err
	}
	return readBackups(out)
}

func readBackups(raw []byte) (all []Detail, err error) {
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fault.New(fault.Failed, "pitr: read what wal-g backup-list prints", "", err)
	}
	bad := func(what, value string) error {
		return fault.New(fault.Integrity, fmt.Sprintf("pitr: wal-g backup-list: %.80q is not %s", value, what),
			"Somebody has written to the storage who is not WAL-G: look at what lies below its prefix.", nil)
	}
	if len(all) > mostBackups {
		return nil, bad("a number of backups", strconv.Itoa(len(all)))
	}
	for _, b := range all {
		if what, value := b.wrong(); what != "" {
			return nil, bad(what, value)
		}
	}
	slices.SortStableFunc(all, func(a, b Detail) int { return a.FinishTime.Compare(b.FinishTime) })
	return all, nil
}

func (b Detail) wrong() (what, value string) {
	m := backupName.FindStringSubmatch(b.Name)
	if m == nil {
		return "a backup's name", b.Name
	}
	for _, segment := range m[1:] {
		if _, ok := pitr.ParseSegment(segment); !ok && segment != "" {
			return "a WAL segment", segment
		}
	}
	if b.StartTime.Year() < 2000 || b.FinishTime.Before(b.StartTime) || b.FinishTime.Year() > 2100 {
		return "a time of a backup", b.FinishTime.String()
	}
	if b.UncompressedSize < 0 || b.CompressedSize < 0 {
		return "a size", strconv.FormatInt(min(b.UncompressedSize, b.CompressedSize), 10)
	}
	if b.StartLSN == 0 || b.FinishLSN < b.StartLSN || b.FinishLSN > math.MaxInt64 {
		return "a position in the WAL", strconv.FormatUint(b.FinishLSN, 10)
	}
	if _, err := strconv.ParseUint(b.SystemID.String(), 10, 64); err != nil && b.SystemID != "" { // older ones have none
		return "a system identifier", b.SystemID.String()
	}
	return "", ""
}

// parts are what lies in the storage of a backup's files.
type parts struct {
	data    bool // at least one archive of files
	control bool // that of the control file, which is stored last of them
}

// partFile is an archive of a backup: files, or the control file alone.
var partFile = regexp.MustCompile(`^([A-Za-z0-9_]+)/tar_partitions/(part_|pg_control\.tar)`)

func addPart(files map[string]parts, name string) {
	m := partFile.FindStringSubmatch(name)
	if m == nil || !backupName.MatchString(m[1]) {
		return
	}
	one := files[m[1]]
	if m[2] == "part_" {
		one.data = true
	} else {
		one.control = true
	}
	files[m[1]] = one
}

// segmentFile is a segment with the ending of how it was compressed, if it was.
var segmentFile = regexp.MustCompile(`^([0-9A-F]{24})(\.(lz4|lzma|zst|br|lzo|gz))?$`)

func addSegment(segments pitr.Segments, name string, segmentBytes int64) {
	if m := segmentFile.FindStringSubmatch(name); m != nil {
		segments.Add(m[1], segmentBytes)
	}
}

// mostListing bounds a listing, in bytes, which is read as it comes.
const mostListing = 2 << 30

// list hands the name of every object below a folder of the storage to see. A folder that is not there has none.
func (e *WALG) list(ctx context.Context, folder string, see func(name string)) error {
	return e.run(ctx, call{
		args: []string{"st", "ls", "--recursive", folder},
		read: func(r io.Reader) error { return eachName(r, folder, see) },
	})
}

// listLine is one of a table: kind, size, time (with spaces in it), name, and what some storages add.
var listLine = regexp.MustCompile(`^obj +[0-9]+ +[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+ [+-][0-9]{4} \S+ +(\S+)`)

// longestLine bounds a line of a listing; a longer one is no name that is looked for.
const longestLine = 4096

// eachName reads what `st ls` prints. Objects whose names are none of WAL-G's are left out.
func eachName(listing io.Reader, folder string, see func(name string)) error {
	lines := bufio.NewReaderSize(bounded.Reader(listing, mostListing), longestLine)
	for seen := 0; ; seen++ {
		line, err := lines.ReadSlice('\n')
		long := false
		for errors.Is(err, bufio.ErrBufferFull) {
			long = true
			_, err = lines.ReadSlice('\n')
		}
		if seen > pitr.MostSegments {
			return fmt.Errorf("more than %d files: %w", pitr.MostSegments, bounded.ErrTooLarge)
		}
		if m := listLine.FindSubmatch(line); m != nil && !long {
			see(strings.TrimPrefix(string(m[1]), folder+"/"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fill takes the backups over, and says which of them are whole.
func fill(h *pitr.Holdings, details []Detail, files map[string]parts, segmentBytes int64) {
	if len(details) == 0 {
		return
	}
	newest := details[len(details)-1]
	h.SystemID, h.Version = newest.SystemID.String(), strconv.Itoa(newest.PgVersion/10_000)
	bySegment := map[string]string{}
	for _, b := range details {
		bySegment[backupName.FindStringSubmatch(b.Name)[1]] = b.Name
	}
	for _, b := range details {
		lost := lostOf(b.Name, bySegment, files)
		if lost != "" {
			h.Problems = append(h.Problems, words.LostBackup(b.Name, lost))
		}
		one := b.common(segmentBytes)
		one.Prior, _ = priorOf(b.Name, bySegment)
		one.Whole = lost == "" && b.SystemID == newest.SystemID
		h.Backups = append(h.Backups, one)
	}
}

// priorOf is the backup that a delta builds on, which it names by its segment; there is false if that is not listed.
func priorOf(name string, bySegment map[string]string) (prior string, there bool) {
	segment := backupName.FindStringSubmatch(name)[2]
	if segment == "" {
		return "", true
	}
	if prior, there = bySegment[segment]; !there {
		prior = "base_" + segment
	}
	return prior, there
}

// lostOf is the first backup in a chain of which files are missing; "" where all are there.
func lostOf(name string, bySegment map[string]string, files map[string]parts) (lost string) {
	for range mostBackups { // names that lead to one another have no end
		if one := files[name]; !one.data || !one.control {
			return name
		}
		prior, there := priorOf(name, bySegment)
		if !there {
			return prior
		}
		if prior == "" {
			return ""
		}
		name = prior
	}
	return name
}

// common is a backup in the words that all engines have.
func (b Detail) common(segmentBytes int64) pitr.Backup {
	m := backupName.FindStringSubmatch(b.Name)
	start, _ := pitr.ParseSegment(m[1]) // as it was checked
	one := pitr.Backup{
		Label: b.Name, Type: "full", Started: b.StartTime.UTC(), Stopped: b.FinishTime.UTC(),
		StartSegment: m[1], StartLSN: wal.LSN(b.StartLSN), StopLSN: wal.LSN(b.FinishLSN),
		SizeBytes: b.UncompressedSize, StoredBytes: b.CompressedSize,
	}
	if m[2] != "" {
		one.Type = "delta"
	}
	// the end is the first byte that is not needed any more
	last := (b.FinishLSN - 1) / uint64(segmentBytes) // sizes are positive
	one.StopSegment = pitr.SegmentAt(start.Timeline, last, segmentBytes).Name()
	return one
}
