package backup

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNamesAndTheirCodesAreOneToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := string(rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(t, "a"))
		b := string(rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(t, "b"))
		code := EncodeName(a)
		if back, ok := DecodeName(code); !ok || back != a {
			t.Fatalf("%q became %q became %q", a, code, back)
		}
		if (a == b) != (code == EncodeName(b)) {
			t.Fatalf("%q and %q share %q", a, b, code)
		}
		if strings.ContainsAny(code, "/\\ \x00\n\x1b") || code == "." || code == ".." || strings.HasPrefix(code, ".") {
			t.Fatalf("%q is no safe component: %q", a, code)
		}
	})
}

func FuzzDecodeName(f *testing.F) {
	for _, code := range []string{"", "a", "%41", "%2F", "%2f", "%", "%2", "..", "%2E.", "%00", "数", "a%zz", "%25"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		name, ok := DecodeName(code)
		if ok && (EncodeName(name) != code || name == "") {
			t.Errorf("%q decodes to %q, which encodes to %q", code, name, EncodeName(name))
		}
	})
}

func FuzzParseKey(f *testing.F) {
	id := "20261122T020000Z-1a2b3c"
	for _, key := range []string{
		"db1/sales/" + id + "/manifest.json", "db1/sales/" + id + "/", "db1/sales/" + id, "//" + id + "/x", "../../" + id + "/x",
		"postgresql_sales_20200101_20260101_020000.backup", "postgresql_x/../y_20260101_020000.backup", "postgresql_\n_20260101_020000.backup",
		"postgresql__20260101_020000.backup", "db1/%2e%2e/" + id + "/x", "db1/a\x00b/" + id + "/x", "README", strings.Repeat("a", 1024),
		"db1/x/20261122T020000Z-1A2B3C/manifest.json",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		at, ours := ParseKey(key)
		if !ours {
			return
		}
		if at.database == "" || at.ID == "" {
			t.Fatalf("%q is ours but has no database or ID: %+v", key, at)
		}
		if at.Legacy {
			if !strings.HasPrefix(at.ID, "legacy-") || !strings.Contains(key, at.database) || at.rest != "" {
				t.Fatalf("%q: %+v", key, at)
			}
			return
		}
		if back := Folder("", at.instance, at.database) + at.ID + "/" + at.rest; back != key {
			t.Fatalf("%q is read as %+v, which is written as %q", key, at, back)
		}
	})
}

func TestForeignKeysAreNobodysSets(t *testing.T) {
	id := "20261122T020000Z-1a2b3c"
	for _, key := range []string{
		"", "README", "db1", "db1/sales/lease.json", "db1/sales/" + id, "db1/sales/" + id + "/", "/sales/" + id + "/x", "db1//" + id + "/x",
		"db1/a b/" + id + "/x", "db1/%2f/" + id + "/x", "db1/../" + id + "/x", "db1/sales/" + id + "0/x", "db1/sales/x" + id + "/x",
		"postgresql_sales.backup", "postgresql_sales_2026_020000.backup", "xpostgresql_s_20260101_020000.backup", "postgresql_s_20260101_020000.backup.tmp",
		"db1/sales\x00/" + id + "/x", strings.Repeat("../", 300) + id + "/x",
	} {
		if at, ours := ParseKey(key); ours {
			t.Errorf("%q is taken for %+v", key, at)
		}
	}
}

func TestLegacyIDsAreSafeAndTellNamesApart(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"sales", "sal\nes", "数据库", "a/../b", "sales_20200101_000000", "-rf", "\x1b]52;c;x\a"} {
		at, ours := ParseKey("postgresql_" + name + "_20260101_020000.backup")
		if !ours || at.database != name || seen[at.ID] != "" || strings.ContainsAny(at.ID, "/\\ \n\x1b") || !utf8.ValidString(at.ID) {
			t.Errorf("%q: %+v, as %q", name, at, seen[at.ID])
		}
		seen[at.ID] = name
	}
}

func TestAPrefixIsOneWhateverSlashesItHas(t *testing.T) {
	for prefix, want := range map[string]string{"": "i/d/", "/": "i/d/", "p": "p/i/d/", "/p/": "p/i/d/", "a/b": "a/b/i/d/"} {
		if got := Folder(prefix, "i", "d"); got != want {
			t.Errorf("prefix %q: %s, want %s", prefix, got, want)
		}
	}
}
