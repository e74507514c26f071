package backrest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Holdings is what info says and the repository's own listing shows.
func (e *PgBackRest) Holdings(ctx context.Context, segmentBytes int64) (h pitr.Holdings, err error) {
	stopped, err := e.Stopped()
	if err != nil {
		return h, err
	}
	if stopped != "" {
		h.Problems = append(h.Problems, pitr.Problem{
			Kind: pitr.ProblemStopped, What: "the engine is stopped by " + stopped + ": neither WAL nor backups are stored",
			Remedy: "Run `pgbackrest --stanza=" + e.Cluster.Stanza + " start` as the owner of the server's files when the " +
				"reason is gone.",
		})
	}
	info, err := e.Info(ctx)
	if err != nil {
		return h, err
	}
	if h.Fault = info.Fault(); h.Fault != nil {
		return h, nil
	}
	database, ok := info.Current()
	if !ok {
		return h, nil
	}
	h.SystemID, h.Version = database.SystemID.String(), database.Version
	list, err := e.List(ctx, database.Version+"-"+fmt.Sprint(database.ID), segmentBytes)
	if err != nil {
		return h, err
	}
	h.Segments = list.Segments
	whole := map[string]bool{}
	for _, b := range info.Whole(database.ID) {
		chain := append([]string{b.Label, b.Prior}, b.Reference...)
		lost := slices.IndexFunc(chain, func(label string) bool { return label != "" && !list.Backups[label] })
		if lost >= 0 {
			h.Problems = append(h.Problems, words.LostBackup(b.Label, chain[lost]))
			continue
		}
		whole[b.Label] = true
	}
	for _, b := range info.Backup {
		h.Backups = append(h.Backups, b.common(whole[b.Label]))
	}
	return h, nil
}

// common is a backup in the words that all engines have.
func (b Backup) common(whole bool) pitr.Backup {
	// Of a position that cannot be read nothing is known to lie behind it.
	stop, err := wal.ParseLSN(b.LSN.Stop)
	if err != nil {
		stop = math.MaxUint64
	}
	start, _ := wal.ParseLSN(b.LSN.Start) // without it the whole way is not known, and nothing else
	return pitr.Backup{
		Label: b.Label, Type: b.Type, Prior: b.Prior, Started: b.Started(), Stopped: b.Stopped(),
		StartSegment: b.Archive.Start, StopSegment: b.Archive.Stop, StartLSN: start, StopLSN: stop,
		SizeBytes: b.Info.Size, StoredBytes: b.Info.Repository.Delta, BadPages: b.BadPages(), Whole: whole,
		Annotation: b.Annotation,
	}
}

// lockPathLine is where an engine's configuration says that locks and stop files are.
var lockPathLine = regexp.MustCompile(`(?m)^\s*lock-path\s*=\s*(\S+)\s*$`)

// Stopped is the stop file that keeps the engine from working; "" if there is none.
func (e *PgBackRest) Stopped() (string, error) {
	raw, err := bounded.ReadFile(e.File, bounded.File)
	if errors.Is(err, os.ErrNotExist) {
		remedy := "Correct `config` of the cluster."
		if !e.Cluster.OnlyRead() {
			remedy = "Run `pgbtui cluster setup " + e.Cluster.Name + "`, which writes it."
		}
		return "", fault.New(fault.NotFound, "pitr: read the engine's configuration", remedy, err)
	}
	if err != nil {
		return "", fault.New(fault.NotPermitted, "pitr: read the engine's configuration", pitr.AsOwner, err)
	}
	dir := "/tmp/pgbackrest" // the engine's default
	if m := lockPathLine.FindSubmatch(raw); m != nil {
		dir = string(m[1])
	}
	for _, name := range []string{e.Cluster.Stanza + ".stop", "all.stop"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name), nil
		}
	}
	return "", nil
}
