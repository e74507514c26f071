package main

import (
	"slices"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

func TestTheTimerOfCopiesHasTheScheduleOfCopiesAndIsOffWithoutThem(t *testing.T) {
	times := config.Schedule{Calendar: []string{"*-*-* 05:00:00 UTC"}}
	for _, copies := range [][]config.Copy{nil, {{Name: "other-region"}}} {
		job := config.Job{Name: "shop", Copies: copies, Timetable: config.Timetable{Copy: times}}
		wishes := timerWishes(job, "shop")
		i := slices.IndexFunc(wishes, func(w systemd.TimerWish) bool { return w.Timer == "postgres-backup-copy@shop.timer" })
		if i < 0 {
			t.Fatalf("%+v", wishes)
		}
		on := len(copies) > 0
		if w := wishes[i]; w.On != on || slices.Equal(w.Calendar, times.Calendar) != on {
			t.Errorf("with %d copies: %+v", len(copies), w)
		}
	}
}
