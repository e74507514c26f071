package backup

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// runs follows a line of a recipe with stand-ins for the programs that read what was fetched, in a folder with such
// a file, and reports whether any of it got as far as PostgreSQL's.
func runs(t *testing.T, line, file, content string) bool {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "zstd() { :; }; age() { :; }; psql() { touch ran; }; pg_restore() { touch ran; }\n"+line)
	cmd.Dir = dir
	_ = cmd.Run() // a check that failed is its exit status
	_, err := os.Stat(filepath.Join(dir, "ran"))
	return err == nil
}

func TestEveryLineOfARecipeThatRunsAFileChecksItInTheSameLine(t *testing.T) {
	const right = "what was stored"
	object := func(name string) Object {
		return Object{Key: name, SizeBytes: int64(len(right)), SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(right)))}
	}
	globals := object(GlobalsName)
	for _, c := range []struct {
		ending     string
		recipients []string
		streams    []Object
		lines      int
	}{
		{"", nil, nil, 4},
		{".age", []string{"age1"}, nil, 4},
		{"", nil, []Object{object(RowsName(1)), object(RowsName(2))}, 7},
		{".age", []string{"age1"}, []Object{object(RowsName(1))}, 6},
	} {
		ending := c.ending
		set := &Set{Kind: KindNative, Database: "it's", Dir: "a/b/", Manifest: &Manifest{Dump: object(DumpName), Streams: c.streams, Globals: &globals, Encryption: Encryption{Recipients: c.recipients}}}
		found := 0
		for _, line := range Recipe(set, "s3://bucket/", "") {
			command := strings.TrimPrefix(line, "# ")
			if strings.Contains(command, "s3 cp") && strings.Contains(command, "|") {
				t.Errorf("it is piped from the store: %s", command)
			}
			file := DumpName + ending
			for i := range c.streams {
				if strings.Contains(command, " "+RowsName(i+1)+ending) {
					file = RowsName(i+1) + ending
				}
			}
			switch {
			case strings.Contains(command, "| psql"):
				file = GlobalsName + ending
			case !strings.Contains(command, "pg_restore --"):
				continue
			}
			found++
			if !runs(t, command, file, right) {
				t.Errorf("the right file is not run: %s", command)
			}
			if runs(t, command, file, "what was put there") {
				t.Errorf("another file is run: %s", command)
			}
		}
		if found != c.lines {
			t.Errorf("%d lines run something, not %d", found, c.lines)
		}
	}
}

func TestARecipeSaysSoWhenNobodyVouchesForASet(t *testing.T) {
	for signature, says := range map[Signature]string{SignatureForged: "FORGED", SignatureMissing: "UNSIGNED"} {
		set := &Set{Kind: KindNative, Signature: signature, Manifest: &Manifest{Dump: Object{Key: DumpName}}}
		if first := Recipe(set, "s3://bucket/", "")[0]; !strings.Contains(first, says) {
			t.Errorf("%s: %s", signature, first)
		}
	}
	if first := Recipe(&Set{Kind: KindLegacy}, "s3://bucket/", "")[0]; !strings.Contains(first, "nobody vouches") {
		t.Error(first)
	}
}

func TestTheRecipesRolesAreCreatedOnALiveServerAndNoneIsChanged(t *testing.T) {
	pg := pgtest.Shared(t)
	there, missing := "recipe_there", "recipe_missing"
	pg.Exec(t, "postgres", "CREATE ROLE "+there+" LOGIN PASSWORD 'today'")
	t.Cleanup(func() { pg.Exec(t, "postgres", "DROP ROLE IF EXISTS "+there+"; DROP ROLE IF EXISTS "+missing) })
	before := pg.QueryString(t, "postgres", "SELECT rolpassword FROM pg_authid WHERE rolname = '"+there+"'")
	globals := "CREATE ROLE " + there + ";\nALTER ROLE " + there + " WITH SUPERUSER PASSWORD 'of old';\nCREATE ROLE " + missing +
		";\nALTER ROLE " + missing + " WITH SUPERUSER;\nCREATE ROLE evil SUPERUSER;\nGRANT " + missing + " TO " + there + ";\n"
	cmd := exec.Command("sh", "-c", missingRoles+" | psql -X -d postgres")
	cmd.Env = append(append(cmd.Environ(), pg.Env("postgres")...), "PATH="+pg.BinDir+":"+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(globals)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	after := pg.QueryString(t, "postgres", "SELECT rolpassword FROM pg_authid WHERE rolname = '"+there+"'")
	roles := pg.QueryString(t, "postgres", "SELECT string_agg(rolsuper::text, ',') FROM pg_roles WHERE rolname IN ('"+there+"', '"+missing+"', 'evil')")
	if before != after || roles != "false,false" {
		t.Errorf("the password changed: %v; superusers: %s", before != after, roles)
	}
}
