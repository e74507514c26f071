package backup

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAStatusLineIsReadBackAsItWasMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Progress{
			Action: rapid.SampledFrom([]string{"backup", "verify", "restore"}).Draw(t, "action"),
			Stage:  rapid.SampledFrom([]Stage{StageLock, StageDump, StageCommit, StageRead, StageRestore, StageCompare}).Draw(t, "stage"),
			Bytes:  rapid.Int64Range(0, 1<<50).Draw(t, "bytes"), Total: rapid.Int64Range(-1, 1<<50).Draw(t, "total"),
			Rate: rapid.Float64Range(0, 1e12).Draw(t, "rate"), Idle: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "idle")),
			Table: rapid.String().Draw(t, "table"),
		}
		line := p.Status()
		action, stage, percent, ok := ParseStatus(line)
		if !ok || action != p.Action || stage != p.Stage || percent != p.Percent() {
			t.Fatalf("%q is read as %s, %s, %d", line, action, stage, percent)
		}
		if strings.ContainsAny(line, "\n\x1b") {
			t.Fatalf("%q", line)
		}
		if percent > 99 || p.Left() < 0 {
			t.Fatalf("%d %%, %s left: nothing is done before its end", percent, p.Left())
		}
	})
}

func FuzzParseStatus(f *testing.F) {
	for _, line := range []string{"", "backup: dump 42%, 1.2 GiB of 2.9 GiB, 85 MiB/s, 20s left", "backup: lock", "Ready.", "backup: dump 99999999999999999999%", "x: y -1%", "backup:dump"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		action, stage, percent, ok := ParseStatus(line)
		if !ok && (action != "" || stage != "" || percent != -1) || percent < -1 || percent > 100 {
			t.Errorf("%q: %q, %q, %d, %v", line, action, stage, percent, ok)
		}
	})
}
