package meter

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// rate smooths bytes per second over some seconds.
type rate struct {
	stage backup.Stage
	at    time.Time
	bytes int64
	value float64
}

func (r *rate) next(now time.Time, stage backup.Stage, bytes int64) float64 {
	if stage != r.stage || bytes < r.bytes {
		*r = rate{stage: stage, at: now, bytes: bytes}
		return 0
	}
	if seconds := now.Sub(r.at).Seconds(); seconds > 0 {
		fresh := float64(bytes-r.bytes) / seconds
		if r.value == 0 {
			r.value = fresh
		}
		r.value += (fresh - r.value) / 4
		r.at = now
		r.bytes = bytes
	}
	return r.value
}
