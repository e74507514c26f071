package ui

import (
	"cmp"
	"context"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Doctor and thaws in the accessible console.

// doctor looks at everything, and tells what is not well, then what each check saw.
func (t *talk) doctor(ctx context.Context) {
	if t.Sources.Doctor == nil {
		t.fails(t.missing("doctor"))
		return
	}
	inUnit := false
	if t.denied() == "" {
		inUnit = t.ask("Also from the unit in which backups run, yes or no:") == "yes"
	}
	t.say("Looking; this may take minutes. It writes objects beside the sets, and removes them.")
	exam, err := t.Sources.Doctor.Examine(ctx, "", inUnit)
	if err != nil {
		t.fails(err)
		return
	}
	if exam.Notice != "" {
		t.say(t.wrap(clean(exam.Notice), talkWidth)...)
	}
	checks := worstChecks(exam.Checks)
	count := map[string]int{}
	for _, c := range checks {
		count[c.Result]++
		if c.Result != CheckOK {
			t.checkup(c)
		}
	}
	t.say(fmt.Sprintf("%d failed, %d warnings, %d could not be looked at, %d well.", count[CheckFail], count[CheckWarn],
		count[CheckUnknown], count[CheckOK]))
	t.menu(ctx, "What now?", "Back", func() []choice {
		return []choice{
			{"Every check with what was seen", func(context.Context) { t.checkups(checks) }},
			{"Write a file for a ticket, without secrets", t.report},
		}
	})
}

func (t *talk) checkups(all []Checkup) {
	for _, c := range all {
		t.checkup(c)
	}
}

// checkup is one check; of what is well, one line.
func (t *talk) checkup(c Checkup) {
	text := checkupMark(c.Result).text() + ", " + clean(c.ID)
	if c.Job != "" {
		text += ", job " + clean(c.Job)
	}
	t.say(t.wrap(text+": "+clean(c.Seen), talkWidth)...)
	if c.Other != "" {
		t.say(t.wrap("   Otherwise: "+clean(c.Other), talkWidth)...)
	}
	if c.Result != CheckOK && c.Remedy != "" {
		t.say(t.wrap("   To do: "+clean(c.Remedy), talkWidth)...)
	}
	if c.Statement != "" { // whole, to be copied
		t.say("   " + clean(c.Statement))
	}
}

func (t *talk) report(ctx context.Context) {
	file, err := t.Sources.Doctor.Report(ctx)
	if err != nil {
		t.fails(err)
		return
	}
	t.say("Written: " + clean(file) + "; names of hosts and databases are in it, secrets are not.")
}

// thaw asks for the tier first, with price and time of each.
func (t *talk) thaw(ctx context.Context, s backup.Set) {
	thawer := t.Write.Thawer
	if thawer == nil {
		t.say("Not possible: " + cmp.Or(t.denied(), "not available here"))
		return
	}
	looks := thawer.Outlooks(s)
	done := false
	t.menu(ctx, "By which tier?", "Back", func() []choice {
		var all []choice
		if done {
			return all
		}
		for _, look := range looks {
			all = append(all, choice{look.text(), func(ctx context.Context) {
				if t.ask("Type yes to thaw it, anything else changes nothing:") != "yes" {
					t.say("Nothing was changed.")
					return
				}
				if err := thawer.Thaw(ctx, s, look.Tier); err != nil {
					t.fails(err)
					return
				}
				done = true
				t.say(fmt.Sprintf("Asked for %s. A copy can be read for %d days once it is there.", clean(s.ID), look.Days))
			}})
		}
		return all
	})
}
