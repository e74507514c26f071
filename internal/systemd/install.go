package systemd

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// InstallOptions says what to install where.
type InstallOptions struct {
	Root         string   // "" or "/": this machine; else files alone, below that directory, as where no systemd runs
	Binary       string   // what the units run; default DefaultBinary
	Adopt        bool     // take over plain units that somebody else wrote
	Enable       []string // jobs whose timers to enable and start; "" is the plain timer
	DrillByHand  []string // those of them whose drill timer to stop and disable instead
	Copied       []string // those of them whose copy timer to enable and start as well
	EnablePrune  []string // jobs whose prune timer to enable and start
	Clusters     bool     // the configuration has clusters, whose state is looked at by a timer
	DatabaseRole bool     // create the PostgreSQL role as well, as the system user postgres
	LeavePlain   bool     // the plain units that somebody else wrote stay as they are, and ours are left out

	// files to hand to the units as secrets of these names, unless they have such; "": files differ
	HandOver map[string]string
}

// programTimeout bounds each program that Install runs.
const programTimeout = time.Minute

// Install writes the units, user, group, directories and polkit rule. Running it again changes
// nothing. Everything that can be refused is refused before the first write.
func Install(ctx context.Context, o InstallOptions) (*Report, error) {
	if o.Binary == "" {
		o.Binary = DefaultBinary
	}
	r := root(o.Root)
	files, err := Files(o.Binary)
	if err != nil {
		return nil, err
	}
	if r.machine() && os.Geteuid() != 0 {
		return nil, fault.New(fault.NotPermitted, "systemd: install units", "Run it as root: `sudo pgbtui units install`.",
			nil)
	}
	if o.DatabaseRole && !r.live() {
		return nil, fault.New(fault.Usage, "systemd: create the database role: this is an image, or no systemd runs here",
			"Leave --database-role out, and run the SQL of `pgbtui units print --sql` on the machine.", nil)
	}
	found, err := foreign(r, files)
	if o.LeavePlain {
		files = slices.DeleteFunc(files, func(f File) bool { return isPlain(f.Path) && found[f.Path] != "" })
		maps.DeleteFunc(found, func(path, _ string) bool { return isPlain(path) })
	}
	if err == nil {
		err = refuseForeign(r, found, o.Adopt)
	}
	if err != nil {
		return nil, err
	}
	report := &Report{}
	if err := install(ctx, r, o, installation{files, found}, report); err != nil {
		return report, err
	}
	advise(r, o, files, report)
	return report, nil
}

type installation struct {
	files []File
	found map[string]string // foreign units to adopt
}

func install(ctx context.Context, r root, o InstallOptions, in installation, report *Report) error {
	if err := prepare(ctx, r, in.files, report); err != nil {
		return err
	}
	if err := adopt(r, in.found, report); err != nil {
		return err
	}
	if err := report.writeBelow(r, unitDir, in.files); err != nil {
		return err
	}
	if r.live() {
		if err := handOver(o.HandOver, report); err != nil {
			return err
		}
		if err := dropKept(r, report); err != nil {
			return err
		}
		if err := activate(ctx, o, report); err != nil {
			return err
		}
	}
	// The rule comes last: what it names must be units by then.
	if err := report.writeBelow(r, polkitFile, in.files); err != nil {
		return err
	}
	if !r.live() {
		return linkTimers(r, o, report)
	}
	if o.DatabaseRole {
		return CreateRole(ctx, nil, report)
	}
	return nil
}

// prepare makes the user, the group and the directories, which later steps give files to.
func prepare(ctx context.Context, r root, files []File, report *Report) error {
	for _, f := range files {
		if f.Path != sysusersFile && f.Path != tmpfilesFile {
			continue
		}
		if err := report.write(r, f); err != nil {
			return err
		}
	}
	if !r.live() {
		if err := os.MkdirAll(r.path(configDir), 0o750); err != nil {
			return fmt.Errorf("systemd: make %s: %w", r.path(configDir), err)
		}
		return nil
	}
	if err := runProgram(ctx, report, "systemd-sysusers", sysusersFile); err != nil {
		return err
	}
	return runProgram(ctx, report, "systemd-tmpfiles", "--create", tmpfilesFile)
}

// advise adds what a person has to do or know after an installation.
func advise(r root, o InstallOptions, files []File, report *Report) {
	for _, f := range files {
		dropIns, _ := filepath.Glob(r.path(f.Path + ".d/*.conf"))
		for _, path := range dropIns {
			report.add(Kept, path, "this drop-in still overrides "+filepath.Base(f.Path))
		}
	}
	if _, err := os.Stat(r.path(o.Binary)); err != nil {
		report.add(Note, "The units run "+o.Binary+", which is not there yet.", "")
	}
	if r.live() && !o.DatabaseRole {
		report.add(Note,
			"The backups log in to PostgreSQL as role pgbtui, by the socket and the system user of that name. Create it "+
				"with: sudo pgbtui units install --database-role, or run this SQL as a superuser:\n"+RoleSQL(),
			"")
	}
	report.add(Note,
		"Operators: sudo usermod -aG pgbtui,systemd-journal NAME (start and stop backups, request restores, read "+
			"configuration and journal).",
		"")
}

// writeBelow writes those of the files whose path begins with prefix.
func (r *Report) writeBelow(at root, prefix string, files []File) error {
	for _, f := range files {
		if !strings.HasPrefix(f.Path, prefix) {
			continue
		}
		if err := r.write(at, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) write(at root, f File) error {
	action, err := at.write(f, -1)
	if err != nil {
		return err
	}
	r.add(action, at.path(f.Path), "")
	return nil
}

// machine reports whether r is this machine, rather than an image of one.
func (r root) machine() bool { return r.path("/") == "/" }

// live reports whether r is this machine and systemd runs it, as sd_booted(3) finds out. In a
// chroot there is nobody to reload.
func (r root) live() bool {
	_, err := os.Lstat("/run/systemd/system")
	return r.machine() && err == nil
}

// operatorGID is the group that may read configuration, or -1 where it does not exist (an image).
func (r root) operatorGID() int {
	if !r.live() {
		return -1
	}
	group, err := user.LookupGroup(OperatorGroup)
	if err != nil {
		return -1
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		return -1
	}
	return gid
}

// runProgram runs one program to its end and reports it; its output is in the error.
func runProgram(ctx context.Context, report *Report, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	line := strings.Join(append([]string{name}, args...), " ")
	if err != nil {
		return fmt.Errorf("systemd: run %s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	report.add(Ran, line, "")
	return nil
}
