package restore

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// What a dump never has, and whoever restores it must know.

func (r *restoring) checkAbsent() (checks []Check) {
	if m := r.source.set.Manifest; m != nil && m.Server.InRecovery {
		checks = append(checks, warns("standby",
			"the set was made on a hot standby: unlogged tables come without rows, since a standby has none of them",
			"Fill them from the application, or restore a set of the primary."))
	}
	var subscriptions []string
	for _, e := range r.entries() {
		if e.Desc == "SUBSCRIPTION" {
			subscriptions = append(subscriptions, e.Tag)
		}
	}
	if len(subscriptions) > 0 {
		checks = append(checks, warns("subscriptions",
			fmt.Sprintf("%s: disabled after the restore, and without a slot at the publisher",
				strings.Join(backup.Shorten(subscriptions), ", ")),
			"To continue one, make a slot at its publisher, then ALTER SUBSCRIPTION … SET (slot_name = …), ENABLE and "+
				"REFRESH PUBLICATION. "+
				"To drop one, first ALTER SUBSCRIPTION … SET (slot_name = NONE)."))
	}
	return checks
}
