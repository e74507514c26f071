// Why a unit failed, in the words of whoever knows: the run itself, or systemd when the run had no
// say in it (killed, out of time, never started).
//
// Rule: only entries of that unit and invocation count, and of those about it only process 1's own.

package main

import (
	"context"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// explainFailure adds to an alert what the journal says of the invocation.
func explainFailure(ctx context.Context, a *notify.Alert) {
	why, early := systemd.StartFailure(a.ExitStatus)
	a.NeverRan = why
	reader, err := journal.Open(ctx, journal.Options{})
	if err != nil {
		return
	}
	defer func() { _ = reader.Close() }()
	page, err := reader.Page(ctx, journal.Query{Units: []string{a.Unit}, InvocationID: a.InvocationID, MaxPriority: 5},
		journal.Position{Direction: journal.Older, Limit: 100})
	if err != nil {
		return
	}
	a.Reason, a.Remedy = reason(page.Entries, early || systemd.EndedBySystemd(a.Result))
}

// reason is the last entry, oldest first, that tells why: the run's own with its advice, or
// systemd's when that knows better. That no further try is left is a reason only where nothing is known of a try.
func reason(entries []journal.Entry, systemdKnows bool) (message, remedy string) {
	var own, about, ended journal.Entry
	for _, e := range slices.Backward(entries) {
		switch {
		case e.PID == 1:
			if about.Message == "" && !repeatsTheResult(e) {
				about = e
			}
		case own.Message == "" && (e.Priority <= 3 || e.Fields["PGBTUI_EXIT"] != ""):
			// An end that is no error, such as a lock that is held, is told as a warning with an exit code.
			own = e
		case ended.Message == "" && e.Event == event.RunEnded && e.Fields["PGBTUI_RESULT"] != "success":
			ended = e
		}
	}
	if own.Message == "" && ended.Message != "" && strings.HasSuffix(about.Message, noTryLeft) {
		return strings.TrimPrefix(ended.Message, about.Unit+" "), ""
	}
	if about.Message != "" && (systemdKnows || own.Message == "") {
		return strings.TrimPrefix(about.Message, about.Unit+": "), own.Fields["PGBTUI_REMEDY"]
	}
	// The child that systemd forked names the unit, too.
	return strings.TrimPrefix(own.Message, own.Unit+": "), own.Fields["PGBTUI_REMEDY"]
}

// The kinds of systemd's entries (sd-messages.h) that say nothing which the alert does not: that
// the start failed, with which result, with which status, that it is tried again, what it used.
var resultEntries = []string{
	"be02cf6855d2428ba40df7e9d022f03d", "d9b373ed55a64feb8242e02dbe79a49c", "98e322203f7a4ed290d09fe03c09fe15",
	"7d4958e842da4a758f6c1cdc7b36dcc5", "5eb03494b6584870a536b337290809b3", "ae8f7b866b0347b9af31fe1c80b127c0",
	"39f53479d3a045ac8e11786248231fbf", "de5b426a63be47a7b6ac3eaac82e2f6f", "9d1aaa27d60140bd96365438aad20286",
}

// noTryLeft is how systemd says that a unit was started too often in a time. From 254 on that is an end of its own,
// which OnFailure= may be started for.
const noTryLeft = "Start request repeated too quickly."

// outOfMemory is the one notice that tells a cause (SD_MESSAGE_UNIT_OUT_OF_MEMORY).
const outOfMemory = "fe6faa94e7774663a0da52717891d8ef"

func repeatsTheResult(e journal.Entry) bool {
	return e.Priority > 4 && e.MessageID != outOfMemory || slices.Contains(resultEntries, e.MessageID)
}
