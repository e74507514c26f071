// What can be asked for, each as a dialog: what is started or stopped, what it costs, what comes of
// it, and the same as a command line.

package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// askBackup is the dialog for b.
func askBackup(sh *shared, j Job) tea.Cmd {
	if why := sh.denied(); why != "" {
		return say(toneWarn, "back up: ", why)
	}
	expect, length := "?  no backup to compare with", "?"
	own := j.Whose.Of(sh.setsBeside(j))
	if k := slices.IndexFunc(own, func(s backup.Set) bool { return s.Good() && s.Manifest != nil }); k >= 0 {
		s := &own[k]
		expect = readable.Size(rawSize(s)) + " read, " + readable.Size(s.StoredSize) + " stored, like the last one"
		length = "about " + readable.Took(s.Manifest.FinishedAt.Sub(s.Manifest.StartedAt))
	}
	note := "The database stays in use; nothing is deleted but by retention."
	if j.Several {
		note = "All databases of job " + clean(j.Name) + " are backed up, this one among them; they stay in use."
	}
	act := sh.Write.Actions
	return sh.post(boxMsg{&dialog{
		shared: sh, title: "Back up " + clean(sh.jobTitle(j)), verb: "Back up", cli: j.CLI,
		facts: [][2]string{
			{"Starts", clean(j.Unit)},
			{"To", orUnknown(sh.Identity.Place)},
			{"Expected", expect},
			{"Time", length},
			{"", note},
		},
		do: func(ctx context.Context) (Started, error) {
			return act.Start(ctx, Service{Unit: j.Unit, What: "back up", Target: j.Database})
		},
	}})
}

// proving is what is said of a way to prove a set.
var proving = map[Proving]struct{ title, verb, unit, shows string }{
	ProveReadable: {
		"Verify a backup of ", "Verify", "postgres-verify@….service",
		"every byte is there, decrypts, and pg_restore can decode it",
	},
	ProveRestored: {
		"Drill a backup of ", "Drill", "postgres-drill@….service",
		"it restores: into a server of its own on this host, rows, owners and grants compared, then removed",
	},
}

// askProve is the dialog for v and d.
func askProve(sh *shared, how Proving, s backup.Set) tea.Cmd {
	if why := sh.denied(); why != "" {
		return say(toneWarn, string(how), ": ", why)
	}
	words := proving[how]
	facts := [][2]string{
		{"Starts", words.unit},
		{"Backup", clean(s.ID)},
		{"Reads", readable.Size(s.StoredSize) + " from the bucket, which may cost money"},
	}
	if m := s.Manifest; how == ProveRestored && m != nil {
		facts = append(facts, [2]string{"Needs", "about " + readable.Size(m.Server.SizeBytes) + " of disk while it runs"})
	}
	act := sh.Write.Actions
	return sh.post(boxMsg{&dialog{
		shared: sh, title: words.title + orUnknown(s.Database), verb: words.verb,
		facts: append(facts, [2]string{"Time", proofTook(how, s)}, [2]string{"Shows", words.shows}),
		cli:   "sudo pgbtui " + string(how) + " " + sh.word(&s),
		do:    func(ctx context.Context) (Started, error) { return act.Prove(ctx, how, s) },
	}})
}

// proofTook is how long the last proof of this kind took.
func proofTook(how Proving, s backup.Set) string {
	for _, p := range s.Proofs { // newest first
		if p.Kind == string(how) && p.OK {
			return "last time " + readable.Took(p.FinishedAt.Sub(p.StartedAt))
		}
	}
	return "?"
}

// askRun is the dialog for starting now what a timer starts.
func askRun(sh *shared, t Timer) tea.Cmd {
	if why := sh.denied(); why != "" {
		return say(toneWarn, "run: ", why)
	}
	if job, ok := sh.jobNamed(t.Job); ok && t.Action == "prune" {
		return askRetention(sh, job) // what deletes is looked at first
	}
	act := sh.Write.Actions
	facts := [][2]string{{"Starts", clean(t.Service)}}
	if about := actionText[t.Action]; about != "" {
		facts = append(facts, [2]string{"Does", about})
	}
	return sh.post(boxMsg{&dialog{
		shared: sh, title: "Run " + timerTitle(t) + " now", verb: "Run",
		cli:   "systemctl start " + printable.ShellWord(t.Service),
		facts: append(facts, [2]string{"", "The timer itself stays as it is."}),
		do: func(ctx context.Context) (Started, error) {
			return act.Start(ctx, Service{Unit: t.Service, What: "run", Target: cmp.Or(t.Database, t.Job)})
		},
	}})
}

// askAgain is the dialog for starting a unit once more after its run ended.
func askAgain(sh *shared, r UnitRun) tea.Cmd {
	if job, ok := sh.jobNamed(r.Job); ok && r.Action == "prune" {
		return askRetention(sh, job)
	}
	act := sh.Write.Actions
	facts := [][2]string{
		{"Starts", clean(r.Unit)}, {"Last time", runMark(r.State).text() + because(sh.explained(r).Detail)},
	}
	if about := actionText[r.Action]; about != "" && r.Target == "" {
		facts = append(facts, [2]string{"Does", about})
	}
	return sh.post(boxMsg{&dialog{
		shared: sh, title: "Run the " + sh.runTitle(r) + " again", verb: "Run",
		cli: "systemctl reset-failed " + printable.ShellWord(r.Unit) + "; systemctl start " + printable.ShellWord(r.Unit),
		facts: append(facts,
			[2]string{"", "systemd's count of starts is cleared first, so that earlier failures do not stop it."}),
		do: func(ctx context.Context) (Started, error) {
			return act.Start(ctx, Service{Unit: r.Unit, What: "run again", Target: cmp.Or(r.Database, r.Job, r.Target)})
		},
	}})
}

// actionText says what runs by itself.
var actionText = map[string]string{
	"backup":     "backs the database up",
	"verify":     "reads back every backup that has no proof yet, and a part of an old one",
	"drill":      "restores the newest backup into a server of its own, compares, removes it",
	"prune":      "deletes the backups that no rule keeps",
	"alert test": "sends a test to every channel that alerts go to",
	"watch":      "checks whether every database can be recovered, and alerts",

	"cluster status": "looks at what can be recovered of each cluster, and writes it down",
}

// askHold is the tier 2 dialog for K: keep a set from retention, or let go of it again.
func askHold(sh *shared, s backup.Set) tea.Cmd {
	keeper := sh.Write.Holder
	if keeper == nil {
		return say(toneWarn, "hold: ", cmp.Or(sh.denied(), "not available here"))
	}
	d := &dialog{
		shared: sh, title: "Hold a backup of " + orUnknown(s.Database), verb: "Hold it", strict: true,
		cli: "sudo pgbtui hold " + sh.word(&s),
		facts: [][2]string{
			{"Backup", clean(s.ID)}, {"Then", "No rule deletes it until it is released. Whoever may delete objects still can."},
		},
		done: "held: " + clean(s.ID),
	}
	do := keeper.Hold
	if s.Hold != nil {
		d.title = "Release a backup of " +
			orUnknown(s.Database)
		d.verb = "Release it"
		d.cli = "sudo pgbtui unhold " + sh.word(&s)
		d.done = "released: " + clean(s.ID)
		do = keeper.Release
		d.facts = [][2]string{
			{"Backup", clean(s.ID)},
			{"Held", clean(s.Hold.String())},
			{"Then", "The next retention may delete it, if no rule keeps it."},
		}
	}
	d.do = func(ctx context.Context) (Started, error) { return Started{}, do(ctx, s, d.reason.text()) }
	return sh.post(boxMsg{d})
}

// askAcknowledge is the tier 2 dialog for A: somebody knows what is lost of a set.
func askAcknowledge(sh *shared, s backup.Set) tea.Cmd {
	holder := sh.Write.Holder
	if holder == nil {
		return say(toneWarn, "acknowledge: ", cmp.Or(sh.denied(), "not available here"))
	}
	if s.Loss() == "" {
		return say(toneWarn, "acknowledge: ", "no loss of this backup is known")
	}
	d := &dialog{
		shared: sh, title: "Acknowledge a loss of " + orUnknown(s.Database), verb: "Acknowledge it", strict: true,
		why: "needed, kept beside the backup",
		cli: "sudo pgbtui acknowledge " + sh.word(&s) + " --reason TEXT",
		facts: [][2]string{
			{"Backup", clean(s.ID)},
			{"Lost", clean(s.Loss())},
			{"Then", "It is no longer reported, until more of it is lost. The backup stays as it is: unusable."},
		},
		done: "acknowledged: " + clean(s.ID),
	}
	d.do = func(ctx context.Context) (Started, error) {
		if strings.TrimSpace(d.reason.text()) == "" {
			return Started{}, fault.New(fault.Usage, "no reason", "Say in a few words what happened to the backup.", nil)
		}
		return Started{}, holder.Acknowledge(ctx, s, d.reason.text())
	}
	return sh.post(boxMsg{d})
}

// askCancel is the tier 2 dialog for X.
func askCancel(sh *shared, r UnitRun) tea.Cmd {
	consequence := map[string]string{
		"backup":  "The upload is aborted; no backup comes of this run. Older backups stay.",
		"verify":  "The verification stops; the backup stays as it is, without new proof.",
		"drill":   "The drill stops and its server is removed; the backup stays as it is, without new proof.",
		"prune":   "What is deleted stays deleted; the rest stays until the next time.",
		"restore": "The restore stops; the half-filled new database stays until you drop it.",

		"cluster restore": "The restore stops; what there is of the copy is removed. The live cluster stays as it is.",
	}[r.Action]
	if r.Replaces {
		consequence = "The live database stays as it is, unless the names were swapped already; the copy beside it stays " +
			"until you drop it."
	}
	d := &dialog{
		shared: sh, title: "Cancel the " + sh.runTitle(r), no: "Let it run", verb: "Stop the run", strict: true,
		cli:   "systemctl stop " + printable.ShellWord(r.Unit),
		facts: [][2]string{{"Stops", clean(r.Unit)}, {"Then", cmp.Or(consequence, "The unit is stopped.")}},
	}
	d.do = func(ctx context.Context) (Started, error) {
		return Started{Unit: r.Unit}, sh.Write.Cancel.Cancel(ctx, r.Unit, d.reason.text())
	}
	return sh.post(boxMsg{d})
}
