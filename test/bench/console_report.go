package main

import (
	"fmt"
	"strings"
	"time"
)

// The part of the report about the console.

// The aims.
const (
	aimFrame = 30.0 // ms from the start of the process to the first whole frame
	aimKey   = 20.0 // ms from a key to the first byte of what it changed
	aimIdle  = 500.0
)

// consoleMarkdown is "" if the console was not measured.
func (f *findings) consoleMarkdown() string {
	c := f.console
	if c == nil {
		return ""
	}
	var b strings.Builder
	f.machineLine(&b)
	frames, keys := milliseconds(c.frames), milliseconds(c.keys)
	fmt.Fprintf(&b, "%d starts, %d keys, on a pty of 80x24.\n\n", len(c.frames), len(c.keys))
	b.WriteString("| | min, median, max | aim |\n| --- | --- | --- |\n")
	fmt.Fprintf(&b, "| start to first whole frame, ms | %s | %.0f %s |\n", frames.format("%.1f"), aimFrame, verdict(frames.median, aimFrame))
	fmt.Fprintf(&b, "| own CPU until then, all threads, ms | %s | |\n", milliseconds(c.ran).format("%.1f"))
	fmt.Fprintf(&b, "| ready, but others had the processors, all threads, ms | %s | |\n", milliseconds(c.waited).format("%.1f"))
	fmt.Fprintf(&b, "| key to first byte on the wire, ms | %s | %.0f %s |\n", keys.format("%.1f"), aimKey, verdict(keys.median, aimKey))
	fmt.Fprintf(&b, "| bytes in an idle minute | %d | %.0f %s |\n", c.idleBytes, aimIdle, verdict(float64(c.idleBytes), aimIdle-1))
	return b.String()
}

func milliseconds(of []time.Duration) spread {
	return spreadOf(of, func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 })
}
