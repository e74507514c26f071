package installed

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// Somebody with the bucket's keys puts well-formed sets beside those that are signed.

const signingKey = "/etc/pgbtui/secret/signing.pem"

func (h *host) forgedSetIsNotRestored(t *testing.T) {
	h.signs(t)
	defer h.configure(t, configuration, secretKey)
	h.begin(t, shopUnit)
	h.ends(t, shopUnit, "success", "0")
	signed := h.setsOf(t, "shop")[0].ID
	altered := h.forges(t, "shop", signed, time.Now().Add(-2*time.Minute), "signature")
	unsigned := h.forges(t, "shop", signed, time.Now().Add(-time.Minute))

	list := h.lab.Run(t, operator, "pgbtui", "list")
	for id, word := range map[string]string{signed: "ok", altered: "FORGED: ", unsigned: "UNSIGNED: "} {
		if _, rest, ok := strings.Cut(list, id); !ok || !strings.Contains(strings.SplitN(rest, "\n", 2)[0], word) {
			t.Errorf("%s is not shown as %q:\n%s", id, word, list)
		}
	}
	if code, said := h.refused(t, operator, "pgbtui", "status", "--job=shop"); code != 3 || !strings.Contains(said, "set "+altered+" is forged") {
		t.Errorf("status: exit %d\n%s", code, said)
	}
	for id, why := range map[string]string{altered: "does not fit", unsigned: "nobody signed it"} {
		unit := h.ask(t, "forged-"+id, request.Restore{Set: id, Request: restore.Request{To: "shop_forged"}})
		h.ends(t, unit, "exit-code", "4")
		if said := h.lastLines(t, unit); !strings.Contains(said, why) {
			t.Errorf("%s is refused without its reason %q:\n%s", id, why, said)
		}
	}
	if n := h.sql(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = 'shop_forged'"); n != "0" {
		t.Error("a database was made of a forged set")
	}
	unit := h.ask(t, "signed", request.Restore{Set: signed, Request: restore.Request{To: "shop_signed"}})
	h.ends(t, unit, "success", "0")
}

// signs gives the backups of shop a private key, and everybody its public one.
func (h *host) signs(t *testing.T) {
	t.Helper()
	h.secret(t, signingKey, h.root(t, "openssl", "genpkey", "-algorithm", "ed25519"))
	public := strings.Split(h.root(t, "openssl", "pkey", "-in", signingKey, "-pubout"), "\n")[1]
	h.configure(t, configuration+"signing: {public_keys: ["+public+"]}\n", secretKey)
	h.dropIn(t, shopUnit, "[Service]\nLoadCredential=signing-key:"+signingKey+"\n")
}
