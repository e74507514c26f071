package restore

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAPreflightKeepsTheCodeOfASingleFault(t *testing.T) {
	soon := failsWith("spool", fault.New(fault.NoSpace, "full", "free it", nil))
	for name, c := range map[string]struct {
		checks []Check
		want   fault.Code
	}{
		"nothing":         {[]Check{passes("a", ""), warns("b", "", "")}, fault.OK},
		"that alone":      {[]Check{passes("a", ""), soon}, fault.NoSpace},
		"with another":    {[]Check{soon, fails("b", "wrong", "mend it")}, fault.Refused},
		"of another kind": {[]Check{fails("b", "wrong", "mend it")}, fault.Refused},
	} {
		err := refusal("restore", c.checks)
		if fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		for _, check := range c.checks {
			if !check.OK && (!strings.Contains(err.Error(), check.Detail) || !strings.Contains(fault.Remedy(err), check.Remedy)) {
				t.Errorf("%s: %v lacks %+v", name, err, check)
			}
		}
	}
}
