package restore

import (
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The copy of a drill has what the source's server was set to, where that changes what text means. Otherwise a set
// that restores where it came from would fail its drill, or pass it with other values.

// likeSource gives it to the copy alone: nothing else in a named server changes.
func (d *drilling) likeSource(ctx context.Context) error {
	settings := d.settings()
	if settings == nil {
		return nil
	}
	problems, err := d.target.server.ApplyParameters(ctx, d.req.To, settings.FromServer(d.source.contents.Server))
	if d.unlike = append(d.unlike, problems...); len(problems) > 0 {
		d.doesNotProve("what depends on settings that the source's server has and the drill's refuses: " +
			strings.Join(backup.Shorten(problems), "; "))
	}
	return err
}

// unlikeSource is a failure of which nobody can say whether it is the set's.
func (d *drilling) unlikeSource(err error) error {
	return fault.New(fault.Refused,
		"drill: the dump does not restore into a server that differs from the source's: "+
			strings.Join(backup.Shorten(d.unlike), "; "),
		"Install what is named on this host (`locale-gen` makes a locale), or name a server like the source's for drills "+
			"(drill.server).", err)
}
