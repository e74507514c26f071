package backup

import (
	"cmp"
	"slices"
	"strings"
)

// Kept are the manifests of this place among the documents that this user keeps, the newest run first. The bucket is
// not asked: some of their sets may be gone, and newer ones are not among them. So this is for offering names to
// whoever types one, and for nothing that is decided.
func (c *Catalogue) Kept() []*Manifest {
	folder := openCacheFolder(c.cacheDir)
	if folder == nil {
		return nil
	}
	defer folder.close()
	var found []*Manifest
	for _, name := range folder.names() {
		if !strings.HasPrefix(name, c.cachePlace()+"-") {
			continue
		}
		for e := range cacheEntries(folder.read(name), name) {
			if e.key.name != ManifestName {
				continue
			}
			if m, err := parseManifest(e.raw); err == nil && m.ID == e.key.id && isID(m.ID) {
				found = append(found, m)
			}
		}
	}
	slices.SortFunc(found, func(a, b *Manifest) int {
		return cmp.Or(cmp.Compare(b.ID, a.ID), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Database, b.Database))
	})
	return found
}
