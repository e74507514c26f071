package s3server

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// versionMarker is where a listing of versions goes on: behind a key, or behind one version of it.
type versionMarker struct {
	key, version string
}

type versionXML struct {
	XMLName      xml.Name
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64 `xml:",omitempty"`
	StorageClass string `xml:",omitempty"`
	Owner        ownerXML
}

type versionsXML struct {
	XMLName             xml.Name `xml:"ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	IsTruncated         bool
	Entries             []versionXML // Version and DeleteMarker, in one order
	CommonPrefixes      []prefixXML
}

// listVersions serves ListObjectVersions: by key, and of one key the newest version first.
func (s *Server) listVersions(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	ask, err := c.listAsk("max-keys")
	if err != nil {
		return err
	}
	encode, err := c.encoding()
	if err != nil {
		return err
	}
	from := versionMarker{c.query.Get("key-marker"), c.query.Get("version-id-marker")}
	if from.version != "" && from.key == "" {
		return invalidArgument("A version-id marker cannot be specified without a key marker.")
	}
	page := b.versionPage(ask, from)
	out := versionsXML{
		Name: c.bucket, Prefix: encode(ask.prefix), KeyMarker: encode(from.key), VersionIDMarker: from.version,
		MaxKeys: ask.max, Delimiter: encode(ask.delimiter), EncodingType: c.query.Get("encoding-type"), IsTruncated: page.more,
	}
	if page.more {
		out.NextKeyMarker, out.NextVersionIDMarker = encode(page.last.key), page.last.version
	}
	for _, v := range page.versions {
		out.Entries = append(out.Entries, s.versionEntry(v, encode))
	}
	for _, p := range page.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{encode(p)})
	}
	return c.writeXML(http.StatusOK, out)
}

// listedVersion is one version, and whether it is its key's newest.
type listedVersion struct {
	*object
	latest bool
}

func (s *Server) versionEntry(v listedVersion, encode func(string) string) versionXML {
	e := versionXML{
		XMLName: xml.Name{Local: "DeleteMarker"}, Key: encode(v.Key), VersionID: v.Version, IsLatest: v.latest,
		LastModified: xmlTime(v.Modified), Owner: ownerXML{s.opt.Owner, s.opt.Owner},
	}
	if !v.Marker {
		e.XMLName.Local, e.ETag, e.Size, e.StorageClass = "Version", quote(v.ETag), &v.Size, classOrStandard(v.Class)
	}
	return e
}

// versionsPage is one page: versions and common prefixes together count against max.
type versionsPage struct {
	versions []listedVersion
	prefixes []string
	last     versionMarker
	more     bool
}

func (b *bucket) versionPage(ask listAsk, from versionMarker) (page versionsPage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := func() bool {
		page.more = len(page.versions)+len(page.prefixes) == ask.max
		return page.more
	}
	if ask.max == 0 {
		return page
	}
	for _, key := range slices.Sorted(maps.Keys(b.history)) {
		group := ""
		if strings.HasPrefix(key, ask.prefix) {
			group = groupOf(key, ask)
		}
		switch {
		case !strings.HasPrefix(key, ask.prefix), key < from.key, group != "" && group == page.last.key, group != "" && group == from.key:
			continue
		case group != "":
			if full() {
				return page
			}
			page.prefixes, page.last = append(page.prefixes, group), versionMarker{key: group}
			continue
		}
		for _, v := range b.following(key, from) {
			if full() {
				return page
			}
			page.versions, page.last = append(page.versions, v), versionMarker{key, v.Version}
		}
	}
	page.more = false
	return page
}

// following are a key's versions behind the marker.
func (b *bucket) following(key string, from versionMarker) (rest []listedVersion) {
	all := b.history[key]
	skip := 0
	if key == from.key {
		skip = len(all)
		if at := slices.IndexFunc(all, func(o *object) bool { return o.Version == from.version }); at >= 0 {
			skip = at + 1
		}
	}
	for i, o := range all[skip:] {
		rest = append(rest, listedVersion{o, skip+i == 0})
	}
	return rest
}
