package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// progressBar is one line at the bottom of a terminal's standard error, redrawn once a second.
// Log lines are written above it.
type progressBar struct {
	on bool
	w  io.Writer

	mu    sync.Mutex
	shown bool
}

const barCells = 20

func (b *progressBar) draw(p backup.Progress) {
	if !b.on {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	full := max(0, p.Percent()) * barCells / 100
	line := fmt.Sprintf("[%s%s] %s", strings.Repeat("#", full), strings.Repeat("-", barCells-full), p.Status())
	b.shown = true
	_, _ = fmt.Fprintf(b.w, "\r%.79s\x1b[K", line)
}

func (b *progressBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown {
		_, _ = io.WriteString(b.w, "\r\x1b[K")
	}
	b.shown = false
}

// above makes a handler that clears the bar before each line.
func (b *progressBar) above(h slog.Handler) slog.Handler { return &aboveBar{h, b} }

type aboveBar struct {
	slog.Handler
	bar *progressBar
}

func (a *aboveBar) Handle(ctx context.Context, r slog.Record) error {
	a.bar.clear()
	return a.Handler.Handle(ctx, r)
}

func (a *aboveBar) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &aboveBar{a.Handler.WithAttrs(attrs), a.bar}
}

func (a *aboveBar) WithGroup(name string) slog.Handler {
	return &aboveBar{a.Handler.WithGroup(name), a.bar}
}
