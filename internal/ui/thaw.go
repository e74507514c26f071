// Sets in an archive class: what the screens say of them, and the dialog that thaws one.

package ui

import (
	"cmp"
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// archiveText is how a set of an archive class stands.
func archiveText(sh *shared, s *backup.Set) string {
	switch s.Archive.State {
	case backup.Archived:
		return "in " + s.Class + ", cannot be read: T thaws it"
	case backup.Thawing:
		return "in " + s.Class + ", being thawed, which takes hours"
	case backup.Thawed:
		return "in " + s.Class + ", a copy can be read until " + when(sh.Zone, s.Archive.Until)
	case backup.ArchiveUnknown:
	}
	return s.Archive.Text()
}

// archiveWord is what a filter finds a set of an archive class by.
func archiveWord(s *backup.Set) string {
	if s.Archive.State == "" {
		return ""
	}
	return " archive:" + string(s.Archive.State)
}

// askThaw is the tier 2 dialog for T.
func askThaw(sh *shared, s backup.Set) tea.Cmd {
	thawer := sh.Write.Thawer
	if thawer == nil {
		return say(toneWarn, "thaw: ", cmp.Or(sh.denied(), "not available here"))
	}
	look := thawer.Outlook(s)
	cost := "?  no price is known for this store and class"
	if look.Known {
		cost = "about " + usd(look.USD) + ", and transfer if it is read outside the region"
	}
	then := fmt.Sprintf("A copy can be read for %d days; R restores it then. Nothing of the backup changes.", look.Days)
	return sh.post(boxMsg{&dialog{
		shared: sh, title: "Thaw a backup of " + orUnknown(s.Database), verb: "Thaw it", strict: true,
		cli: "pgbtui thaw " + sh.word(&s) + " " + look.CLI,
		facts: [][2]string{
			{"Backup", clean(s.ID)},
			{"Archived", "in " + clean(s.Class)},
			{"Costs", cost},
			{"Takes", look.Takes + ", by AWS"},
			{"Then", then},
		},
		done: "asked for: " + clean(s.ID),
		do:   func(ctx context.Context) (Started, error) { return Started{}, thawer.Thaw(ctx, s) },
	}})
}

// usd is a price. What is less than a cent is not nothing.
func usd(v float64) string {
	if v > 0 && v < 0.01 {
		return "<$0.01"
	}
	return fmt.Sprintf("$%.2f", v)
}
