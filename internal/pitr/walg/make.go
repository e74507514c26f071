package walg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// deltaOrigin is what a delta builds on, by WAL-G's setting. Whether it makes deltas at all is decided by
// WALG_DELTA_MAX_STEPS in its settings; where that is 0 or reached, it makes a full backup.
var deltaOrigin = map[config.BackupKind]string{config.DiffBackup: "LATEST_FULL", config.IncrBackup: "LATEST"}

// Backup makes a base backup; behind it, those that are not kept any more are deleted, where their number is set.
func (e *WALG) Backup(ctx context.Context, kind config.BackupKind, onLine func(string)) (made pitr.Backup, err error) {
	control, err := e.Server.Control(ctx)
	if err != nil {
		return made, err
	}
	push := call{args: []string{"backup-push", e.Server.DataDirectory}, onLine: onLine}
	if kind == config.FullBackup {
		push.args = append(push.args, "--full")
	} else {
		push.env = []string{"WALG_DELTA_ORIGIN=" + deltaOrigin[kind]}
	}
	before, err := e.backups(ctx)
	if err == nil {
		err = e.run(ctx, push)
	}
	if err != nil {
		return made, err
	}
	h, err := e.Holdings(ctx, control.SegmentBytes)
	if err == nil {
		err = h.Fault
	}
	if err != nil {
		return made, err
	}
	if len(h.Backups) == 0 || len(before) > 0 && before[len(before)-1].Name == h.Backups[len(h.Backups)-1].Label {
		return made, fault.New(fault.Failed, "pitr: WAL-G says that it made a backup, and lists no new one", "", nil)
	}
	made = h.Backups[len(h.Backups)-1]
	if !made.Whole {
		return made, fault.New(fault.Integrity, "pitr: the files of the new backup "+made.Label+" are not in the storage",
			"Look at the storage, and make a backup again. Nothing was deleted.", nil)
	}
	return made, e.retain(ctx, onLine)
}

// retain deletes the backups that are not kept any more, with the WAL that only they needed. Permanent ones stay.
func (e *WALG) retain(ctx context.Context, onLine func(string)) error {
	if e.Cluster.Keep.Full == 0 {
		return nil
	}
	return e.run(ctx, call{
		args: []string{"delete", "retain", "FULL", strconv.Itoa(e.Cluster.Keep.Full), "--confirm"}, onLine: onLine,
	})
}

// checkWithin bounds how long a segment is waited for, and checkEvery is how often it is looked for.
const (
	checkWithin = time.Minute
	checkEvery  = time.Second
)

// Check writes a restore point, lets the server switch to the next segment, and fetches the one with the point. WAL-G
// has no command for that.
func (e *WALG) Check(ctx context.Context) error {
	archiver, err := e.Server.Archiver(ctx)
	if err != nil {
		return err
	}
	if archiver.Mode == "off" {
		return fault.New(fault.Refused, "pitr: the server archives no WAL: archive_mode is off",
			"Set archive_mode = on, let archive_command call `wal-g wal-push`, and restart PostgreSQL.", nil)
	}
	control, err := e.Server.Control(ctx)
	if err != nil {
		return err
	}
	var segment string
	err = e.Server.SQL(ctx, "postgres", `SELECT pg_catalog.to_json(pg_catalog.pg_walfile_name(
		pg_catalog.pg_create_restore_point('pgbtui cluster check')))`, &segment)
	if err != nil {
		return err
	}
	var position string
	err = e.Server.SQL(ctx, "postgres", `SELECT pg_catalog.to_json(pg_catalog.pg_switch_wal()::text)`, &position)
	if err != nil {
		return err
	}
	dir, remove, err := e.Server.ScratchDir()
	if err != nil {
		return err
	}
	defer remove()
	for deadline := time.Now().Add(checkWithin); ; {
		err := e.Engine().Fetch(ctx, segment, filepath.Join(dir, segment), control.SegmentBytes)
		switch {
		case !errors.Is(err, pitr.ErrNotKept):
			return err
		case time.Now().After(deadline):
			return fault.New(fault.Failed, "pitr: segment "+segment+" is not in the storage after a minute",
				"WAL does not reach the archive: see `pgbtui cluster status`, and the archiver's errors in the server's log.", nil)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(checkEvery):
		}
	}
}

// report is what `wal-verify integrity timeline --json` prints.
type report struct {
	Integrity struct {
		Status  string `json:"status"`
		Details []struct {
			Timeline uint32 `json:"timeline_id"`
			Start    string `json:"start_segment"`
			End      string `json:"end_segment"`
			Count    int64  `json:"segments_count"`
			Status   string `json:"status"`
		} `json:"details"`
	} `json:"integrity"`
	Timeline struct {
		Status  string `json:"status"`
		Details struct {
			Current uint32 `json:"current_timeline_id"`
			Highest uint32 `json:"highest_storage_timeline_id"`
		} `json:"details"`
	} `json:"timeline"`
}

// Verify lets WAL-G look whether every segment since the oldest backup is listed, and looks whether every backup's
// files are. No file is read: WAL-G has no command that does without restoring.
func (e *WALG) Verify(ctx context.Context) (v pitr.Verification, err error) {
	control, err := e.Server.Control(ctx)
	if err != nil {
		return v, err
	}
	h, err := e.Holdings(ctx, control.SegmentBytes)
	if err == nil {
		err = h.Fault
	}
	if err != nil {
		return v, err
	}
	out, err := e.Output(ctx, "wal-verify", "integrity", "timeline", "--json")
	if err != nil {
		return v, err
	}
	if v, err = readReport(out); err != nil {
		return v, err
	}
	for _, b := range h.Backups {
		word := "its files are there"
		if !b.Whole {
			v.OK = false
			v.Bad = append(v.Bad, b.Label)
			word = "files are missing, or it is of another server"
		}
		v.Lines = append(v.Lines, "backup "+b.Label+": "+word)
	}
	return v, nil
}

func readReport(raw []byte) (v pitr.Verification, err error) {
	var r report
	if err := json.Unmarshal(raw, &r); err != nil || r.Integrity.Status == "" || r.Timeline.Status == "" {
		return v, fault.New(fault.Failed, "pitr: wal-g wal-verify says no status", "Run it by hand.", err)
	}
	v.Lines = append(v.Lines, "integrity of WAL: "+printable.OneLine(r.Integrity.Status))
	for _, d := range r.Integrity.Details {
		v.Lines = append(v.Lines, fmt.Sprintf("  timeline %d, %s to %s, %d segments: %s", d.Timeline,
			printable.OneLine(d.Start), printable.OneLine(d.End), d.Count, printable.OneLine(d.Status)))
	}
	v.Lines = append(v.Lines, fmt.Sprintf("timeline %d, highest in the storage %d: %s", r.Timeline.Details.Current,
		r.Timeline.Details.Highest, printable.OneLine(r.Timeline.Status)))
	// WARNING is of segments that may still be on their way.
	v.OK = (r.Integrity.Status == "OK" || r.Integrity.Status == "WARNING") && r.Timeline.Status == "OK"
	return v, nil
}
