package postgres

import (
	"reflect"
	"strings"
	"testing"
)

func split(script string) (out []string, err error) {
	err = splitSQL(strings.NewReader(script), func(st statement) error {
		out = append(out, st.sql)
		return nil
	})
	return out, err
}

func TestStatementsEndAtSemicolonsOutsideQuotes(t *testing.T) {
	for script, want := range map[string][]string{
		"":                                      nil,
		" ;; -- only; this\n /* a; /* b; */ */": nil,
		"a;b ;":                                 {"a", "b "},
		`a ';' "x;" ";""";b;`:                   {`a ';' "x;" ";"""`, "b"},
		`a 'it''s;'; b;`:                        {`a 'it''s;'`, "b"},
		`a '\'; b;`:                             {`a '\'`, "b"},
		`a E'\';'; b;`:                          {`a E'\';'`, "b"},
		`a name'x\'; b;`:                        {`a name'x\'`, "b"},
		"a $$;$x$;$$; b $x$;$$;$x$; c $1;":      {"a $$;$x$;$$", "b $x$;$$;$x$", "c $1"},
		"a x$y$;b$y$;":                          {"a x$y$", "b$y$"},
		"\\restrict abc;\na;\n\\unrestrict abc\n": {"a"},
		"a /* ; */ b -- ;\n c;":                   {"a /* ; */ b -- ;\n c"},
		"a U&'\\;';":                              {"a U&'\\;'"},
		"数据 \"库;\";":                              {"数据 \"库;\""},
	} {
		got, err := split(script)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q (%v)", script, got, want, err)
		}
	}
}

func TestTokensAreWhatTheCatalogueWouldHold(t *testing.T) {
	var names []string
	err := splitSQL(strings.NewReader(`CREATE Role "A ""b""" x_1$ Ünï 'text';`), func(st statement) error {
		for i := range st.tokens {
			if name, ok := st.at(i); ok {
				names = append(names, name)
			}
		}
		return nil
	})
	if want := []string{"create", "role", `A "b"`, "x_1$", "Ünï"}; err != nil || !reflect.DeepEqual(names, want) {
		t.Errorf("%q, want %q (%v)", names, want, err)
	}
}

// FuzzSplitSQL: never panics, tokens lie in order within their statement, and quoting by this
// package always holds a text together.
func FuzzSplitSQL(f *testing.F) {
	for _, seed := range []string{
		"CREATE ROLE a;\nALTER ROLE a WITH PASSWORD 'x';", `E'\'`, "$a$;$a$;", "/*/**/*/;", `"";''`, "U&\"x\";", "\\x\n;", "a'b\\", "$", "é;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		_ = splitSQL(strings.NewReader(script), func(st statement) error {
			last := 0
			for _, tok := range st.tokens {
				if tok.at < last || tok.end <= tok.at || tok.end > len(st.sql) {
					t.Fatalf("token %+v of %q", tok, st.sql)
				}
				last = tok.end
			}
			return nil
		})
		if strings.ContainsRune(script, 0) {
			return
		}
		name := QuoteIdent(script)
		got, err := split("COMMENT ON ROLE " + name + " IS " + QuoteLiteral(script) + ";")
		if err != nil || len(got) != 1 {
			t.Fatalf("%q became %d statements: %v", script, len(got), err)
		}
	})
}

// FuzzSplitList: what is quoted as the server does it comes back.
func FuzzSplitList(f *testing.F) {
	f.Add("a", "b c")
	f.Add(`"`, ", ")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := splitList(QuoteIdent(a) + ", " + QuoteIdent(b))
		if !reflect.DeepEqual(got, []string{a, b}) {
			t.Fatalf("%q, %q became %q", a, b, got)
		}
		splitList(a)
	})
}
