package doctor

import "fmt"

// Minor versions of PostgreSQL with bugs that lose or damage what a dump reads. Rule: each row is from the release
// notes that it names, and for the major versions whose notes were read; a version that no row has is not known to be
// free of bugs.

// BugsAsOf is the day of the newest release notes that were read for the list.
const BugsAsOf = "2026-11-12"

// Bug is one row.
type Bug struct {
	Major int
	From  int // the first minor version that has it
	Fixed int // the first without it
	What  string
	Check string // what to do about what is there already
	Notes string // where it is from
}

// reindex is said of damage that is in indexes alone.
const reindex = "Rows are there, but searches may miss them: run pg_amcheck, and REINDEX what it names."

// Bugs are the rows, by major version, the newest fix first.
func Bugs() []Bug {
	const (
		multixact = "a checkpoint in the middle of creating a multixact may lose data in a crash soon after; " +
			"indexes of TOAST tables may miss rows after REINDEX CONCURRENTLY, so " +
			"that a dump ends with \"missing chunk number\"; " +
			"and snapshots that a standby exports are wrong"
		truncate = "a truncation that fails, or that a checkpoint overlaps, may damage a table in a crash soon after"
		inPlace  = "an update of the catalogue in place may be lost, by which an index may miss rows"
	)
	return []Bug{
		{
			Major: 14, From: 0, Fixed: 4, What: "CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY may miss rows",
			Check: reindex, Notes: notes(14, 4),
		},
		{
			Major: 14, From: 0, Fixed: 2, Check: reindex, Notes: notes(14, 2),
			What: "VACUUM may leave a dead row's place to another row, and REINDEX " +
				"CONCURRENTLY may damage the index of a TOAST table",
		},
		{Major: 15, From: 0, Fixed: 20, What: multixact, Check: reindex, Notes: notes(15, 20)},
		{Major: 15, From: 0, Fixed: 11, What: truncate, Check: "Run pg_amcheck.", Notes: notes(15, 11)},
		{Major: 15, From: 0, Fixed: 9, What: inPlace, Check: reindex, Notes: notes(15, 9)},
		{
			Major: 15, From: 0, Fixed: 3, Check: "Compare with an older set, and run pg_amcheck.", Notes: notes(15, 3),
			What: "with vacuum_defer_cleanup_age, VACUUM may remove rows that are " +
				"live; and CREATE DATABASE may damage its template",
		},
		{Major: 17, From: 0, Fixed: 12, What: multixact, Check: reindex, Notes: notes(17, 12)},
		{Major: 17, From: 0, Fixed: 3, What: truncate, Check: "Run pg_amcheck.", Notes: notes(17, 3)},
		{Major: 17, From: 0, Fixed: 1, What: inPlace, Check: reindex, Notes: notes(17, 1)},
		{Major: 18, From: 0, Fixed: 7, What: "several bugs may damage indexes", Check: reindex, Notes: notes(18, 7)},
	}
}

func notes(major, minor int) string {
	return fmt.Sprintf("https://www.postgresql.org/docs/%d/release-%d-%d.html", major, major, minor)
}

// BugsOf are the rows that a server has, by the number of its version ("150018").
func BugsOf(versionNum int) []Bug {
	var all []Bug
	major, minor := versionNum/10000, versionNum%10000
	for _, b := range Bugs() {
		if b.Major == major && minor >= b.From && minor < b.Fixed {
			all = append(all, b)
		}
	}
	return all
}

// readMajors are the major versions whose release notes were read.
func readMajors(major int) bool {
	for _, b := range Bugs() {
		if b.Major == major {
			return true
		}
	}
	return false
}
