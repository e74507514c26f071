package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// room is a system without a boot: programs of this machine run with the files of another one.
type room struct {
	root     string // of the system; what is written goes to memory above it, and is gone with the process
	binaries string // seen as /matrix
	lacks    string // see test/need
	regress  string // PostgreSQL's own tests, seen as /regress; "" for none
}

// enter mounts the system in a namespace of its own and becomes the program. The checkout is seen as /src, since
// tests read their files from the package's folder.
const enter = `set -e
mount --make-rprivate /
layer=$(mktemp -d)
mount -t tmpfs tmpfs "$layer"
mkdir "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay -o "lowerdir=$ROOM_ROOT,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
cd "$layer/root"
mkdir -p src matrix
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$ROOM_SRC" src
mount --bind "$ROOM_BINARIES" matrix
regress=
if [ -n "$ROOM_REGRESS" ]; then
	mkdir -p regress
	mount --bind "$ROOM_REGRESS" regress
	regress=PGBTUI_REGRESS=/regress
fi
exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PGBTUI_TEST_ALL=1 \
	PGBTUI_PROGRAM=/matrix/pgbtui "PGBTUI_TEST_LACKS=$ROOM_LACKS" $regress \
	sh -c 'cd "/src/$1" && shift && exec "$@"' sh "$ROOM_DIR" "$@"
`

// run is the output of a program in the room, started in a folder of the checkout.
func (r room) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	src, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	inside := []string{"--mount", "--pid", "--fork", "--kill-child", "--ipc", "bash", "-c", enter, "bash"}
	cmd := exec.CommandContext(ctx, "unshare", append(inside, args...)...)
	cmd.Env = append(os.Environ(), "ROOM_ROOT="+r.root, "ROOM_SRC="+src, "ROOM_BINARIES="+r.binaries, "ROOM_DIR="+dir,
		"ROOM_LACKS="+r.lacks, "ROOM_REGRESS="+r.regress)
	return cmd.CombinedOutput()
}

var number = regexp.MustCompile(`\d+(\.\d+|rc\d+|beta\d+)?`)

// versions are those of PostgreSQL and systemd in the room, and of pgBackRest when it is asked for.
func (r room) versions(ctx context.Context, engine bool) (string, error) {
	postgres, err := r.run(ctx, ".", "sh", "-c", "for p in /usr/lib/postgresql/*/bin/postgres; do $p --version; done")
	if err != nil {
		return "", fmt.Errorf("ask for PostgreSQL's version in %s: %w\n%s", r.root, err, postgres)
	}
	systemd, err := r.run(ctx, ".", "systemctl", "--version")
	if err != nil {
		return "", fmt.Errorf("ask for systemd's version in %s: %w\n%s", r.root, err, systemd)
	}
	first, _, _ := strings.Cut(string(systemd), "\n")
	versions := fmt.Sprintf("PostgreSQL %s, systemd %s", strings.Join(numbers(postgres), ", "), number.FindString(first))
	if !engine {
		return versions, nil
	}
	pgbackrest, err := r.run(ctx, ".", "pgbackrest", "version")
	if err != nil {
		return "", fmt.Errorf("ask for pgBackRest's version in %s: %w\n%s", r.root, err, pgbackrest)
	}
	return versions + ", pgBackRest " + number.FindString(string(pgbackrest)), nil
}

// numbers has the version of each line.
func numbers(said []byte) (found []string) {
	for line := range strings.Lines(string(said)) {
		found = append(found, number.FindString(line))
	}
	return found
}
