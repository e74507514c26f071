// The same records as lines of text: for a terminal, or where there is no journal.
//
//	02:00:07 dump warning: table gone table=public.x rows=12
//
// Rules: one record is one write; run, job, instance and the event's name are left out, and what else is the same on
// every line of a run (its set, database, target) stands on the first of them; everything passes printable; no colour.

package journal

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// TextHandler is a slog.Handler that writes readable lines. It is safe for concurrent use.
type TextHandler struct {
	out   *lockedWriter
	level slog.Leveler
	scope scope
}

type lockedWriter struct {
	mu   sync.Mutex
	w    io.Writer
	said string // what the lines before have in common
}

// NewTextHandler writes to w what is at least as urgent as level; nil: slog.LevelInfo.
func NewTextHandler(w io.Writer, level slog.Leveler) *TextHandler {
	if level == nil {
		level = slog.LevelInfo
	}
	return &TextHandler{out: &lockedWriter{w: w}, level: level}
}

// Enabled implements slog.Handler.
func (h *TextHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle implements slog.Handler.
func (h *TextHandler) Handle(_ context.Context, r slog.Record) error {
	own := scope{prefix: h.scope.prefix}.record(r)
	common := attrText(slices.DeleteFunc(slices.Clone(h.scope.pairs),
		func(p pair) bool { return lookup(own, p.key) != "" }))
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	if common == h.out.said {
		common = ""
	} else {
		h.out.said = common
	}
	_, err := io.WriteString(h.out.w, textLine(r, lookup(h.scope.record(r), "stage"), common+attrText(own)))
	return err
}

// attrText is attributes as a line shows them.
func attrText(pairs []pair) string {
	var b strings.Builder
	for _, p := range pairs {
		switch p.key {
		case "run", "job", "instance", "event", "stage":
			continue
		}
		b.WriteString(" " + printable.Text(p.key) + "=" + quoted(p.value))
	}
	return b.String()
}

// WithAttrs implements slog.Handler.
func (h *TextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.scope = h.scope.withAttrs(attrs)
	return &c
}

// WithGroup implements slog.Handler.
func (h *TextHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.scope = h.scope.withGroup(name)
	return &c
}

const clock = "15:04:05"

func textLine(r slog.Record, stage, attrs string) string {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format(clock) + " ")
	}
	if stage != "" {
		b.WriteString(printable.Text(stage) + " ")
	}
	b.WriteString(levelWord(r.Level))
	// Further lines of a message stand under its first.
	b.WriteString(strings.Join(printable.Lines(r.Message), "\n"+strings.Repeat(" ", len(clock)+1)))
	b.WriteString(attrs)
	b.WriteByte('\n')
	return b.String()
}

func levelWord(level slog.Level) string {
	switch p := Priority(level); {
	case p <= 1:
		return "alert: "
	case p <= 3:
		return "error: "
	case p == 4:
		return "warning: "
	case p == 7:
		return "debug: "
	}
	return ""
}

func quoted(value string) string {
	safe := printable.Text(value)
	if safe == "" || strings.ContainsAny(safe, " =\"") {
		return `"` + strings.ReplaceAll(safe, `"`, `\"`) + `"`
	}
	return safe
}
