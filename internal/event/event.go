// Package event is the catalogue of events: every kind of journal entry that pgbtui writes, with the fixed MESSAGE_ID
// by which anybody finds it (`journalctl MESSAGE_ID=...`).
//
// Rules: an ID is random, given once and never reused or changed. Code and documents use the name, and it is in the
// entry too, as PGBTUI_EVENT. Runs log under a name without knowing the journal, which adds the ID.
package event

import (
	"log/slog"
	"slices"
)

// The names of events.
const (
	BackupStarted    = "backup-started"
	BackupStage      = "backup-stage"
	BackupCommitted  = "backup-committed"
	BackupFailed     = "backup-failed"
	BackupCancelled  = "backup-cancelled"
	RetentionDeleted = "retention-deleted"
	RetentionKept    = "retention-kept"
	RetentionFailed  = "retention-failed"
	VerifyStarted    = "verify-started"
	VerifyOK         = "verify-ok"
	VerifyFailed     = "verify-failed"
	RestoreStarted   = "restore-started"
	RestoreOK        = "restore-ok"
	RestoreFailed    = "restore-failed"
	Replaced         = "restore-replaced"
	SwappedBack      = "restore-swapped"
	DrillStarted     = "drill-started"
	DrillOK          = "drill-ok"
	DrillFailed      = "drill-failed"
	ClusterDrilled   = "cluster-drill-ok"
	ClusterDrillBad  = "cluster-drill-failed"
	LockHeld         = "lock-held"
	LeftoverRemoved  = "leftover-removed"
	Warning          = "warning"
	Stall            = "stall"
	Alert            = "alert"
	RunEnded         = "run-ended"
	AllClear         = "all-clear"
	OperatorAction   = "operator-action"
	CopyCommitted    = "copy-committed"
	CopyFailed       = "copy-failed"
	DatabaseFound    = "database-found"
	DatabaseGone     = "database-gone"

	ClusterRestoreStarted = "cluster-restore-started"
	ClusterRestoreOK      = "cluster-restore-ok"
	ClusterCopyChanged    = "cluster-copy-changed"
	ClusterRequestFailed  = "cluster-request-failed"
)

// Event is one kind of entry.
type Event struct {
	Name    string // "backup-committed"
	ID      string // MESSAGE_ID, 32 lower case hex digits
	Meaning string // one line for people
}

// catalogue is never changed while the program runs.
var catalogue = []Event{
	{BackupStarted, "58264515e04a4accb55f863b55abd91f", "a backup run began"},
	{BackupStage, "04ddd2c04b9b4391b4923c3b805eb846", "a backup run entered its next stage"},
	{BackupCommitted, "c8cba66d912e485997424c15657c215c", "a set's manifest was written, and with it the backup exists"},
	{BackupFailed, "b27f326432544489b4d5443528e82af7", "a backup run ended without a set"},
	{BackupCancelled, "5b2ed6b735b14a9286667371c58a751f", "a backup run was stopped by a signal or an operator"},
	{RetentionDeleted, "ec691d8532a9417fab59ab353cc9a61d", "retention deleted one set, with the reason"},
	{RetentionKept, "2f08d203631f473f9d06fb250d95159f", "retention's summary: how many sets it keeps, and why"},
	{
		RetentionFailed, "91970deb9a924cb28671c7c300505476",
		"retention could not decide or delete; the backup itself is good",
	},
	{VerifyStarted, "43070375bc6948b299ea410912ddb49d", "reading a set back began"},
	{VerifyOK, "3c2de4054f324d82b3d260495e606df7", "a set, or the part of it that was read back, matches its manifest"},
	{VerifyFailed, "fca1f10c632740b99b70831aef3a7b94", "a set does not match its manifest, or could not be read"},
	{RestoreStarted, "336386fdcad14f4391a80b3bfec92d68", "a restore into a new database began"},
	{RestoreOK, "124093077a544e539f8cf3b9f9cf5de6", "a restore succeeded, and its rows were compared"},
	{RestoreFailed, "6b0e16aaa45c40aa81329950e29a998e", "a restore stopped; the unfinished database is named"},
	{
		Replaced, "5cf20bc0544e49eb9992e40b5012a3c8",
		"a restored copy replaced a live database; the old one is kept, and named",
	},
	{
		SwappedBack, "9cb480df802b43da8952c88a24cdf9cb",
		"a kept or restored database replaced a live one by hand; the old one is kept, and named",
	},
	{DrillStarted, "a850bb87eda9a22a7509c9e6cfcc9715", "a drill began: a restore into a server that is thrown away"},
	{DrillOK, "cf93ccb1d0054db6a7c0ced5e15c60cf", "a drill restored a set, and the copy matches it"},
	{
		DrillFailed, "7953e89da73a442796bfb47ee44ffe6c",
		"a drill could not restore a set, found the copy wrong, or could not be carried out",
	},
	{ClusterDrilled, "9e510a0ab2294b3b9ca8a73c7ae1d766", "a drill recovered a cluster to a moment, to the transaction"},
	{
		ClusterDrillBad, "07b38179dee54c93b085666aab52776c",
		"a drill of a cluster was not made, or the cluster did not recover",
	},
	{LockHeld, "d7bac9f316634057aac87a4e703c486c", "another run holds the lock of this database"},
	{LeftoverRemoved, "e4d6b83a5273402587a6a2596446a48b", "an earlier run's unfinished upload or object was removed"},
	{Warning, "d27bef8d7003421f945bb38cbb5983f9", "something needs attention, and the run continues"},
	{Stall, "398a9679d62047a882b09a6f51f068a4", "no byte was transferred for the configured time"},
	{
		Alert, "578e8a9ed8da4158842d45921704bcd2",
		"a problem that a person must see, written for OnFailure= and by the watch",
	},
	{AllClear, "373c2bc03020432cab158b67e0dd1a70", "the problem of an earlier alert is over"},
	{
		RunEnded, "183588f9501643f39719fed8c351d81f",
		"how a unit's process ended, as systemd reported it, written by ExecStopPost=",
	},
	{
		DatabaseFound, "3073f67b4c3c41c587563233081a1422",
		"a job of several databases found a new one, and backs it up from now on",
	},
	{
		DatabaseGone, "ce31c56a72df435f8a639901735505ba",
		"a database of a job of several is gone from the server; its backups stay",
	},
	{CopyCommitted, "ebaf1b707c814c71884203a11d960a8f", "a set's manifest was written at a copy, which exists by it"},
	{CopyFailed, "15bed721ef4b4c41a0e77958b9dc874e", "a set could not be copied, or a copy could not be looked at"},
	{ClusterRestoreStarted, "462f5ac3a60242b085c59523f698b1ec", "the restore of a cluster beside the live one began"},
	{
		ClusterRestoreOK, "95a36857c240415e87ab28b6a17e7f5d",
		"a cluster was restored beside the live one; the copy, which is named, waits at its moment",
	},
	{
		ClusterCopyChanged, "363e0a9221be4ddb805f2cfae7559f78",
		"a copy of a cluster was started, stopped, promoted, kept or discarded, or something was extracted from it",
	},
	{ClusterRequestFailed, "02ca31b427fa40e08c164fefd221646a", "what was asked of a cluster or of a copy of it failed"},
	{OperatorAction, "cafccfcc8b8e4c2eb866a38fabd3a279", "a person asked for something: who, from where, what, why"},
}

// Attr is the attribute of a log line that names its event.
func Attr(name string) slog.Attr { return slog.String("event", name) }

// All is the whole catalogue.
func All() []Event { return slices.Clone(catalogue) }

// MessageID is the MESSAGE_ID of the event called name, or "" for a name that is not in the catalogue.
func MessageID(name string) string {
	for _, e := range catalogue {
		if e.Name == name {
			return e.ID
		}
	}
	return ""
}

// Name is the event whose MESSAGE_ID is id, or "".
func Name(id string) string {
	for _, e := range catalogue {
		if e.ID == id {
			return e.Name
		}
	}
	return ""
}
