package config

import (
	"strings"
	"testing"
)

func TestAPatternOfTablesTakesStrangeNamesLiterally(t *testing.T) {
	for pattern, c := range map[string]struct {
		program string
		is, not [2]string
	}{
		"orders":             {`*."orders"`, [2]string{"any", "orders"}, [2]string{"any", "Orders"}},
		"sales.orders":       {`"sales"."orders"`, [2]string{"sales", "orders"}, [2]string{"crm", "orders"}},
		"sales.log_*":        {`"sales"."log_"*`, [2]string{"sales", "log_2026"}, [2]string{"sales", "log"}},
		"tenant_*.*":         {`"tenant_"*.*`, [2]string{"tenant_1", "x"}, [2]string{"tenant", "x"}},
		`"a.b"."c*d"`:        {`"a.b"."c*d"`, [2]string{"a.b", "c*d"}, [2]string{"a.b", "cxd"}},
		`"He said ""hi"""`:   {`*."He said ""hi"""`, [2]string{"s", `He said "hi"`}, [2]string{"s", "hi"}},
		`s."*"*`:             {`"s"."*"*`, [2]string{"s", "*x"}, [2]string{"s", "x"}},
		"a|b.(x)?":           {`"a|b"."(x)?"`, [2]string{"a|b", "(x)?"}, [2]string{"a", "x"}},
		"Größe.$$":           {`"Größe"."$$"`, [2]string{"Größe", "$$"}, [2]string{"größe", "$$"}},
		`"tenant"_*.a*b*"c"`: {`"tenant_"*."a"*"b"*"c"`, [2]string{"tenant_1", "a-b-c"}, [2]string{"tenant_1", "a-c-b"}},
	} {
		p, err := ParseTablePattern(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if p.Program() != c.program || p.String() != pattern {
			t.Errorf("%s is %s for pg_dump, want %s", pattern, p.Program(), c.program)
		}
		if !p.Matches(c.is[0], c.is[1]) || p.Matches(c.not[0], c.not[1]) {
			t.Errorf("%s matches %q: %v, %q: %v", pattern, c.is, p.Matches(c.is[0], c.is[1]), c.not, p.Matches(c.not[0], c.not[1]))
		}
	}
}

func TestAPatternOfTablesThatIsNoneIsNamedWithItsLine(t *testing.T) {
	for text, says := range map[string]string{
		"a.b.c": "3 names", `"a`: "not closed", "a.": "empty name", ".a": "empty name", `""`: "empty name",
	} {
		_, err := load(t, "s3: {bucket: backups}\njobs:\n  shop:\n    database: shop\n    exclude_tables: ['"+text+"']\n", nil)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), ":5: exclude_tables") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
