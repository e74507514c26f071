package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// The database that PostgreSQL's own regression tests leave has something of nearly everything that a version knows.
// Its functions in C are of its version's library, so it is restored into its own version alone.

// regression is the name that the tests give it.
const regression = "regression"

func TestTheRegressionDatabaseOfEachVersionComesBackAsItIs(t *testing.T) {
	tests := need.Given(t, "PGBTUI_REGRESS", "PostgreSQL's own regression tests, which `make matrix` fetches for all versions side by side")
	for _, major := range majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			need.Folder(t, filepath.Join(tests, strconv.Itoa(major)), "the source package of PostgreSQL "+strconv.Itoa(major)+", which the mirror does not have")
			server := ofMajor(t, major)
			runRegressionTests(t, server, filepath.Join(tests, strconv.Itoa(major)))
			w := newWorldOn(t, server, 0)
			plain := w.byPrograms(t, server, regression, "")
			w.pgbtui(t, server, regression, "--headless", "--streams", "1")
			w.isVerified(t, regression)
			w.comesBack(t, server, regression, plain)
			w.backUpInStreams(t, regression)
			w.isVerified(t, regression)
			w.comesBack(t, server, regression, plain)
			w.isDrilled(t, regression, "")
		})
	}
}

// runRegressionTests leaves the database. A test may fail, as those do that know a locale or what Debian patches: what
// counts is that they ran to their end and left nearly all that they make.
func runRegressionTests(t *testing.T, server *pgtest.Server, tests string) {
	t.Helper()
	results, err := os.MkdirTemp(server.Dir, "results") //nolint:usetesting // the server, another user, writes there
	if err == nil {
		err = os.Chmod(results, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(filepath.Dir(server.BinDir), "lib/pgxs/src/test/regress/pg_regress")
	cmd := exec.CommandContext(t.Context(), program, "--inputdir="+tests, "--outputdir="+results, "--bindir="+server.BinDir,
		"--dlpath="+filepath.Join(tests, "lib"), "--schedule="+filepath.Join(tests, "parallel_schedule"),
		"--host="+server.Host, "--port="+server.Port, "--user="+server.User, "--dbname="+regression, "--max-concurrent-tests=20")
	cmd.Dir = results
	out, failed := cmd.CombinedOutput()
	tables := server.QueryInt(t, regression, "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p')")
	t.Logf("%d tables, the tests end with %v:\n%s", tables, failed, tail(string(out)))
	if tables < 500 {
		t.Fatal(fmt.Errorf("the tests left %d tables, want 500 and more", tables))
	}
}
