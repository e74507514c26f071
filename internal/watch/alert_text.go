// The text of alerts: news as a person reads them, away from the console.

package watch

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Title is one line that says what it is about.
func Title(news []News, host string) string {
	if len(news) == 1 {
		return news[0].title(host)
	}
	over, notices := 0, 0
	for _, n := range news {
		if n.Kind == Cleared {
			over++
		}
		if n.Incident.Notice {
			notices++
		}
	}
	switch {
	case notices == len(news):
		return fmt.Sprintf("PostgreSQL backup: %d notices of %s", notices, printable.Text(host))
	case over == len(news):
		return fmt.Sprintf("PostgreSQL backup: %d problems are over on %s", over, printable.Text(host))
	case over == 0:
		return fmt.Sprintf("PostgreSQL backup: %d problems on %s", len(news), printable.Text(host))
	}
	return fmt.Sprintf("PostgreSQL backup: %d problems on %s, %d are over", len(news)-over, printable.Text(host), over)
}

// Text is the whole message: the title, then each of the news.
func Text(news []News, host string) string {
	var parts []string
	if len(news) > 1 {
		parts = append(parts, Title(news, host))
	}
	for _, n := range news {
		parts = append(parts, n.Text(host))
	}
	return strings.Join(parts, "\n\n")
}

func (n News) title(host string) string {
	word := n.Kind.title()
	if n.Incident.Notice {
		word = "notice"
	}
	return "PostgreSQL backup " + word + ": " + n.Incident.about() + " on " + printable.Text(host)
}

func (k NewsKind) title() string {
	switch k {
	case Changed:
		return "problem changed"
	case Reminder:
		return "problem continues"
	case Cleared:
		return "all clear"
	case Opened:
	}
	return "problem"
}

// about is what the incident concerns.
func (i Incident) about() string {
	switch {
	case i.Kind == KindRun:
		if job, plain, ok := systemd.JobOf(i.Subject); ok && !plain {
			return "job " + printable.Text(job)
		}
		return printable.Text(i.Subject)
	case i.Kind == KindChannel:
		return "alerts by " + printable.Text(i.Subject)
	case i.Kind == KindMetrics:
		return "metrics by " + printable.Text(i.Subject)
	case strings.HasPrefix(string(i.Kind), clusterKind):
		return cmp.Or(printable.Text(i.Subject), "the clusters")
	case i.Subject == "":
		return "systemd"
	case i.Kind == KindBucket:
		return printable.Text(i.Subject)
	case strings.HasSuffix(i.Subject, ".timer"):
		return printable.Text(i.Subject)
	}
	return "job " + printable.Text(i.Subject)
}

// Text is one of the news with all that is known of it.
func (n News) Text(host string) string {
	i := n.Incident
	lines := []string{n.title(host)}
	if n.Kind == Cleared {
		return strings.Join(append(lines, "It was: "+printable.Text(i.What),
			fmt.Sprintf("From %s to %s", i.OpenedAt.UTC().Format(time.RFC3339), i.ClosedAt.UTC().Format(time.RFC3339))), "\n")
	}
	lines = append(lines, "What: "+printable.Text(i.What))
	if i.Remedy != "" {
		lines = append(lines, "Do: "+printable.Text(i.Remedy))
	}
	if i.Notice {
		return strings.Join(append(lines, "Then: pgbtui"), "\n")
	}
	return strings.Join(append(lines, "Severity: "+i.Severity.String(), "Since: "+i.OpenedAt.UTC().Format(time.RFC3339),
		"Then: pgbtui"), "\n")
}
