package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// deliveryTime bounds the delivery of all alerts of one check, retries included.
const deliveryTime = 2 * time.Minute

// teller sends news to the journal and to the channels.
type teller struct {
	env  *environment
	logs *logs
	c    *config.Config // nil: it cannot be read
	jobs []config.Job   // all that alerts may be about
	now  time.Time
	// text is the alert's own text where it says more than the incident; nil or "": the incident's.
	text func(watch.News) string
}

// tell reconciles what was found with the remembered incidents, sends the news, and remembers. store may be nil: then
// everything is news, and nothing is remembered.
func (t *teller) tell(
	ctx context.Context, store *watch.Store, found []watch.Finding, o watch.Options,
) ([]watch.News, error) {
	var known []watch.Incident
	if store != nil {
		known = store.Incidents
		if store.ReadErr != nil {
			t.warn(ctx, "the incidents of earlier alerts are lost, so alerts that were sent before are sent again: "+
				store.ReadErr.Error())
		}
	}
	next, news := watch.Reconcile(known, found, o)
	for _, n := range news {
		if !n.Retry {
			t.log(ctx, n)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	sent, bad := t.send(ctx, news)
	next = watch.Undelivered(next, undelivered(sent))
	next, err := t.channelTrouble(ctx, next, sent, bad)
	if store != nil {
		if takenErr := store.Taken(takers(sent), t.now); takenErr != nil {
			t.warn(ctx, takenErr.Error())
		}
		if saveErr := store.Save(next); saveErr != nil {
			return news, saveErr
		}
	}
	return news, err
}

// delivery is one channel's message with the news in it.
type delivery struct {
	notify.Outgoing
	news []watch.News
}

// send gives every channel one message with the news that it takes.
func (t *teller) send(ctx context.Context, news []watch.News, except ...notify.Channel) (sent []delivery, bad []error) {
	every, _ := alertChannels(t.env, t.c, t.jobs...)
	for _, n := range news {
		channels, unusable := alertChannels(t.env, t.c, t.concerned(n.Incident)...)
		bad = append(bad, unusable...)
		for _, ch := range channels {
			if i := slices.IndexFunc(every, ch.Same); i >= 0 {
				ch.Label = every[i].Label // one number, whichever jobs it is for
			}
			if ch.CriticalOnly && n.Incident.Severity < watch.Critical || slices.ContainsFunc(except, ch.Same) {
				continue
			}
			i := slices.IndexFunc(sent, func(d delivery) bool { return d.Channel.Same(ch) })
			if i < 0 {
				i, sent = len(sent), append(sent, delivery{Outgoing: notify.Outgoing{Channel: ch}})
			}
			sent[i].news = append(sent[i].news, n)
		}
	}
	out := make([]notify.Outgoing, len(sent))
	for i, d := range sent {
		out[i] = notify.Outgoing{Channel: d.Channel, Message: t.message(d.news)}
	}
	notify.Send(ctx, out)
	for i := range sent {
		sent[i].Outgoing = out[i]
	}
	return sent, bad
}

func (t *teller) message(news []watch.News) notify.Message {
	m := notify.Message{Title: watch.Title(news, hostname()), Text: watch.Text(news, hostname())}
	if t.text != nil && len(news) == 1 {
		if own := t.text(news[0]); own != "" {
			m.Text = own
		}
	}
	return m
}

// concerned are the jobs whose channels an incident goes to: its own, or all.
func (t *teller) concerned(i watch.Incident) []config.Job {
	name := i.Subject
	if i.Kind == watch.KindRun {
		name, _, _ = systemd.ScheduledJobOf(i.Subject)
	}
	for _, job := range t.jobs {
		if name != "" && job.Name == name {
			return []config.Job{job}
		}
	}
	return t.jobs
}

// takers are the channels that took what was sent, by label.
func takers(sent []delivery) (labels []string) {
	for _, d := range sent {
		if d.Err == nil {
			labels = append(labels, d.Channel.Label)
		}
	}
	return labels
}

// undelivered is the news that was sent to some channel, and that none took.
func undelivered(sent []delivery) []watch.News {
	var all []watch.News
	for _, d := range sent {
		for _, n := range d.news {
			same := func(o watch.News) bool {
				return o.Incident.Subject == n.Incident.Subject && o.Incident.Kind == n.Incident.Kind
			}
			if slices.ContainsFunc(all, same) {
				continue
			}
			if !slices.ContainsFunc(sent, func(o delivery) bool { return o.Err == nil && slices.ContainsFunc(o.news, same) }) {
				all = append(all, n)
			}
		}
	}
	return all
}

// channelTrouble makes an incident of a channel that did not take its alert, and sends that to the other channels and
// the journal. It returns an error when nothing at all could be delivered.
func (t *teller) channelTrouble(
	ctx context.Context, next []watch.Incident, sent []delivery, bad []error,
) ([]watch.Incident, error) {
	var found []watch.Finding
	var failed []notify.Channel
	var last error
	tried := map[string]bool{}
	for _, d := range sent {
		tried[d.Channel.Label] = true
		if d.Err != nil {
			failed, last = append(failed, d.Channel), d.Err
			found = append(found, watch.Finding{
				Subject: d.Channel.Label, Kind: watch.KindChannel, Severity: watch.Critical,
				What: "alerts to this channel fail: " + d.Err.Error(), Remedy: fault.Remedy(d.Err),
			})
		}
	}
	if len(bad) > 0 {
		last = bad[0] // the watch reports it
	}
	unjudged := func(i watch.Incident) bool { return i.Kind != watch.KindChannel || !tried[i.Subject] }
	next, news := watch.Reconcile(next, found, watch.Options{Now: t.now, Unjudged: unjudged})
	for _, n := range news {
		t.log(ctx, n)
	}
	t.send(ctx, news, failed...)
	if last != nil && len(failed) == len(sent) {
		return next, last
	}
	return next, nil
}

func (t *teller) log(ctx context.Context, n watch.News) {
	level := journal.LevelAlert
	kind := event.Alert
	text := n.Text(hostname())
	own := ""
	if t.text != nil {
		own = t.text(n)
	}
	switch {
	case own != "": // a unit's alert is one, however bad
		text = own
	case n.Kind == watch.Cleared:
		level = journal.LevelNotice
		kind = event.AllClear
	case n.Incident.Severity < watch.Critical:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		event.Attr(kind), slog.String("subject", n.Incident.Subject), slog.String("kind", string(n.Incident.Kind)),
		slog.String("severity", n.Incident.Severity.String()), slog.String("news", string(n.Kind)),
	}
	if n.Incident.Kind == watch.KindRun {
		job, _, _ := systemd.ScheduledJobOf(n.Incident.Subject)
		attrs = append(attrs, slog.String("failed_unit", n.Incident.Subject), slog.String("job", job))
	}
	t.logs.logger(slog.LevelInfo).LogAttrs(ctx, level, text, attrs...)
}

func (t *teller) warn(ctx context.Context, text string) {
	t.logs.logger(slog.LevelInfo).WarnContext(ctx, text, event.Attr(event.Warning))
}
