// The small interfaces behind which S3, systemd and the journal hide, and the plain values they
// hand over. Rules for every implementation: return when ctx ends; safe for concurrent calls;
// errors are whole sentences made by internal/fault, with a remedy where one is known (the
// console shows both); strings may hold anything, the console makes them printable; unknown
// numbers are negative where 0 would be a claim, unknown times are zero.

package ui

// Sources are the places that the console reads from. A nil field is a source that does not
// exist here: its panes say so. Why it is missing goes in the matching Missing entry.
type Sources struct {
	Catalogue  Catalogue
	Objectives Objectives // nil: those of Options.Jobs count
	Units      Units
	Timers     Timers
	Journal    Journal
	History    History
	Planner    Planner
	Retention  Retention
	Buckets    Buckets
	Told       Told
	Doctor     Doctor
	Coverage   Coverage // nil: nothing is known
	// Missing tells why a nil source is nil, by "catalogue", "units", "timers", "journal", "planner", "retention", "told".
	Missing map[string]error
}
