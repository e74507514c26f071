package doctor

import "codeberg.org/pgbtui/pgbtui/internal/watch"

// Explains is the check that says more of a problem of the watch, or what the IDs of several begin with; "" where no
// check does.
func Explains(kind watch.Kind) string {
	switch kind {
	case watch.KindClock:
		return "s3.clock"
	case watch.KindBucket:
		return "s3"
	case watch.KindLoss:
		return "bucket.lifecycle"
	case watch.KindDrill:
		return "postgresql.drill"
	case watch.KindTimer, watch.KindMissed:
		return "units.timers"
	case watch.KindUnit, watch.KindSystemd:
		return "units"
	case watch.KindChannel:
		return "units.alerts"
	default: // what a set or a run says of itself
		return ""
	}
}
