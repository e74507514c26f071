// The slog handler that writes native journal entries.
//
// Rules: every field is either systemd's own (MESSAGE, PRIORITY, MESSAGE_ID,
// SYSLOG_IDENTIFIER) or begins with PGBTUI_; an event's MESSAGE_ID comes from the catalogue
// only; an entry that journald does not take goes to the fallback as text, so that no record
// is lost in silence.

package journal

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// HandlerOptions are how records are written to the journal. The zero value is good.
type HandlerOptions struct {
	Socket   string       // "": Socket
	Level    slog.Leveler // nil: slog.LevelInfo
	Fallback io.Writer    // takes what journald does not, as lines of text; nil: nobody
}

// Handler is a slog.Handler for the systemd journal. It is safe for concurrent use.
type Handler struct {
	level    slog.Leveler
	sender   *sender
	fallback slog.Handler // nil: none
	scope    scope
}

// NewHandler returns a handler that maps the attributes event, run, job, database, instance,
// stage and set to fields of their own and any other to PGBTUI_<KEY>.
func NewHandler(opts HandlerOptions) *Handler {
	h := &Handler{level: opts.Level}
	if h.level == nil {
		h.level = slog.LevelInfo
	}
	path := opts.Socket
	if path == "" {
		path = Socket
	}
	h.sender = newSender(path)
	if opts.Fallback != nil {
		h.fallback = NewTextHandler(opts.Fallback, h.level)
	}
	return h
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle implements slog.Handler. It fails when neither the journal nor the fallback took r.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	pairs := h.scope.record(r)
	err := h.sender.send(encode(fields(r, pairs)))
	if err == nil || h.fallback == nil {
		return err
	}
	return h.fallback.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.scope = h.scope.withAttrs(attrs)
	if h.fallback != nil {
		c.fallback = h.fallback.WithAttrs(attrs)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	c := *h
	c.scope = h.scope.withGroup(name)
	if h.fallback != nil {
		c.fallback = h.fallback.WithGroup(name)
	}
	return &c
}

// Close waits until journald knows whose the entries are, two seconds at most, and gives the
// socket back: a program that exits without it may lose its last entries for those who look by
// unit. The handlers made from h share the socket; one that is used again opens it again.
func (h *Handler) Close() error { return h.sender.close() }

func fields(r slog.Record, pairs []pair) []field {
	out := []field{
		{"MESSAGE", strings.Join(printable.Lines(r.Message), "\n")},
		{"PRIORITY", strconv.Itoa(Priority(r.Level))},
		{"SYSLOG_IDENTIFIER", Identifier},
	}
	if id := event.MessageID(lookup(pairs, "event")); id != "" {
		out = append(out, field{"MESSAGE_ID", id})
	}
	for _, p := range pairs {
		out = append(out, field{fieldName(p.key), p.value})
	}
	return out
}

// maxFieldName is journald's limit; it drops longer names.
const maxFieldName = 64

// fieldName is the journal field of an attribute: run is PGBTUI_RUN_ID, any other key is
// PGBTUI_ and the key in upper case, with _ for whatever journald refuses in a name.
func fieldName(key string) string {
	if key == "run" {
		return "PGBTUI_RUN_ID"
	}
	name := "PGBTUI_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, key)
	return name[:min(len(name), maxFieldName)]
}
