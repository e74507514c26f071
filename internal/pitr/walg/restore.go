package walg

import (
	"context"
	"encoding/json"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// sentinel is the document that is written last of a backup, as far as it is used. WAL-E wrote "spec", which is read
// as well: names are compared without regard to case.
type sentinel struct {
	Spec *struct {
		Tablespaces []string `json:"tablespaces"`
	} `json:"Spec"`
}

// Restore fetches the files of a base backup. One with tablespaces is refused: WAL-G would write them to where the live
// cluster has its own.
func (e *WALG) Restore(ctx context.Context, r pitr.Restore, onLine func(string)) error {
	if !backupName.MatchString(r.Label) {
		return fault.New(fault.Usage, fmt.Sprintf("pitr: %.60q is not a backup's name", r.Label), "", nil)
	}
	out, err := e.Output(ctx, "st", "cat", backupsFolder+"/"+r.Label+"_backup_stop_sentinel.json")
	if err != nil {
		return err
	}
	if err := refuseTablespaces(r.Label, out); err != nil {
		return err
	}
	return e.run(ctx, call{args: []string{"backup-fetch", r.Data, r.Label}, onLine: onLine})
}

func refuseTablespaces(label string, raw []byte) error {
	var s sentinel
	if err := json.Unmarshal(raw, &s); err != nil {
		return fault.New(fault.Integrity, "pitr: read the sentinel of "+label,
			"Look at what lies in the storage under that name.", err)
	}
	if s.Spec == nil || len(s.Spec.Tablespaces) == 0 {
		return nil
	}
	return fault.New(fault.Refused,
		fmt.Sprintf("pitr: backup %s has %d tablespaces, which WAL-G would write to where the live cluster has its own",
			label, len(s.Spec.Tablespaces)),
		"Restore it on another host, by `wal-g backup-fetch` with --restore-spec.", nil)
}

// FetchCommand is wal-fetch with the same settings.
func (e *WALG) FetchCommand(pitr.Restore) []string {
	words := []string{e.program()}
	if s, err := e.settings(); err == nil { // one that fails was told before
		words = append(words, s.options...)
	}
	return append(words, "wal-fetch")
}
