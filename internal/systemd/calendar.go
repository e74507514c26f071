package systemd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const (
	calendarTimeout = 10 * time.Second
	calendarMax     = 10000 // iterations; a month of every five minutes, in a quarter of a second
)

// CalendarNext is the next n times (UTC) of an OnCalendar= expression, without random delay,
// fewer when it ends. It asks systemd-analyze: no parser of these expressions exists in Go, and
// a second opinion would be worse than none.
func CalendarNext(ctx context.Context, expression string, n int) ([]time.Time, error) {
	return calendar(ctx, expression, n)
}

// CalendarAfter is the first time (UTC) of an OnCalendar= expression after base; zero when there is none.
func CalendarAfter(ctx context.Context, expression string, base time.Time) (time.Time, error) {
	times, err := CalendarFrom(ctx, expression, base, 1)
	if err != nil || len(times) == 0 {
		return time.Time{}, err
	}
	return times[0], nil
}

// CalendarFrom is the next n times (UTC) of an OnCalendar= expression after base.
func CalendarFrom(ctx context.Context, expression string, base time.Time, n int) ([]time.Time, error) {
	return calendar(ctx, expression, n, "--base-time="+base.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// CalendarUntil are the times (UTC) of an OnCalendar= expression after base and before end.
func CalendarUntil(ctx context.Context, expression string, base, end time.Time) ([]time.Time, error) {
	const few = 100
	times, err := CalendarFrom(ctx, expression, base, few)
	if err == nil && len(times) == few && times[few-1].Before(end) {
		times, err = CalendarFrom(ctx, expression, base, calendarMax)
	}
	return slices.DeleteFunc(times, func(at time.Time) bool { return !at.Before(end) }), err
}

// NormalCalendar is an OnCalendar= expression as systemd writes it: those that mean the same are the same text.
func NormalCalendar(ctx context.Context, expression string) (string, error) {
	out, err := askCalendar(ctx, expression, 1)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), "Normalized form: "); found {
			return strings.TrimSpace(text), nil
		}
	}
	return expression, nil // systemd leaves the line out where nothing is to be normalised
}

func calendar(ctx context.Context, expression string, n int, options ...string) ([]time.Time, error) {
	out, err := askCalendar(ctx, expression, n, options...)
	if err != nil {
		return nil, err
	}
	return parseCalendar(out)
}

func askCalendar(ctx context.Context, expression string, n int, options ...string) (string, error) {
	what := fmt.Sprintf("systemd: read calendar %q", expression)
	if strings.ContainsAny(expression, "\x00\n") || expression == "" {
		return "", fault.New(fault.Usage, what, "Give one expression as systemd.time(7) describes it.", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, calendarTimeout)
	defer cancel()
	args := append([]string{"calendar", "--iterations=" + strconv.Itoa(min(max(n, 1), calendarMax))}, options...)
	cmd := exec.CommandContext(ctx, "systemd-analyze", append(args, "--", expression)...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C", "SYSTEMD_COLORS=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return "", fault.New(fault.Temporary, what, "", ctx.Err())
		case errors.As(err, &exit):
			return "", fault.New(fault.Usage, what, "Give one expression as systemd.time(7) describes it.",
				errors.New(lastLine(stderr.String())))
		}
		return "", fault.New(fault.Unavailable, what, "Install systemd's tools.", err)
	}
	return stdout.String(), nil
}

// parseCalendar reads what `systemd-analyze calendar` prints: a line per time in the local zone
// and, where that is not UTC, a line "(in UTC)" below it.
func parseCalendar(out string) ([]time.Time, error) {
	times := []time.Time{}
	for line := range strings.Lines(out) {
		label, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found {
			continue
		}
		first := label == "Next elapse" || label == "Next elapses"
		switch {
		case first && strings.TrimSpace(value) == "never":
			return times, nil
		case first || strings.HasPrefix(label, "Iter. #") || strings.HasPrefix(label, "Iteration #"):
			times = append(times, time.Time{})
		case label != "(in UTC)" || len(times) == 0:
			continue
		}
		if at, err := time.Parse("Mon 2006-01-02 15:04:05 UTC", strings.TrimSpace(value)); err == nil {
			times[len(times)-1] = at.UTC()
		}
	}
	for _, at := range times {
		if at.IsZero() {
			return nil, fault.New(fault.Failed, "systemd: read calendar", "", fmt.Errorf("no time in UTC in %q", out))
		}
	}
	return times, nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
