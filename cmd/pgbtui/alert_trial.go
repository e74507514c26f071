package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
)

// runAlertTest sends a test to every channel, and says how each took it.
func runAlertTest(ctx context.Context, o *alertOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := c.Named(o.job)
	if err != nil {
		return err
	}
	channels, bad := alertChannels(o.env, c, jobs...)
	out := jsonAlertTest{Schema: jsonSchema, OK: len(bad) == 0, Channels: []jsonChannel{}}
	message := notify.Message{
		Title: "PostgreSQL backup: test of alerts from " + hostname(),
		Text: "PostgreSQL backup: this is a test of alerts from " + hostname() +
			", sent by pgbtui alert test. Nothing is wrong.",
	}
	sent := make([]notify.Outgoing, len(channels))
	for i, ch := range channels {
		sent[i] = notify.Outgoing{Channel: ch, Message: message}
	}
	notify.Send(ctx, sent)
	worst := fault.OK
	for _, s := range sent {
		one := jsonChannel{Channel: s.Channel.Label, OK: s.Err == nil, Severity: severityWord(s.Channel)}
		if s.Err != nil {
			one.Error = s.Err.Error()
			out.OK = false
			worst = fault.CodeOf(s.Err)
		}
		out.Channels = append(out.Channels, one)
	}
	for _, err := range bad {
		out.Channels = append(out.Channels, jsonChannel{Channel: "not usable", Error: err.Error()})
		worst = fault.Config
	}
	if len(out.Channels) == 0 {
		return fault.New(fault.Config, "alerts go to the journal only: there is no channel",
			"Set alert.channels, see docs/alerts.md#channels.", nil)
	}
	if err := printAlertTest(o.streams, out); err != nil {
		return err
	}
	return exitWith(worst)
}

func severityWord(c notify.Channel) string {
	if c.CriticalOnly {
		return config.SeverityCritical
	}
	return config.SeverityWarning
}

type jsonAlertTest struct {
	Schema   int           `json:"schema"`
	OK       bool          `json:"ok"`
	Channels []jsonChannel `json:"channels"`
}

type jsonChannel struct {
	Channel  string `json:"channel"`
	OK       bool   `json:"ok"`
	Severity string `json:"severity,omitempty"` // the least that is told there
	Error    string `json:"error,omitempty"`
}

func printAlertTest(to *streams, out jsonAlertTest) error {
	if to.json {
		return to.printJSON(out)
	}
	for _, c := range out.Channels {
		if c.OK {
			to.sayf("ok   %s, from severity %s on\n", c.Channel, c.Severity)
		} else {
			to.sayf("FAIL %s: %s\n", c.Channel, c.Error)
		}
	}
	return nil
}
