package journal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestTextLinesAreReadableAndSafe(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 7, 0, time.Local)
	for _, c := range []struct {
		name  string
		level slog.Level
		msg   string
		attrs []slog.Attr
		want  string
	}{
		{"plain", slog.LevelInfo, "dump finished", []slog.Attr{slog.String("stage", "dump"), slog.Int("tables", 12)}, "02:00:07 dump dump finished tables=12\n"},
		{"what a run repeats is left out", slog.LevelInfo, "go", []slog.Attr{slog.String("run", "r"), slog.String("job", "j"), slog.String("instance", "i"), slog.String("event", "e")}, "02:00:07 go\n"},
		{"numbers are as long as they say something", slog.LevelInfo, "m", []slog.Attr{slog.Float64("seconds", 1.9529999999999998), slog.Float64("of", 60)}, "02:00:07 m seconds=1.953 of=60\n"},
		{"levels have words", slog.LevelError, "gone", nil, "02:00:07 error: gone\n"},
		{"alert", LevelAlert, "look", nil, "02:00:07 alert: look\n"},
		{"lines stand below each other", slog.LevelWarn, "one\ntwo\n", nil, "02:00:07 warning: one\n         two\n"},
		{"nothing acts on the terminal", slog.LevelInfo, "\x1b]0;x\a", []slog.Attr{slog.String("k\x1b", "a\u202eb"), slog.String("stage", "\r")}, `02:00:07 \r \x1b]0;x\x07 k\x1b=a\u202eb` + "\n"},
		{"values with spaces are quoted", slog.LevelInfo, "m", []slog.Attr{slog.String("a", `x "y"`), slog.String("b", ""), slog.Any("c", errors.New("d\ne"))}, `02:00:07 m a="x \"y\"" b="" c=d\ne` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			r := slog.NewRecord(at, c.level, c.msg, 0)
			r.AddAttrs(c.attrs...)
			if err := NewTextHandler(&out, nil).Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("got  %q\nwant %q", out.String(), c.want)
			}
		})
	}
}

func TestWhatLinesHaveInCommonIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(NewTextHandler(&out, nil))
	one, two := base.With("set", "a", "database", "d"), base.With("set", "b", "database", "d")
	one.Info("first")
	one.Info("second", "rows", 3)
	one.With("stage", "dump").Info("third")
	one.Info("fourth", "set", "other")
	two.Info("first")
	one.Info("last")
	got := ""
	for line := range bytes.Lines(out.Bytes()) {
		got += string(line[len("00:00:00 "):])
	}
	want := "first set=a database=d\nsecond rows=3\ndump third\nfourth database=d set=other\nfirst set=b database=d\nlast set=a database=d\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestHandlersKeepEachOthersAttributesApart(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(NewTextHandler(&out, nil)).With("a", 1)
	left, right := base.With("b", 2), base.With("c", 3)
	left.Info("left")
	right.WithGroup("g").With("d", 4).Info("right", slog.Group("", "e", 5))
	got := ""
	for line := range bytes.Lines(out.Bytes()) {
		got += string(line[len("00:00:00 "):])
	}
	if want := "left a=1 b=2\nright a=1 c=3 g.d=4 g.e=5\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlyTheNamedStreamIsTheJournals(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	for variable, want := range map[string]bool{
		fmt.Sprintf("%d:%d", stat.Dev, stat.Ino):   true,
		fmt.Sprintf("%d:%d", stat.Dev, stat.Ino+1): false,
		fmt.Sprintf("%d:%d", stat.Dev+1, stat.Ino): false,
		"": false, "x": false, "1": false,
	} {
		if got := isJournalStream(variable, file); got != want {
			t.Errorf("JOURNAL_STREAM=%q: %v, want %v", variable, got, want)
		}
	}
}
