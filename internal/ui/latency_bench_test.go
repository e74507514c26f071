package ui_test

import (
	"strings"
	"testing"
	"time"
)

// How long a person waits, measured on a real pty: from the keystroke to the first byte of what it changed, and from
// the start of the process to the first whole frame. Never asserted: the machines are noisy.
//
//	go test ./internal/ui -run '^$' -bench 'Key|FirstFrame' -benchtime 50x

func BenchmarkKeyUntilItIsOnTheWire(b *testing.B) {
	c := startConsole(b, 80, 24)
	c.until("DATABASES")
	keys := []string{"j", "k"}
	var total time.Duration
	for i := range b.N {
		time.Sleep(time.Duration(i%17) * time.Millisecond) // so that keys do not fall on the renderer's beat
		before := len(c.text())
		pressed := time.Now()
		c.press(keys[i%2])
		for len(c.text()) == before {
			time.Sleep(100 * time.Microsecond)
		}
		total += time.Since(pressed)
		time.Sleep(40 * time.Millisecond) // the rest of this frame
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/key")
}

func BenchmarkFirstFrameAfterTheStart(b *testing.B) {
	var total time.Duration
	for range b.N {
		started := time.Now()
		c := startConsole(b, 80, 24)
		for !strings.Contains(c.text(), "all keys") {
			time.Sleep(100 * time.Microsecond)
		}
		total += time.Since(started)
		_ = c.cmd.Process.Kill()
		<-c.done
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/start")
}
