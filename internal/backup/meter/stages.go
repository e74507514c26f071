package meter

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// stages times the stages of a run, one after the other.
type stages struct {
	current backup.Stage // "": none has begun
	started time.Time
	ended   []backup.StageTime
}

// enter ends the current stage and starts the next.
func (s *stages) enter(stage backup.Stage) {
	s.ended = s.list()
	s.current = stage
	s.started = time.Now()
}

// list is the stages so far, the current one as if it ended now.
func (s *stages) list() []backup.StageTime {
	if s.current == "" {
		return s.ended
	}
	return append(s.ended[:len(s.ended):len(s.ended)], backup.StageTime{
		Stage:     s.current,
		StartedAt: s.started.UTC().Truncate(time.Millisecond),
		Seconds:   time.Since(s.started).Round(time.Millisecond).Seconds(),
	})
}
