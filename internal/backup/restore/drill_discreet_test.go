package restore

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestTheProofOfAnEncryptedSetNamesNothingThatIsEncrypted(t *testing.T) {
	p := discreet(backup.Proof{
		Error: "drill: public.secret_table differs", Warnings: []string{`role "secret_role" has no grant`}, NotProven: []string{"owners and grants: secret_role", "rows"},
	})
	for _, text := range append(append(p.Warnings, p.NotProven...), p.Error) {
		if strings.Contains(text, "secret") {
			t.Error(text)
		}
	}
	if p.Error == "" || len(p.Warnings) != 1 || !slices.Equal(p.NotProven, []string{"owners and grants", "rows"}) {
		t.Errorf("%+v", p)
	}
}
