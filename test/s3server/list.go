package s3server

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

const maxListed = 1000

// listAsk is what a listing is asked for.
type listAsk struct {
	prefix, delimiter string
	after             string // keys up to and with this one are left out
	skipGroup         bool   // after is a common prefix: leave its keys out too
	max               int
	emptied           bool // folders without objects count too
}

// listPage is one page: keys and common prefixes together count against max.
type listPage struct {
	keys     []string
	prefixes []string
	last     string // the last key or common prefix on the page
	more     bool
}

// listKeys pages through sorted keys.
func listKeys(keys []string, ask listAsk) listPage {
	var page listPage
	i := sort.Search(len(keys), func(i int) bool { return keys[i] >= ask.prefix && (ask.after == "" || keys[i] > ask.after) })
	for i < len(keys) && strings.HasPrefix(keys[i], ask.prefix) {
		group := groupOf(keys[i], ask)
		if group != "" && ask.skipGroup && group == ask.after {
			i = pastPrefix(keys, i, group)
			continue
		}
		if len(page.keys)+len(page.prefixes) == ask.max {
			page.more = ask.max > 0
			return page
		}
		if group == "" {
			page.keys, page.last = append(page.keys, keys[i]), keys[i]
			i++
			continue
		}
		page.prefixes, page.last = append(page.prefixes, group), group
		i = pastPrefix(keys, i, group)
	}
	return page
}

// groupOf is the common prefix that a key is rolled up into, or "".
func groupOf(key string, ask listAsk) string {
	if ask.delimiter == "" {
		return ""
	}
	if at := strings.Index(key[len(ask.prefix):], ask.delimiter); at >= 0 {
		return key[:len(ask.prefix)+at+len(ask.delimiter)]
	}
	return ""
}

// pastPrefix is the index of the first key from i on without the prefix.
func pastPrefix(keys []string, i int, prefix string) int {
	return i + sort.Search(len(keys)-i, func(j int) bool { return !strings.HasPrefix(keys[i+j], prefix) })
}

type prefixXML struct {
	Prefix string
}

type listXML struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	Prefix                string
	Marker                *string `xml:",omitempty"`
	NextMarker            string  `xml:",omitempty"`
	StartAfter            string  `xml:",omitempty"`
	ContinuationToken     string  `xml:",omitempty"`
	NextContinuationToken string  `xml:",omitempty"`
	KeyCount              *int    `xml:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []byte `xml:",innerxml"` // see appendContent: there may be very many pages
	CommonPrefixes        []prefixXML
}

// listObjects serves both versions of the call.
func (s *Server) listObjects(c *call) error {
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
	v2 := c.op == OpListObjectsV2
	ask.after, ask.skipGroup = c.query.Get("marker"), true
	if v2 {
		if ask.after, ask.skipGroup, err = c.listFrom(); err != nil {
			return err
		}
	}
	ask.emptied = s.opt.Habits.EmptiedStay
	page, contents := b.list(ask)
	out := listXML{
		Name: c.bucket, Prefix: encode(ask.prefix), MaxKeys: ask.max, Delimiter: encode(ask.delimiter),
		EncodingType: c.query.Get("encoding-type"), IsTruncated: page.more,
	}
	out.Contents = make([]byte, 0, contentBytes*len(contents))
	for _, o := range contents {
		out.Contents = s.appendContent(out.Contents, c, o, encode)
	}
	for _, p := range page.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{encode(p)})
	}
	if v2 {
		c.fillV2(&out, page, encode)
	} else {
		fillV1(&out, page, encode(ask.after), encode)
	}
	return c.writeXML(http.StatusOK, out)
}

// list takes a page and its objects in one look at the bucket.
func (b *bucket) list(ask listAsk) (listPage, []*object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	page := listKeys(b.listed(ask), ask)
	objects := make([]*object, len(page.keys))
	for i, key := range page.keys {
		objects[i] = b.objects[key]
	}
	return page, objects
}

// contentBytes is about what one element takes.
const contentBytes = 384

// appendContent writes one object's element, in a fraction of the time that encoding/xml takes.
func (s *Server) appendContent(to []byte, c *call, o *object, encode func(string) string) []byte {
	to = append(to, "<Contents><Key>"...)
	to = appendText(to, encode(o.Key))
	to = append(to, "</Key><LastModified>"...)
	to = o.Modified.UTC().AppendFormat(to, xmlTimeForm)
	to = append(to, "</LastModified><ETag>&quot;"...)
	to = appendText(to, o.ETag)
	to = append(to, "&quot;</ETag>"...)
	for _, a := range algorithms() { // in their order, and there is one as a rule
		if _, kept := o.Sum[a]; kept {
			to = appendElement(to, "ChecksumAlgorithm", string(a))
		}
	}
	if o.SumType != "" {
		to = appendElement(to, "ChecksumType", o.SumType)
	}
	to = append(to, "<Size>"...)
	to = strconv.AppendInt(to, o.Size, 10)
	to = append(to, "</Size>"...)
	if c.op == OpListObjects || c.query.Get("fetch-owner") == "true" {
		to = append(to, "<Owner>"...)
		to = appendElement(to, "ID", s.opt.Owner)
		to = appendElement(to, "DisplayName", s.opt.Owner)
		to = append(to, "</Owner>"...)
	}
	to = appendElement(to, "StorageClass", classOrStandard(o.Class))
	return append(to, "</Contents>"...)
}

func appendElement(to []byte, name, text string) []byte {
	to = append(append(append(to, '<'), name...), '>')
	to = appendText(to, text)
	return append(append(append(to, "</"...), name...), '>')
}

// appendText escapes what has to be.
func appendText(to []byte, text string) []byte {
	for i := range len(text) {
		if ch := text[i]; ch < ' ' || ch > '~' || ch == '<' || ch == '>' || ch == '&' || ch == '"' || ch == '\'' {
			var escaped bytes.Buffer
			_ = xml.EscapeText(&escaped, []byte(text)) // a buffer takes everything
			return append(to, escaped.Bytes()...)
		}
	}
	return append(to, text...)
}

func (c *call) fillV2(out *listXML, page listPage, encode func(string) string) {
	count := len(page.keys) + len(page.prefixes)
	out.KeyCount = &count
	out.StartAfter = encode(c.query.Get("start-after"))
	out.ContinuationToken = c.query.Get("continuation-token")
	if page.more {
		out.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(page.last))
	}
}

// fillV1: S3 gives NextMarker only for listings with a delimiter.
func fillV1(out *listXML, page listPage, marker string, encode func(string) string) {
	out.Marker = &marker
	if page.more && out.Delimiter != "" {
		out.NextMarker = encode(page.last)
	}
}

// listFrom is where a V2 listing starts: a token wins over start-after.
func (c *call) listFrom() (after string, skipGroup bool, err error) {
	if !c.query.Has("continuation-token") {
		if c.s.opt.NoStartAfter {
			return "", false, nil
		}
		return c.query.Get("start-after"), false, nil
	}
	raw, err := base64.URLEncoding.DecodeString(c.query.Get("continuation-token"))
	if err != nil || len(raw) == 0 {
		return "", false, invalidArgument("The continuation token provided is incorrect")
	}
	return string(raw), true, nil
}

func (c *call) listAsk(maxName string) (listAsk, error) {
	ask := listAsk{prefix: c.query.Get("prefix"), delimiter: c.query.Get("delimiter"), max: c.s.opt.PageKeys}
	if text := c.query.Get(maxName); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return ask, invalidArgument("Argument %s must be an integer between 0 and 2147483647", maxName)
		}
		ask.max = min(n, c.s.opt.PageKeys)
	}
	return ask, nil
}

// encoding is how keys are written in the answer: plain, or percent-encoded when asked, since XML
// cannot hold every key.
func (c *call) encoding() (func(string) string, error) {
	switch c.query.Get("encoding-type") {
	case "":
		return func(s string) string { return s }, nil
	case "url":
		return func(s string) string { return uriEncode(s, true) }, nil
	}
	return nil, invalidArgument("Invalid Encoding Method specified in Request")
}

func classOrStandard(class string) string {
	if class == "" {
		return "STANDARD"
	}
	return class
}
