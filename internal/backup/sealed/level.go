package sealed

import (
	"slices"
	"time"
)

// Level is how hard frames are compressed: one of zstd's levels from 1 to 19, or Auto.
type Level int

// Auto adapts the level to the host while the stream runs: encoders that wait for the source compress harder, and a
// source that waits for them, or a host whose cores are all taken, gets the lowest level.
const Auto Level = 0

// LevelFrames is how many frames were compressed at one level.
type LevelFrames struct {
	Level  int   `json:"level"`
	Frames int64 `json:"frames"`
}

// The bounds of Auto. From 7 on a level costs a core for each few MB/s and stores hardly less in frames of this size.
const (
	lowest      = 1
	mostOfAuto  = 6
	windowFrame = 16  // frames after which Auto looks at what they cost
	patience    = 512 // frames for which a level that was too much is not tried again
)

// What the encoders may take of their workers' time. A next level costs up to twice as much, so it fits when that is
// below.
const (
	tooBusy  = 0.85
	roomLeft = 0.35
)

// An encoder that is ready to run and does not get a core takes longer than its CPU time.
const (
	contended     = 1.25 // no higher level
	veryContended = 1.6  // a lower one
)

// effort is what a window of frames cost.
type effort struct {
	frames int
	wall   time.Duration // from the first to the last
	busy   time.Duration // of all workers together, in the encoder
	cpu    time.Duration // of that, on a core
}

// pace decides the level of the next frames. It is used by one goroutine.
type pace struct {
	level   int
	ceiling int // not to be exceeded
	barred  int // frames until the ceiling goes
	window  effort
	since   time.Time
}

func newPace(now time.Time) *pace { return &pace{level: lowest, ceiling: mostOfAuto, since: now} }

// took adds a frame, and is the level from now on.
func (p *pace) took(busy, cpu time.Duration, now time.Time) int {
	p.window.frames++
	p.window.busy += busy
	p.window.cpu += cpu
	if p.window.frames < windowFrame {
		return p.level
	}
	p.window.wall = now.Sub(p.since)
	p.decide(p.window)
	p.window = effort{}
	p.since = now
	return p.level
}

func (p *pace) decide(e effort) {
	if p.barred -= e.frames; p.barred <= 0 {
		p.ceiling = mostOfAuto
	}
	share := float64(e.busy) / float64(workers*max(e.wall, 1))
	crowd := float64(e.busy) / float64(max(e.cpu, 1))
	switch {
	case p.level > lowest && (share > tooBusy || crowd > veryContended):
		p.level--
		p.ceiling = p.level
		p.barred = patience
	case p.level < p.ceiling && share < roomLeft && crowd < contended:
		p.level++
	}
}

// counted is the frames of each level, lowest first.
func counted(byLevel map[int]int64) []LevelFrames {
	var all []LevelFrames
	for level, frames := range byLevel {
		all = append(all, LevelFrames{Level: level, Frames: frames})
	}
	slices.SortFunc(all, func(a, b LevelFrames) int { return a.Level - b.Level })
	return all
}

// AddLevels are the frames of two streams.
func AddLevels(a, b []LevelFrames) []LevelFrames {
	byLevel := map[int]int64{}
	for _, l := range slices.Concat(a, b) {
		byLevel[l.Level] += l.Frames
	}
	return counted(byLevel)
}
