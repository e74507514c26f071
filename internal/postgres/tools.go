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

// programs must all be in the folder: they are used together.
var programs = []string{"pg_dump", "pg_dumpall", "pg_restore"}

// searched is where packages put PostgreSQL's programs (Debian, RHEL, own builds, Homebrew).
var searched = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/opt/homebrew/opt/libpq/bin",
}

// FindTools finds the programs for a server: the lowest major version that is not older than
// the server's, since pg_dump refuses newer servers. When binDir is not empty, only that folder
// counts. Nothing fit: code Refused, the error names what there is and what to install.
func FindTools(ctx context.Context, binDir string, serverMajor int) (Tools, error) {
	dirs := []string{binDir}
	if binDir == "" {
		dirs = searchDirs(os.Getenv("PATH"))
	}
	return findTools(ctx, dirs, serverMajor)
}

func findTools(ctx context.Context, dirs []string, serverMajor int) (Tools, error) {
	var best Tools
	var seen []string
	for _, dir := range dirs {
		tools, err := inspect(ctx, dir)
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
	return Tools{}, fault.New(fault.Refused,
		fmt.Sprintf("postgres: find pg_dump, pg_dumpall and pg_restore %d or newer: %s", serverMajor, found),
		fmt.Sprintf("Install postgresql-client-%d (Debian, Ubuntu) or postgresql%d (RHEL) from PostgreSQL's repository, or set the job's folder of client programs.", serverMajor, serverMajor), nil)
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
func inspect(ctx context.Context, dir string) (Tools, error) {
	for _, program := range programs {
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
