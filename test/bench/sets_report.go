package main

import (
	"fmt"
	"strings"
)

// The part of the report about very many sets.

// setsMarkdown is "" if nothing was planted.
func (f *findings) setsMarkdown() string {
	if f.sets == nil {
		return ""
	}
	var b strings.Builder
	f.machineLine(&b)
	fmt.Fprintf(&b, "%d sets of one database, five objects each, in a store of its own process on the same machine; %s.\n\n", f.sets.sets, f.machine.postgres)
	b.WriteString("| command | wall s: min, median, max | aim | own CPU s | the store's CPU s | both, on two cores without a gap | peak RSS MiB | load average meanwhile |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, row := range f.sets.rows {
		row.write(&b)
	}
	return b.String()
}

func (r setsRow) write(b *strings.Builder) {
	of := func(value func(setsRun) float64) spread { return spreadOf(r.runs, value) }
	wall := of(func(u setsRun) float64 { return u.wall.Seconds() })
	own, store := of(func(u setsRun) float64 { return u.own.Seconds() }), of(func(u setsRun) float64 { return u.store.Seconds() })
	both := of(func(u setsRun) float64 { return (u.own + u.store).Seconds() / 2 })
	aim := ""
	if r.aim > 0 {
		aim = fmt.Sprintf("%.0f %s", r.aim, verdict(wall.median, r.aim))
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %.2f | %.2f | %.2f | %.0f | %s to %s |\n", r.name, wall.format("%.2f"), aim, own.median, store.median,
		both.median, of(func(u setsRun) float64 { return mebi(u.rss) }).max, r.runs[0].load, r.runs[len(r.runs)-1].load)
}
