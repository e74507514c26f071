package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Heartbeats of backups. Rules: the run tells its own start and end; ExecStopPost= of its unit tells the end of one
// that could not, since it was killed. Warnings are no failure there, as for systemd. What is sent holds no secret of
// ours.

// heartbeat is a run's; nil where the job has none.
type heartbeat struct {
	to    notify.Heartbeat
	run   string // a UUID, one for start and end
	env   *environment
	logs  *logs
	lines *lastLines
}

// heartbeatOf is that of a job's run: by the configuration, else by the secret of the backups' units. An address that
// cannot be read is a warning.
func heartbeatOf(ctx context.Context, env *environment, to *logs, job config.Job) *heartbeat {
	from := job.Heartbeat
	if !from.On() {
		from.URLFile = env.credential(heartbeatSecret)
	}
	if !from.On() {
		return nil
	}
	h := &heartbeat{run: runUUID(env), env: env, logs: to, lines: &lastLines{}}
	address, err := heartbeatAddress(from)
	if err == nil {
		h.to, err = notify.NewHeartbeat(address, job.Name)
	}
	if err != nil {
		h.warn(ctx, err)
		return nil
	}
	h.lines.secrets = append(secretValues(env), address)
	return h
}

// heartbeatSecret holds an address for all jobs, in which {job} is the name of each.
const heartbeatSecret = "heartbeat-url"

func heartbeatAddress(h config.Heartbeat) (string, error) {
	if h.URLFile == "" {
		return h.URL, nil
	}
	text, err := bounded.ReadFile(h.URLFile, bounded.File)
	if err != nil {
		return "", fault.New(fault.Config, "read the address of the heartbeat",
			"Make the file readable for user pgbtui: root:pgbtui, mode 0640.", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// runUUID is systemd's ID of this run, which the process that ExecStopPost= starts has too; else a new one.
func runUUID(env *environment) string {
	id := env.getenv("INVOCATION_ID")
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 {
		var fresh [16]byte
		_, _ = rand.Read(fresh[:]) // never fails: crypto/rand
		fresh[6] = fresh[6]&0x0f | 0x40
		fresh[8] = fresh[8]&0x3f | 0x80
		id = hex.EncodeToString(fresh[:])
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// begin tells the start, and keeps from here on what the run logs.
func (h *heartbeat) begin(ctx context.Context) {
	if h == nil {
		return
	}
	h.logs.copyTo = h.lines
	if err := h.to.Start(ctx, h.run); err != nil {
		h.warn(ctx, err)
	}
}

// end tells how the run ended, also one that was told to stop.
func (h *heartbeat) end(ctx context.Context, end error) {
	if h == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	h.logs.copyTo = nil
	said := (*loggedError)(nil)
	if bare := (*outcome)(nil); end != nil && !errors.As(end, &said) && !errors.As(end, &bare) {
		_, _ = h.lines.Write([]byte(end.Error() + "\n"))
	}
	code := exitCode(end)
	if code == fault.Warnings {
		code = fault.OK
	}
	if err := h.to.End(ctx, h.run, int(code), h.lines.text()); err != nil {
		h.warn(ctx, err)
	}
}

func (h *heartbeat) warn(ctx context.Context, err error) {
	h.logs.logger(slog.LevelInfo).WarnContext(ctx, "the heartbeat was not delivered: "+err.Error(),
		event.Attr(event.Warning), slog.String("remedy", fault.Remedy(err)))
}

// endFor tells the end of a unit's run whose process could not: it was killed, or never started.
func (h *heartbeat) endFor(ctx context.Context, e systemd.End) {
	if h == nil || e.ToldByItself() {
		return
	}
	if err := h.to.End(ctx, h.run, e.Code(), e.Text()); err != nil {
		h.warn(ctx, err)
	}
}

// lastLines keeps the end of what is written to it.
type lastLines struct {
	secrets []string

	mu   sync.Mutex
	kept []string
}

// mostLines is how many lines of a run are sent.
const mostLines = 30

// Write implements io.Writer: whole lines.
func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, string(p))
	if n := len(l.kept) - mostLines; n > 0 {
		l.kept = slices.Delete(l.kept, 0, n)
	}
	return len(p), nil
}

// text is what is kept, without secrets.
func (l *lastLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return printable.Redact(strings.Join(l.kept, ""), l.secrets...)
}

// secretValues are those of the environment.
func secretValues(env *environment) (values []string) {
	for _, name := range []string{
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "PGPASSWORD", "SLACK_WEBHOOK_URL",
	} {
		values = append(values, env.getenv(name))
	}
	return values
}
