package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// RandomKill is kill number i of a seed: at a random request or a random time, in a random way,
// with or without encryption, of a small or a large database, in one stream or several. Seed and number give the same
// choice again; what the machine does in between does not repeat. Requests and times are shares of those of a
// whole run on this machine, so that most kills find the run alive.
func (l *Lab) RandomKill(ctx context.Context, seed, i uint64) (*Cell, error) {
	r := rand.New(rand.NewPCG(seed, i))
	m := Moment{random: true, large: r.IntN(6) == 0, retention: r.IntN(3) == 0}
	way := []Way{Kill, Kill, Kill, Terminate, Terminate, OutOfMemory, KillChild}[r.IntN(7)]
	share, whole := r.Float64(), l.extent()
	if requests := 1 + int(share*float64(whole.requests)); r.IntN(3) > 0 {
		held := way != KillChild && r.IntN(2) == 0
		m.Name = fmt.Sprintf("at request %d", requests)
		if held {
			m.Name += ", held"
		}
		m.hold, m.reached = atRequest(int64(requests), held)
	} else {
		delay := time.Duration(share * float64(whole.took)).Round(time.Millisecond)
		m.Name = "after " + delay.String()
		m.hold, m.reached = afterTime(delay)
	}
	sealed := r.IntN(2) == 0
	if r.IntN(3) == 0 {
		m.streams = 3
		m.Name += ", in several streams"
	}
	cell, err := l.Crash(ctx, m, way, sealed)
	cell.Name = fmt.Sprintf("kill %d of seed %d: %s", i, seed, cell.Name)
	return cell, err
}

func atRequest(number int64, held bool) (func(*World) error, func(*World, context.Context) bool) {
	var seen atomic.Int64
	hold := func(w *World) error {
		w.hold(func(s3server.Op, *http.Request) *s3server.Fault {
			if seen.Add(1) >= number && held {
				return &s3server.Fault{Kind: s3server.Stall}
			}
			return nil
		})
		return nil
	}
	return hold, func(*World, context.Context) bool { return seen.Load() >= number }
}

func afterTime(delay time.Duration) (func(*World) error, func(*World, context.Context) bool) {
	var from time.Time
	hold := func(*World) error { from = time.Now(); return nil }
	return hold, func(*World, context.Context) bool { return time.Since(from) >= delay }
}
