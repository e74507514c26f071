package restore

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A drill may have only a server of another major version than the set's. What restores there is proven for that
// version. What does not may be that version's doing: it knows other keywords, functions and defaults. So such a
// drill says what it does not prove, and puts nothing on record against the set but rows that are not as many as
// in the dump, which no version decides.

var leadingNumber = regexp.MustCompile(`^\d+`)

// learnMajors finds out which major versions the set and the drill's server are of.
func (d *drilling) learnMajors(ctx context.Context) {
	d.hereMajor = majorOf(d.facts.Server)
	if m := d.source.set.Manifest; m != nil {
		d.sourceMajor = m.Server.VersionNum / 10000
	} else { // a dump of the old script says it in its first bytes; one that cannot be read fails the load
		var p part
		if err := d.readHead(ctx, &p); err == nil && p.head != nil {
			d.sourceMajor = majorOf(p.head.ServerVersion)
		}
	}
	if d.otherMajor() {
		d.doesNotProve(fmt.Sprintf(
			"that it restores into PostgreSQL %d, which it is from: the drill's server was PostgreSQL %d",
			d.sourceMajor, d.hereMajor))
	}
}

// majorOf is 15 of "15.18 (Debian 15.18-0+deb12u1)", and 0 of what is no version.
func majorOf(version string) int {
	major, _ := strconv.Atoi(leadingNumber.FindString(version))
	return major
}

// otherMajor is false also where one of the versions is not known.
func (d *drilling) otherMajor() bool {
	return d.sourceMajor > 0 && d.hereMajor > 0 && d.sourceMajor != d.hereMajor
}

// failsInOtherMajor is a failure of which nobody can say whether it is the set's.
func (d *drilling) failsInOtherMajor(err error) error {
	return fault.New(fault.Refused, fmt.Sprintf(
		"drill: the set is from PostgreSQL %d and the drill's server is PostgreSQL %d, "+
			"so that this may be the server's doing and is not recorded", d.sourceMajor, d.hereMajor),
		fmt.Sprintf("Install postgresql-%d (Debian, Ubuntu) or postgresql%d-server (RHEL) on this host, or name a server "+
			"of that version for drills (drill.server). "+
			"If you mean to upgrade to PostgreSQL %d, fix what is named in the source first.", d.sourceMajor,
			d.sourceMajor, d.hereMajor), err)
}
