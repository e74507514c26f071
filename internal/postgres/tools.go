package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Tools are pg_dump, pg_dumpall and pg_restore of one version, in one folder.
type Tools struct {
	Dir     string
	Major   int
	Version string // as pg_dump tells it: "pg_dump (PostgreSQL) 15.18 (Debian …)"
}

// search is what a folder must have, and the packages that bring it.
type search struct {
	programs       []string
	debian, redhat string // formats with the major version
}

// clientPrograms are used together, so all must be in one folder. A server of one's own needs its
// programs beside them, of the same version.
var (
	clientPrograms = search{
		programs: []string{"pg_dump", "pg_dumpall", "pg_restore"}, debian: "postgresql-client-%d", redhat: "postgresql%d",
	}
	serverPrograms = search{
		programs: append(clientPrograms.programs[:3:3], "initdb", "postgres"), debian: "postgresql-%d",
		redhat: "postgresql%d-server",
	}
)

// searched is where packages put PostgreSQL's programs (Debian, RHEL, own builds, Homebrew).
var searched = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/opt/homebrew/opt/libpq/bin",
}

// FindTools finds the programs for a server: the lowest major version that is not older than
// the server's, since pg_dump refuses newer servers. When binDir is not empty, only that folder
// counts. Nothing fit: code Refused, the error names what there is and what to install.
func FindTools(ctx context.Context, binDir string, serverMajor int) (Tools, error) {
	return clientPrograms.find(ctx, binDir, serverMajor)
}

// FindServer is FindTools for folders that have a server's programs (initdb, postgres) too.
func FindServer(ctx context.Context, binDir string, major int) (Tools, error) {
	return serverPrograms.find(ctx, binDir, major)
}

func (s search) find(ctx context.Context, binDir string, major int) (Tools, error) {
	dirs := []string{binDir}
	if binDir == "" {
		dirs = searchDirs(os.Getenv("PATH"))
	}
	return s.in(ctx, dirs, major)
}

func (s search) in(ctx context.Context, dirs []string, serverMajor int) (Tools, error) {
	var best Tools
	var seen []string
	for _, dir := range dirs {
		tools, err := s.inspect(ctx, dir)
		if ctx.Err() != nil {
			return Tools{}, fmt.Errorf("postgres: find pg_dump: %w", context.Cause(ctx))
		}
		if err != nil {
			continue
		}
		seen = append(seen, fmt.Sprintf("%s in %s", tools.Version, dir))
		if tools.Major >= serverMajor && (best.Dir == "" || tools.Major < best.Major) {
			best = tools
		}
	}
	if best.Dir != "" {
		return best, nil
	}
	found := "none found in " + strings.Join(dirs, ", ")
	if len(seen) > 0 {
		found = "found only " + strings.Join(seen, ", ")
	}
	last := len(s.programs) - 1
	return Tools{}, fault.New(fault.Refused,
		fmt.Sprintf("postgres: find %s and %s %d or newer: %s", strings.Join(s.programs[:last], ", "), s.programs[last],
			serverMajor, found),
		fmt.Sprintf("Install "+s.debian+" (Debian, Ubuntu) or "+s.redhat+
			" (RHEL) from PostgreSQL's repository, or set the job's folder of client programs.",
			serverMajor, serverMajor), nil)
}

// Majors of PostgreSQL between which pg_restore does not work: from 17 on it begins with a SET of
// transaction_timeout, which no server before 17 knows, and a restore ends at its first error.
const setsTransactionTimeout = 17

// refusesNewerServers is the first pg_restore that looks at the server's major version, as pg_dump always did.
const refusesNewerServers = 18

// CheckInto is what keeps pg_restore from restoring into a server, code Refused, or nil.
func (t Tools) CheckInto(serverMajor int) error {
	if t.Major >= refusesNewerServers && serverMajor > t.Major {
		return fault.New(fault.Refused,
			fmt.Sprintf("postgres: pg_restore %d does not restore into the newer server %d", t.Major, serverMajor),
			fmt.Sprintf("Install "+clientPrograms.debian+" (Debian, Ubuntu) or "+clientPrograms.redhat+" (RHEL) from "+
				"PostgreSQL's repository.",
				serverMajor, serverMajor), nil)
	}
	if t.Major < setsTransactionTimeout || serverMajor >= setsTransactionTimeout {
		return nil
	}
	return fault.New(fault.Refused,
		fmt.Sprintf("postgres: pg_restore %d cannot restore into server %d, which does not know transaction_timeout",
			t.Major, serverMajor),
		fmt.Sprintf("Install "+clientPrograms.debian+" (Debian, Ubuntu) or "+clientPrograms.redhat+
			" (RHEL) from PostgreSQL's repository: "+
			"backups are then made with it, and can be restored here. Restore what was "+
			"dumped by a newer pg_dump into server %d or newer.",
			serverMajor, serverMajor, setsTransactionTimeout), nil)
}

// writesColumnVersions is the first pg_dump that was seen to write out what some minor versions of older servers
// keep among the options of columns for themselves, pg_attver. No server from that major on knows it.
const writesColumnVersions = 18

// CheckFrom is what keeps a dump of a server from being restored here, with the same programs, or in the server's
// next version: code Refused, or nil. It is known before the first dump is made.
func (t Tools) CheckFrom(f Facts) error {
	if err := t.CheckInto(f.Major()); err != nil {
		return err
	}
	if !f.ColumnVersions || t.Major < writesColumnVersions || f.Major() >= writesColumnVersions {
		return nil
	}
	return fault.New(fault.Refused,
		fmt.Sprintf("postgres: pg_dump %d writes pg_attver into dumps of this server %s, which no server %d or newer "+
			"knows, so that they restore into server %d only",
			t.Major, f.Version, writesColumnVersions, f.Major()),
		fmt.Sprintf("Install "+clientPrograms.debian+" (Debian, Ubuntu) or "+clientPrograms.redhat+
			" (RHEL) from PostgreSQL's repository: "+
			"backups are then made with it, and can be restored into newer servers too.", f.Major(), f.Major()), nil)
}

// searchDirs lists folders once each, the known places first.
func searchDirs(path string) []string {
	var dirs []string
	for _, pattern := range searched {
		found, _ := filepath.Glob(pattern) // only a bad pattern fails
		dirs = append(dirs, found...)
	}
	for _, dir := range filepath.SplitList(path) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

var versionLine = regexp.MustCompile(`^pg_dump \(PostgreSQL\) (\d+)[.a-z0-9]*`)

// inspect asks the programs of a folder for their version.
func (s search) inspect(ctx context.Context, dir string) (Tools, error) {
	for _, program := range s.programs {
		path, err := filepath.EvalSymlinks(filepath.Join(dir, program))
		if err != nil {
			return Tools{}, err
		}
		// Debian's /usr/bin/pg_dump picks a version by its own rules, not by the server's.
		if filepath.Base(path) == "pg_wrapper" {
			return Tools{}, fmt.Errorf("%s is pg_wrapper", program)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "pg_dump"), "--version")
	cmd.Env = Target{}.Env(os.Environ())
	out, err := cmd.Output()
	if err != nil {
		return Tools{}, err
	}
	version := strings.TrimSpace(string(out))
	m := versionLine.FindStringSubmatch(version)
	if m == nil {
		return Tools{}, fmt.Errorf("unknown version %q", version)
	}
	major, err := strconv.Atoi(m[1])
	return Tools{Dir: dir, Major: major, Version: version}, err
}

func (t Tools) path(program string) string { return filepath.Join(t.Dir, program) }
