package main

import (
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// catalogue reads the sets of a job's place, with what this user has kept of their documents.
func (p *program) catalogue(bucket *s3.Bucket, job config.Job) *backup.Catalogue {
	return backup.NewCatalogue(bucket, job).KeepIn(p.cacheDir())
}

// cacheDir is where documents are kept that were read: below a unit's StateDirectory=, by hand in the user's
// cache. "" is nowhere, as for system users, who have no home.
func (p *program) cacheDir() string {
	if state := p.getenv("STATE_DIRECTORY"); state != "" {
		return filepath.Join(state, "documents")
	}
	if base := p.getenv("XDG_CACHE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "pgbtui")
	}
	home := p.getenv("HOME")
	if info, err := os.Stat(home); err != nil || !info.IsDir() || !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(home, ".cache", "pgbtui")
}
