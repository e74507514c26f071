// Sets in an archive class: what the screens say of them, and the dialog that thaws one.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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

// askThaw is the tier 2 dialog for T: it asks by which tier, with what each costs and takes.
func askThaw(sh *shared, s backup.Set) tea.Cmd {
	thawer := sh.Write.Thawer
	if thawer == nil {
		return say(toneWarn, "thaw: ", cmp.Or(sh.denied(), "not available here"))
	}
	looks := thawer.Outlooks(s)
	at := max(0, slices.IndexFunc(looks, func(l ThawOutlook) bool { return l.Tier == usualTier }))
	d := &dialog{
		shared: sh, title: "Thaw a backup of " + orUnknown(s.Database), verb: "Thaw it", strict: true,
		done: "asked for: " + clean(s.ID),
		do: func(ctx context.Context) (Started, error) {
			return Started{}, thawer.Thaw(ctx, s, looks[at].Tier)
		},
	}
	d.turn = func(d *dialog, by int) {
		at = (at + by + len(looks)) % len(looks)
		d.facts = thawFacts(&s, looks, at)
		d.cli = "pgbtui thaw " + sh.word(&s) + " " + looks[at].CLI
	}
	d.turn(d, 0)
	return sh.post(boxMsg{d})
}

// text is a tier with its price and time.
func (l ThawOutlook) text() string {
	cost := "price not known"
	if l.Known {
		cost = "about " + usd(l.USD)
	}
	return l.Tier + ": " + cost + ", " + l.Takes + ", by AWS"
}

// usualTier is the one that is chosen first.
const usualTier = "standard"

// thawFacts are all tiers, the chosen one marked.
func thawFacts(s *backup.Set, looks []ThawOutlook, at int) [][2]string {
	facts := [][2]string{{"Backup", clean(s.ID)}, {"Archived", "in " + clean(s.Class)}}
	for i, look := range looks {
		text, label := "  ", ""
		if i == at {
			text = "> "
		}
		if i == 0 {
			label = "Tier"
		}
		facts = append(facts, [2]string{label, text + look.text()})
	}
	then := fmt.Sprintf("A copy can be read for %d days; R restores it then. Nothing of the backup changes. Transfer out "+
		"of the region costs besides.", looks[at].Days)
	return append(facts, [2]string{"Then", then})
}

// usd is a price. What is less than a cent is not nothing.
func usd(v float64) string {
	if v > 0 && v < 0.01 {
		return "<$0.01"
	}
	return fmt.Sprintf("$%.2f", v)
}
