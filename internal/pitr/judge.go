package pitr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// Problem is something that is wrong with a cluster, with what to do about it.
type Problem struct {
	Kind   ProblemKind `json:"kind"`
	What   string      `json:"what"`
	Remedy string      `json:"remedy"`
}

// ProblemKind names what is wrong, for programs.
type ProblemKind string

// The kinds.
const (
	ProblemRepository  ProblemKind = "repository"   // it cannot be read
	ProblemOtherServer ProblemKind = "other-server" // the repository is of another one
	ProblemLostBackup  ProblemKind = "lost-backup"  // what the engine lists is not there
	ProblemNoBackup    ProblemKind = "no-backup"    // WAL alone recovers nothing
	ProblemOldBackup   ProblemKind = "old-backup"
	ProblemBadPages    ProblemKind = "bad-pages"
	ProblemGap         ProblemKind = "gap"
	ProblemDropped     ProblemKind = "dropped-wal" // the server believes that it is archived
	ProblemLag         ProblemKind = "archive-lag"
	ProblemArchiver    ProblemKind = "archiver"
	ProblemArchiveOff  ProblemKind = "archive-off"
	ProblemStopped     ProblemKind = "stopped"
	ProblemServer      ProblemKind = "server" // it does not answer
)

func (w Words) unreadable(err error) Problem {
	return Problem{
		Kind: ProblemRepository, What: "the repository cannot be read: " + err.Error(),
		Remedy: cmp.Or(fault.Remedy(err), "Look at the store, and at what `"+w.Listing+"` says."),
	}
}

func (w Words) otherServer(stored, live string) Problem {
	return Problem{
		Kind: ProblemOtherServer,
		What: fmt.Sprintf("the repository is of the server with system identifier %s, and this one has %s",
			printable.Text(stored), printable.Text(live)),
		Remedy: w.OtherServer,
	}
}

// LostBackup is a base backup that the engine lists and that nothing can be recovered from. lost is what is missing of
// it: itself, or one that it builds on.
func (w Words) LostBackup(label, lost string) Problem {
	what := "the files of base backup " + label + " are not in the repository, though " + w.Name + " lists it"
	if lost != label {
		what = "base backup " + label + " builds on " + lost + ", which is not in the repository any more"
	}
	return Problem{
		Kind: ProblemLostBackup, What: what,
		Remedy: "Look who deletes below the repository's path (lifecycle rules, people), and make a full backup: " +
			"`pgbtui cluster backup --type full`.",
	}
}

func (w Words) dropped(believed, last string) Problem {
	return Problem{
		Kind:   ProblemDropped,
		What:   "the server takes WAL up to " + believed + " for archived, and the repository ends with " + last,
		Remedy: "Make a backup, from which on the cluster can be recovered again. " + w.Dropped,
	}
}

// judge says what is wrong with a state that was found out.
func (s State) judge(c config.Cluster, w Words, serverErr error) (all []Problem) {
	add := func(kind ProblemKind, what, remedy string) {
		all = append(all, Problem{Kind: kind, What: what, Remedy: remedy})
	}
	all = append(all, s.judgeArchiver(c, serverErr)...)
	for _, gap := range s.Gaps {
		add(ProblemGap, gap.text(), "Make a backup if there is none after it yet, and find out why these segments are "+
			"missing: "+w.Loses+".")
	}
	readable := !s.unread()
	switch newest, ok := s.Newest(); {
	case !readable:
	case !ok && s.Segments > 0:
		add(ProblemNoBackup, "WAL is archived, and no whole base backup is there: nothing can be recovered",
			"Make one: `pgbtui cluster backup --type full`.")
	case !ok:
		add(ProblemNoBackup, "there is no base backup: nothing can be recovered",
			"Make one: `pgbtui cluster backup --type full`.")
	default:
		all = append(all, s.judgeBackups(c, w, newest)...)
	}
	return all
}

func (s State) judgeBackups(c config.Cluster, w Words, newest Window) (all []Problem) {
	last := newest.Backups[len(newest.Backups)-1]
	for _, b := range s.Held.Backups {
		if b.Label == last && s.At.Sub(b.Stopped) > c.BaseWithin {
			all = append(all, Problem{
				Kind: ProblemOldBackup,
				What: fmt.Sprintf("the newest base backup is %s old, more than base_within (%s)",
					readable.Age(s.At.Sub(b.Stopped)), readable.Age(c.BaseWithin)),
				Remedy: "Make one, `pgbtui cluster backup`, and look at what should have: a recovery replays all WAL since.",
			})
		}
		if b.BadPages {
			all = append(all, Problem{
				Kind:   ProblemBadPages,
				What:   "base backup " + b.Label + " has pages with a wrong checksum: they were damaged in the database itself",
				Remedy: w.BadPages(b.Label) + " Keep an older backup, and repair or restore the table.",
			})
		}
	}
	return all
}

func (s State) judgeArchiver(c config.Cluster, serverErr error) (all []Problem) {
	add := func(kind ProblemKind, what, remedy string) {
		all = append(all, Problem{Kind: kind, What: what, Remedy: remedy})
	}
	a := s.Archiver
	switch {
	case a == nil && serverErr != nil:
		add(ProblemServer, "the server does not answer: "+serverErr.Error(), fault.Remedy(serverErr))
	case a == nil:
	case a.Mode == "off" || a.InRecovery && a.Mode != "always":
		add(ProblemArchiveOff, "the server archives no WAL: archive_mode is "+a.Mode,
			"Set archive_mode = on and restart PostgreSQL; docs/pitr.md has the settings.")
	case a.Command == "" && a.Library == "", a.Command == "(disabled)":
		add(ProblemArchiveOff, "the server archives no WAL: archive_command is not set",
			"Set it as docs/pitr.md says, and reload PostgreSQL.")
	case a.Failing():
		add(ProblemArchiver, fmt.Sprintf("the server's archiver fails: %s since %s, %d segments wait",
			printable.Text(a.FailedName), a.FailedAt.UTC().Format(time.DateTime), s.Ready),
			"Look at the server's log for what archive_command says, and run `pgbtui cluster check`.")
	}
	switch loss, known := s.Loss(); {
	case s.Unarchived != nil && s.Unarchived.Gone:
		add(ProblemDropped, "WAL behind the end of the archive is not on the server any more: it is lost to recovery",
			"Make a backup now: `pgbtui cluster backup`. From its end on the cluster can be recovered again.")
	case known && loss > c.RPO:
		remedy := "Look why WAL does not reach the archive: `pgbtui cluster check`."
		if s.Ready == 0 && a != nil && a.Timeout == 0 {
			remedy = "Set archive_timeout (such as 60s): without it a segment waits until it is full."
		}
		add(ProblemLag, fmt.Sprintf("%s of commits are not in the archive, more than rpo (%s)",
			readable.Age(loss), readable.Age(c.RPO)), remedy)
	}
	return all
}

func (g Gap) text() string {
	named := strings.Join(g.Segments, ", ")
	if g.Missing > len(g.Segments) {
		named += ", …"
	}
	until := "there is no backup behind it yet"
	if !g.To.IsZero() {
		until = "to " + g.To.Format(time.DateTime)
	}
	return fmt.Sprintf("%d segments of WAL are missing (%s): nothing can be recovered from %s on, %s",
		g.Missing, named, g.From.Format(time.DateTime), until)
}

// Text is the state in one line: which moments can be recovered, and which between cannot.
func (s State) Text() string {
	if s.unread() {
		return "what can be recovered is not known"
	}
	if len(s.Windows) == 0 {
		return "nothing can be recovered"
	}
	text := "any second from " + s.Windows[0].After.Format(time.DateTime) + " to " +
		s.Windows[len(s.Windows)-1].Until.Format(time.DateTime) + " UTC"
	for _, g := range s.Gaps {
		if !g.To.IsZero() {
			text += ", gap " + g.From.Format(time.DateTime) + "–" + g.To.Format(time.DateTime)
		}
	}
	return text
}

// unread reports whether nothing is known of what the repository holds: then nothing is said of it, neither good nor
// bad.
func (s State) unread() bool {
	return slices.ContainsFunc(s.Problems, func(p Problem) bool {
		return p.Kind == ProblemRepository || p.Kind == ProblemOtherServer
	})
}

// LossText is what would be lost with this host, as a sentence.
func (s State) LossText(cluster string) string {
	const before = "If this host died now you would lose "
	switch loss, known := s.Loss(); {
	case s.unread():
		return "How much of " + cluster + " would be lost with this host is not known."
	case len(s.Windows) == 0:
		return before + "all of " + cluster + ": there is no base backup to recover from."
	case !known:
		return "How much of " + cluster + " would be lost with this host is not known."
	case s.Unarchived.Since == nil:
		return before + "nothing of " + cluster + "."
	default:
		count := fmt.Sprint(s.Unarchived.Commits)
		if s.Unarchived.Commits >= mostCommits {
			count += " or more"
		}
		return fmt.Sprintf("%s%s of %s (%s commits, %d segments wait).", before, readable.Age(loss), cluster, count, s.Ready)
	}
}
