package postgres

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestALocaleThatTheServerLacksIsFoundBeforeCreateDatabase(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		c := connect(t, target(s, "postgres"))
		f, err := c.Facts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ok := func(minimum int) fault.Code {
			if f.Major() < minimum {
				return fault.Refused
			}
			return fault.OK
		}
		for name, want := range map[string]struct {
			locale Locale
			code   fault.Code
			remedy string
		}{
			"its own":          {f.Locale, fault.OK, ""},
			"unknown":          {Locale{Encoding: "UTF8", Provider: "libc", Collate: "xx_XX.UTF-8", Ctype: "C.UTF-8"}, fault.Refused, "locale-gen"},
			"unknown ctype":    {Locale{Encoding: "UTF8", Provider: "libc", Collate: "C", Ctype: "it's \\ hostile"}, fault.Refused, "locale-gen"},
			"unknown encoding": {Locale{Encoding: "EBCDIC"}, fault.Refused, "newer major"},
			"icu":              {Locale{Encoding: "UTF8", Provider: "icu", Collate: "C", Ctype: "C", Name: "de-DE"}, ok(15), ""},
			"builtin":          {Locale{Encoding: "UTF8", Provider: "builtin", Collate: "C", Ctype: "C", Name: "C.UTF-8"}, ok(17), ""},
			"not known":        {Locale{}, fault.OK, ""},
		} {
			err := c.CheckLocale(t.Context(), want.locale)
			if got := fault.CodeOf(err); got != want.code || !strings.Contains(fault.Remedy(err), want.remedy) {
				t.Errorf("%s: code %d, want %d: %v (%s)", name, got, want.code, err, fault.Remedy(err))
			}
		}
		if got := s.QueryString(t, "postgres", "SHOW lc_monetary"); strings.Contains(got, "xx") {
			t.Error(got)
		}
	})
}

func TestAPlaceSaysWhoIsWhere(t *testing.T) {
	s := pgtest.Shared(t)
	p, err := connect(t, target(s, "postgres")).Place(t.Context())
	if err != nil || !p.Local || p.Host != s.Host || p.Role != s.User || !p.CreatesDBs || p.Standby {
		t.Errorf("%+v, %v", p, err)
	}
	plain := target(s, "postgres")
	plain.Host, plain.User = "127.0.0.1", role(t, s, "")
	c := connect(t, plain)
	if p, err = c.Place(t.Context()); err != nil || p.Local || p.CreatesDBs || p.Role != plain.User {
		t.Errorf("%+v, %v", p, err)
	}
	// Where the data is, is not for everybody: no path is better than an error.
	if paths, err := c.Paths(t.Context()); err != nil || paths["pg_default"] != "" {
		t.Errorf("%q, %v", paths, err)
	}
	if paths, err := connect(t, target(s, "postgres")).Paths(t.Context()); err != nil || paths["pg_default"] != s.Data {
		t.Errorf("%q, %v", paths, err)
	}
}
