package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// Scripts see PostgreSQL and S3 in their environment (see world.env) and the name of an empty
// database in $DB. Besides testscript's own commands there are
//
//	exits CODE PROGRAM ARG...   run it; it must exit with CODE
//	sql DB STATEMENTS           run SQL as superuser
//	query DB STATEMENT WANT     the one value of a query, as text
//	s3 ls|uploads|put|rm|flip|fault|well …   look at the bucket or spoil it, see scripts3_test.go
//	document NAME               the last stdout is document NAME of docs/json.md, strictly
//	get VAR PATH                put a value of the last stdout, which is JSON, into a variable
//	value PATH WANT             a value of the last stdout, which is JSON
//	harmless                    the last stdout and stderr hold no control characters
//	newdb VAR NAME              make a database with a hostile name, written as in Go, and put it into VAR
func TestScripts(t *testing.T) {
	testscript.Run(t, scripts("testdata/script", func(tb testing.TB) *world { return newWorld(tb) }))
}

func TestMainFlowOnVersitygw(t *testing.T) {
	testscript.Run(t, scripts("testdata/stores", func(tb testing.TB) *world {
		return worldOn(tb, s3suite.StartVersity(tb))
	}))
}

func TestMainFlowOnMinIO(t *testing.T) {
	testscript.Run(t, scripts("testdata/stores", func(tb testing.TB) *world {
		return worldOn(tb, s3suite.StartMinIO(tb))
	}))
}

func TestMainFlowOnOurStore(t *testing.T) {
	testscript.Run(t, scripts("testdata/stores", func(tb testing.TB) *world { return newWorld(tb) }))
}

type worldKey struct{}

func scripts(dir string, start func(testing.TB) *world) testscript.Params {
	return testscript.Params{
		Dir: dir, RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			tb := e.T().(testing.TB)
			w := start(tb)
			e.Values[worldKey{}], e.Values[storeKey{}] = w, w.store(tb)
			e.Vars = append(e.Vars, w.reach()...)
			e.Setenv("DB", w.db)
			e.Setenv("BUCKET", w.s3.Bucket)
			e.Setenv("ENDPOINT", w.s3.Endpoint)
			e.Setenv("PORT", w.pg.Port)
			e.Setenv("SOCKETS", w.pg.Host)
			e.Setenv("SUPERUSER", w.pg.User)
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "sql": cmdSQL, "query": cmdQuery, "s3": cmdS3, "document": cmdDocument,
			"get": cmdGet, "value": cmdValue, "harmless": cmdHarmless, "newdb": cmdNewDB,
		},
	}
}

func inWorld(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func wants(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 2, "exits CODE PROGRAM ARG...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit %d, want %d\nstdout: %s\nstderr: %s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func cmdSQL(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 2, "sql DB STATEMENTS")
	text := strings.Join(args[1:], " ")
	if text == "sample" {
		text = sample
	}
	ts.Check(inWorld(ts).pg.TryExec(args[0], text))
}

func cmdQuery(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 3, "query DB STATEMENT WANT")
	cmd := exec.Command("psql", "-XAtw", "-c", args[1])
	cmd.Env = append(os.Environ(), inWorld(ts).pg.Env(args[0])...)
	out, err := cmd.CombinedOutput()
	if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != args[2] {
		ts.Fatalf("%q, %v; want %q", got, err, args[2])
	}
}

// cmdNewDB makes a database from a name in Go's notation, since scripts are text.
func cmdNewDB(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 2, "newdb VAR NAME")
	name, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	w := inWorld(ts)
	ts.Check(w.pg.TryExec("postgres", `CREATE DATABASE "`+strings.ReplaceAll(name, `"`, `""`)+`" TEMPLATE template0`))
	ts.Setenv(args[0], name)
}

func cmdHarmless(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 0, "harmless")
	for _, stream := range []string{"stdout", "stderr"} {
		if bad := controls(ts.ReadFile(stream)); len(bad) > 0 {
			ts.Fatalf("%s holds %s: %q", stream, bad, ts.ReadFile(stream))
		}
	}
}

func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 2, "get VAR PATH")
	v, err := pathValue(ts.ReadFile("stdout"), args[1])
	ts.Check(err)
	ts.Setenv(args[0], v)
}

func cmdValue(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 2, "value PATH WANT")
	v, err := pathValue(ts.ReadFile("stdout"), args[0])
	ts.Check(err)
	if v != args[1] {
		ts.Fatalf("%s is %q, want %q", args[0], v, args[1])
	}
}

func cmdDocument(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, args, 1, "document NAME")
	out := ts.ReadFile("stdout")
	c, err := readContract()
	ts.Check(err)
	if err := c.check(args[0], []byte(out)); err != nil {
		ts.Fatalf("stdout is not document %q of docs/json.md: %v\n%s", args[0], err, out)
	}
	if *update && inWorld(ts).ours != nil && len(args) > 1 && args[1] == "example" {
		ts.Check(rewriteExample(args[0], inWorld(ts).anonymous(strings.ReplaceAll(out, ts.Getenv("WORK")+"/root", ""))))
	}
}

// pathValue is one value of a JSON document: names and positions joined by dots; `len` is how many
// elements a list has.
func pathValue(document, path string) (string, error) {
	v, err := decodeOne([]byte(document))
	if err != nil {
		return "", err
	}
	for _, step := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			inner, ok := at[step]
			if !ok {
				return "", fmt.Errorf("no %s in %s", step, path)
			}
			v = inner
		case []any:
			if step == "len" {
				return strconv.Itoa(len(at)), nil
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return "", fmt.Errorf("no element %s of %s", step, path)
			}
			v = at[i]
		default:
			return "", fmt.Errorf("%s: %v has no %s", path, v, step)
		}
	}
	return fmt.Sprint(v), nil
}
