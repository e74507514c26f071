package systemd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAUnitFileIsReadAsSystemdReadsIt(t *testing.T) {
	long := strings.Repeat("x", 5000)
	user := setting{section: "Service", key: "User", value: "x"}
	for _, c := range []struct {
		name, text string
		want       []setting
	}{
		{
			name: "a comment within a continued line", text: "[Service]\nEnvironment=A=1 \\\n  # why\n  B=2\nUser=x\n",
			want: []setting{{section: "Service", key: "Environment", value: "A=1  B=2"}, user},
		},
		{name: "a line that is no assignment", text: "[Service]\nthis is none\nUser=x\n", want: []setting{user}},
		{
			name: "a long line", text: "[Service]\nEnvironment=" + long + "\nUser=x\n",
			want: []setting{{section: "Service", key: "Environment", value: long}, user},
		},
		{name: "a section's name in a comment", text: "# see [Unit]\n[Service]\r\nUser=x\n", want: []setting{user}},
		{name: "a byte order mark", text: "\ufeff[Service]\nUser=x\n", want: []setting{user}},
		{name: "blanks around everything", text: " [Service] \n\tUser = x \n", want: []setting{user}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, parseUnit(c.text), cmp.AllowUnexported(setting{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
