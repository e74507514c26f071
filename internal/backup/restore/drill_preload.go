package restore

import (
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// A private server starts with what the set's extensions want of a server's start. What it cannot have is told, and
// what then fails is no word about the set.

// needsOfStart is asked before there is a server. What cannot be read of the set, the preparation names.
func (d *drilling) needsOfStart(ctx context.Context) scratch.Needs {
	needs := scratch.Needs{Database: d.req.To}
	if d.source.readContents(ctx, d.env) == nil && d.source.listed() {
		needs.Extensions = d.source.contents.Archive.Extensions()
		for _, p := range postgres.Meaningful(d.source.contents.Server) {
			if strings.EqualFold(p.Name, preloadParameter) {
				needs.Libraries = postgres.PlainLibraries(p.Value)
			}
		}
		return needs
	}
	var p part // a dump of the old script
	if d.source.set.Manifest == nil && d.readHead(ctx, &p) == nil && p.head != nil {
		needs.Extensions = p.head.Extensions()
	}
	return needs
}

const preloadParameter = "shared_preload_libraries"

func (d *drilling) lacks(what []string) {
	if len(what) == 0 {
		return
	}
	d.unlike = append(d.unlike, what...)
	d.doesNotProve("what depends on libraries that the drill's server could not load at its start: " +
		strings.Join(backup.Shorten(what), "; "))
}

// ofExtension is the extension that could not be created, or "".
func ofExtension(exit *postgres.ExitError) string {
	for _, object := range exit.Objects() {
		if name, is := strings.CutPrefix(object, "EXTENSION "); is {
			return name
		}
	}
	return ""
}

// extensionNotHere: what creates an extension is a script of the host's packages, of which a set has nothing.
func extensionNotHere(name string, err error) error {
	return fault.New(fault.Refused,
		"drill: the drill's server cannot create extension "+postgres.QuoteIdent(name)+
			", which says nothing about the set and is not recorded",
		"Install the extension's package as the source's host has it, or name a server like the source's for drills "+
			"(drill.server).", err)
}
