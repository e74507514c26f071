package lab

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Labs of other systems than the machine's own. Their roots are made once, by mmdebstrap from the
// machine's own mirror, and kept in .cache of the checkout; a lab writes to an overlay above them.

// System is what a lab boots. The zero value is the machine's own system.
type System struct {
	Suite    string   // of Debian: "trixie"
	Packages []string // besides what every lab needs

	name   string   // of its root; "" is made up from suite and packages
	others []string // suites that packages come from, too
	newest []string // packages that come from experimental
}

// SeveralPostgres has every PostgreSQL from 15 on, side by side, each from the suite of Debian that has it: 19 is not
// released yet. PostGIS and pgvector are there for those that Debian has them for.
func SeveralPostgres() System {
	return System{
		name: "postgresql-15-to-19", Suite: "sid", others: []string{"bookworm", "trixie", "experimental"},
		newest: []string{"postgresql-19*", "postgresql-client-19*", "libpq5", "libpq-oauth"},
		Packages: []string{
			"age", "iproute2", "jq", "openssl", "pgbouncer", "procps", "tmux", "zstd", "postgresql-15", "postgresql-17", "postgresql-18", "postgresql-19",
			"postgresql-17-pgvector", "postgresql-18-pgvector", "postgresql-17-postgis-3", "postgresql-18-postgis-3",
		},
	}
}

// Debian13 has systemd 257 and PostgreSQL 17. All tests share its root, so that only one is made.
func Debian13() System {
	return System{Suite: "trixie", Packages: []string{"postgresql", "procps", "iproute2"}}
}

// Newer are the systems after Debian 12 that people run, or soon will: each with another systemd.
func Newer() []System {
	return []System{Debian13(), {Suite: "forky"}}
}

// Furnished is a system with all that tests start in one: PostgreSQL, its neighbours, and what operators use.
func Furnished(suite string) System {
	packages := []string{
		"age", "awscli", "iproute2", "jq", "openssl", "pgbackrest", "pgbouncer", "postgresql", "procps", "tmux", "zstd",
	}
	// An extension that its server must load when it starts; its package is named after the suite's PostgreSQL.
	switch suite {
	case "trixie":
		packages = append(packages, "postgresql-17-cron")
	case "forky":
		packages = append(packages, "postgresql-18-cron")
	}
	return System{Suite: suite, Packages: packages}
}

// Chosen is the system that PGBTUI_LAB_SUITE names, as "trixie", and this machine's own without it. `make matrix`
// boots the same tests on one system after the other.
func Chosen() System {
	if suite := os.Getenv("PGBTUI_LAB_SUITE"); suite != "" {
		return Furnished(suite)
	}
	return System{}
}

func (s System) String() string {
	switch {
	case s.Suite == "":
		return "this machine's system"
	case s.name != "":
		return s.name
	}
	return s.Suite
}

// base is what boots, has a bus, and decides who may do what on it; useradd and mount besides.
var base = []string{"systemd", "systemd-sysv", "dbus", "polkitd", "passwd", "mount"}

// withoutCluster keeps PostgreSQL's package from making a cluster, which each lab makes for itself.
const withoutCluster = `mkdir -p "$1/etc/postgresql-common"; ` +
	`echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"`

// fromExperimental lets apt take some packages from experimental, which it otherwise leaves alone.
const fromExperimental = `printf "Package: %s\nPin: release a=experimental\nPin-Priority: 990\n" ` +
	`>"$1/etc/apt/preferences.d/experimental"`

// recipe is part of a root's name: count it up when roots of the old kind would not do.
const recipe = "1"

// Root is the directory of the system's root, which is made if it is not there yet: that takes
// half a minute, root, mmdebstrap and a network. Whoever asks meanwhile, in this process or
// another one, waits for it.
func (s System) Root(ctx context.Context) (string, error) {
	if s.Suite == "" {
		return "/", nil
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, s.rootName())
	lock, err := os.Create(root + ".lock")
	if err != nil {
		return "", fmt.Errorf("lab: lock the root of %s: %w", s, err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("lab: lock the root of %s: %w", s, err)
	}
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	return root, s.make(ctx, root, lock)
}

func (s System) rootName() string {
	if s.name != "" {
		return fmt.Sprintf("%s+%s+%08x", s.name, recipe, crc32.ChecksumIEEE([]byte(strings.Join(s.Packages, "+"))))
	}
	return strings.Join(append([]string{s.Suite, recipe}, slices.Sorted(slices.Values(s.Packages))...), "+")
}

// make makes the root under another name first, so that what has the right one is whole.
func (s System) make(ctx context.Context, root string, lock *os.File) error {
	uri, err := mirror(ctx)
	if err != nil {
		return err
	}
	unfinished := root + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil { // its maker is dead, and with it its mounts
		return fmt.Errorf("lab: make the root of %s: %w", s, err)
	}
	args := []string{
		"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "mmdebstrap", "--quiet",
		"--mode=root", "--variant=essential", "--format=directory",
		"--include=" + strings.Join(append(base, s.Packages...), ","),
		"--essential-hook=" + withoutCluster,
		"--dpkgopt=force-unsafe-io", // and no path-exclude, with which unpacking takes ten times as long
		// A mirror may be a snapshot of an old day.
		`--aptopt=Acquire::Check-Valid-Until "false"`, `--aptopt=Acquire::Check-Date "false"`, `--aptopt=Acquire::Retries "3"`,
	}
	if len(s.newest) > 0 {
		args = append(args, `--setup-hook=mkdir -p "$1/etc/apt/preferences.d"; `+
			fmt.Sprintf(fromExperimental, strings.Join(s.newest, " ")))
	}
	args = append(args, s.Suite, unfinished)
	for _, suite := range append([]string{s.Suite}, s.others...) {
		args = append(args, "deb "+uri+" "+suite+" main")
	}
	cmd := exec.CommandContext(ctx, "unshare", args...)
	// Its makers hold the lock as well: a killed test does not leave two of them in one directory.
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err == nil {
		err = os.Rename(unfinished, root)
	}
	if err != nil {
		return fmt.Errorf("lab: make the root of %s: %w: %s", s, errors.Join(ctx.Err(), err), out)
	}
	return nil
}

// cacheDir is where roots are kept: below .cache of the checkout, which `make clean` removes.
func cacheDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("lab: find the checkout: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == "/" {
			return "", errors.New("lab: find the checkout: no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, ".cache", "labs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("lab: make the directory of roots: %w", err)
	}
	return dir, nil
}

// mirror is where the machine's own apt gets Debian's packages, which has the other suites too.
func mirror(ctx context.Context) (string, error) {
	if uri := os.Getenv("PGBTUI_DEBIAN_MIRROR"); uri != "" {
		return uri, nil
	}
	out, err := exec.CommandContext(ctx, "sh", "-c", `. /etc/os-release && [ "$ID" = debian ] && exec apt-get indextargets \
		--format '$(REPO_URI)' 'Created-By: Packages' "Release: $VERSION_CODENAME" 'Component: main'`).Output()
	uri, _, _ := strings.Cut(string(out), "\n")
	if err != nil || uri == "" {
		return "", errors.Join(errors.New("lab: find a mirror of Debian: this machine's apt has none for its own system;"+
			" name one in PGBTUI_DEBIAN_MIRROR"), err)
	}
	return uri, nil
}
