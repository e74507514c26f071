package cost

import (
	"cmp"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

// How the sets of a job grew, by those that are still there. Rules: what retention has deleted is not made up; from
// fewer than four weeks nothing follows, and that is no growth of 0.

// Growth is by how much a set's size grows in a month: 0.05 is five per cent.
type Growth struct {
	Known    bool
	PerMonth float64 // from the oldest set that is there to the newest
	// Low and High are the slowest and the fastest growth between sets that are a month or more apart; equal to
	// PerMonth where there are no others.
	Low, High float64
	Months    int // how many times a month was compared with the one before
}

// comparable is how far two sets are apart at least for what is between them to be growth, and not noise.
const comparable = 28 * day

// GrowthOf is the growth of the sets of one job.
func GrowthOf(sets []backup.Set) Growth {
	own := bySize(sets)
	if len(own) == 0 {
		return Growth{}
	}
	newest, oldest := own[0], own[len(own)-1]
	if newest.FinishedAt.Sub(oldest.FinishedAt) < comparable {
		return Growth{}
	}
	g := Growth{Known: true, PerMonth: rate(oldest, newest)}
	g.Low, g.High = g.PerMonth, g.PerMonth
	later := newest
	for _, s := range own[1:] {
		if later.FinishedAt.Sub(s.FinishedAt) < comparable {
			continue
		}
		one := rate(s, later)
		g.Low, g.High = min(g.Low, one), max(g.High, one)
		g.Months++
		later = s
	}
	return g
}

// bySize are the sets that have a size, newest first.
func bySize(sets []backup.Set) []backup.Set {
	own := slices.DeleteFunc(slices.Clone(sets), func(s backup.Set) bool { return s.StoredSize <= 0 })
	slices.SortFunc(own, func(a, b backup.Set) int { return b.FinishedAt.Compare(a.FinishedAt) })
	return own
}

func rate(older, newer backup.Set) float64 {
	apart := newer.FinishedAt.Sub(older.FinishedAt)
	return (float64(newer.StoredSize)/float64(older.StoredSize) - 1) / (apart.Hours() / 24 / MonthDays)
}

// Past is what is still there of the sets of one calendar month.
type Past struct {
	Month  string // "2026-11", UTC
	Sets   int
	Bytes  int64 // of all of them
	Newest int64 // of the last one
}

// HistoryOf are the months of the sets that are there, oldest first; a month of which nothing is left is left out.
func HistoryOf(sets []backup.Set) []Past {
	of := map[string]*Past{}
	for _, s := range bySize(sets) { // newest first
		month := s.FinishedAt.UTC().Format("2006-01")
		if of[month] == nil {
			of[month] = &Past{Month: month, Newest: s.StoredSize}
		}
		of[month].Sets++
		of[month].Bytes += s.StoredSize
	}
	var all []Past
	for _, p := range of {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Past) int { return cmp.Compare(a.Month, b.Month) })
	return all
}

// ForecastRange is Forecast by the growth of the plan, and by the slowest and the fastest that was seen; low and high
// are nil where no growth is known, and where the plan has another.
func ForecastRange(
	prices price.Table, of Subject, sets []backup.Set, p Plan, now time.Time, months int,
) (likely, low, high []Month, err error) {
	if likely, err = Forecast(prices, of, sets, p, now, months); err != nil {
		return nil, nil, nil, err
	}
	g := GrowthOf(Counted(of.Whose, sets))
	if !g.Known || p.Growth != g.PerMonth {
		return likely, nil, nil, nil
	}
	p.Growth = g.Low
	if low, err = Forecast(prices, of, sets, p, now, months); err != nil {
		return nil, nil, nil, err
	}
	p.Growth = g.High
	high, err = Forecast(prices, of, sets, p, now, months)
	return likely, low, high, err
}
