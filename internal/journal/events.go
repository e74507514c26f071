// The catalogue of events: every kind of entry that pgbtui writes, with the fixed MESSAGE_ID
// by which anybody finds it (`journalctl MESSAGE_ID=...`).
//
// Rules: an id is random, given once and never reused or changed; a name is what code and
// documents use, and is in the entry too, as PGBTUI_EVENT.

package journal

import "slices"

// The names of events, given to slog as the attribute "event".
const (
	EventBackupStarted    = "backup-started"
	EventBackupStage      = "backup-stage"
	EventBackupCommitted  = "backup-committed"
	EventBackupFailed     = "backup-failed"
	EventBackupCancelled  = "backup-cancelled"
	EventRetentionDeleted = "retention-deleted"
	EventRetentionKept    = "retention-kept"
	EventRetentionFailed  = "retention-failed"
	EventVerifyStarted    = "verify-started"
	EventVerifyOK         = "verify-ok"
	EventVerifyFailed     = "verify-failed"
	EventRestoreStarted   = "restore-started"
	EventRestoreOK        = "restore-ok"
	EventRestoreFailed    = "restore-failed"
	EventReplaced         = "restore-replaced"
	EventSwappedBack      = "restore-swapped"
	EventDrillStarted     = "drill-started"
	EventDrillOK          = "drill-ok"
	EventDrillFailed      = "drill-failed"
	EventLockHeld         = "lock-held"
	EventLeftoverRemoved  = "leftover-removed"
	EventWarning          = "warning"
	EventStall            = "stall"
	EventAlert            = "alert"
	EventRunEnded         = "run-ended"
	EventAllClear         = "all-clear"
	EventOperatorAction   = "operator-action"
)

// Event is one kind of entry.
type Event struct {
	Name    string // "backup-committed"
	ID      string // MESSAGE_ID, 32 lower case hex digits
	Meaning string // one line for people
}

// catalogue is never changed while the program runs.
var catalogue = []Event{
	{EventBackupStarted, "58264515e04a4accb55f863b55abd91f", "a backup run began"},
	{EventBackupStage, "04ddd2c04b9b4391b4923c3b805eb846", "a backup run entered its next stage"},
	{EventBackupCommitted, "c8cba66d912e485997424c15657c215c", "a set's manifest was written: the backup exists"},
	{EventBackupFailed, "b27f326432544489b4d5443528e82af7", "a backup run ended without a set"},
	{EventBackupCancelled, "5b2ed6b735b14a9286667371c58a751f", "a backup run was stopped by a signal or an operator"},
	{EventRetentionDeleted, "ec691d8532a9417fab59ab353cc9a61d", "retention deleted one set, with the reason"},
	{EventRetentionKept, "2f08d203631f473f9d06fb250d95159f", "retention's summary: how many sets stay, and why"},
	{EventRetentionFailed, "91970deb9a924cb28671c7c300505476", "retention could not decide or delete; the backup itself stands"},
	{EventVerifyStarted, "43070375bc6948b299ea410912ddb49d", "reading a set back began"},
	{EventVerifyOK, "3c2de4054f324d82b3d260495e606df7", "what was read back of a set, whole or in parts, is as recorded"},
	{EventVerifyFailed, "fca1f10c632740b99b70831aef3a7b94", "a set does not equal its manifest, or could not be read"},
	{EventRestoreStarted, "336386fdcad14f4391a80b3bfec92d68", "a restore into a new database began"},
	{EventRestoreOK, "124093077a544e539f8cf3b9f9cf5de6", "a restore ended and its rows were compared"},
	{EventRestoreFailed, "6b0e16aaa45c40aa81329950e29a998e", "a restore stopped; the unfinished database is named"},
	{EventReplaced, "5cf20bc0544e49eb9992e40b5012a3c8", "a restored copy took a live database's place; what it was is kept, and named"},
	{EventSwappedBack, "9cb480df802b43da8952c88a24cdf9cb", "a kept or restored database was put in a live one's place by hand; what that was is kept, and named"},
	{EventDrillStarted, "a850bb87eda9a22a7509c9e6cfcc9715", "a drill began: a restore into a server that is thrown away"},
	{EventDrillOK, "cf93ccb1d0054db6a7c0ced5e15c60cf", "a drill restored a set, and the copy is as the set says"},
	{EventDrillFailed, "7953e89da73a442796bfb47ee44ffe6c", "a drill could not restore a set, found the copy wrong, or could not be carried out"},
	{EventLockHeld, "d7bac9f316634057aac87a4e703c486c", "another run holds the lock of this database"},
	{EventLeftoverRemoved, "e4d6b83a5273402587a6a2596446a48b", "an earlier run's unfinished upload or object was removed"},
	{EventWarning, "d27bef8d7003421f945bb38cbb5983f9", "something needs attention, and the run goes on"},
	{EventStall, "398a9679d62047a882b09a6f51f068a4", "no byte moved for the configured time"},
	{EventAlert, "578e8a9ed8da4158842d45921704bcd2", "the one line that a person must see, written for OnFailure="},
	{EventAllClear, "373c2bc03020432cab158b67e0dd1a70", "what an alert told of is over"},
	{EventRunEnded, "183588f9501643f39719fed8c351d81f", "how a unit's process ended, by systemd's own account, written by ExecStopPost="},
	{EventOperatorAction, "cafccfcc8b8e4c2eb866a38fabd3a279", "a person asked for something: who, from where, what, why"},
}

// Events is the whole catalogue.
func Events() []Event { return slices.Clone(catalogue) }

// MessageID is the MESSAGE_ID of the event called name, or "" for a name outside the catalogue.
func MessageID(name string) string {
	for _, e := range catalogue {
		if e.Name == name {
			return e.ID
		}
	}
	return ""
}

// eventName is the event whose MESSAGE_ID is id, or "".
func eventName(id string) string {
	for _, e := range catalogue {
		if e.ID == id {
			return e.Name
		}
	}
	return ""
}
