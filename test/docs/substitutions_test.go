package docs

import (
	"strings"
	"testing"
)

// substitution is what a reader would replace by something of theirs. It must occur: one that no
// page needs any more is an error.
type substitution struct {
	shown string
	why   string
	real  func(t testing.TB, h *host) string
}

// substitutions is the one table of them. Everything else in the examples is used as it stands:
// the host's name, database, bucket, region and access key of the pages are those of the lab.
func substitutions() []substitution {
	return []substitution{
		{"make build\n", "the test has built it, and the lab has no checkout", literal("")},
		{"  bucket: company-backups\n", "the lab's store is not AWS", literal("  bucket: company-backups\n  endpoint: " + storeURL + "\n")},
		{" --region eu-central-1", "the same", literal(" --region eu-central-1 --endpoint " + storeURL)},
		{"20261123T020412Z-3f9c1a", "the set that is there", func(t testing.TB, h *host) string { return h.newestSet(t, false) }},
		{"20261124T021155Z-b07d55", "the encrypted set that is there", func(t testing.TB, h *host) string { return h.newestSet(t, true) }},
		{"age1ql0fdr57u75dw07pdzz9p9kc3xzzjmtrwt7w6tmyq9lyuchswv7s7a3gt6", "the key made by the block before", func(t testing.TB, h *host) string {
			return strings.TrimSpace(h.lab.Run(t, "root", "age-keygen", "-y", "/root/pgbtui-age.key"))
		}},
	}
}

func literal(text string) func(testing.TB, *host) string {
	return func(testing.TB, *host) string { return text }
}

// substitute replaces what occurs in text and remembers that it did.
func (h *host) substitute(t testing.TB, text string) string {
	t.Helper()
	for _, s := range substitutions() {
		if strings.Contains(text, s.shown) {
			h.used[s.shown] = true
			text = strings.ReplaceAll(text, s.shown, s.real(t, h))
		}
	}
	return text
}
