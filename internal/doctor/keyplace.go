package doctor

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Who besides the units can read a key: whoever is superuser of the database can read what the server's system user
// may (pg_read_file, COPY FROM PROGRAM), and so could delete the database's backups.

// serverUser is whom PostgreSQL runs as on Debian, Ubuntu and RHEL.
const serverUser = "postgres"

func (l *log) keyPlace(w World, id s3.Identity) {
	const check = "s3.key-place"
	if host := w.Job.Postgres.Host; host != "" && !strings.HasPrefix(host, "/") && host != "localhost" {
		l.ok(check, "look where the server is", "it is on another host, "+host)
		return
	}
	if _, err := user.Lookup(serverUser); err != nil {
		l.ok(check, "look for the system user "+serverUser, "there is none on this host")
		return
	}
	switch id.Origin {
	case s3.OriginInstance:
		l.add(check, seen{
			result: Warn, tried: "look where the key is from", seen: "the instance's role is given to every " +
				"process of this host, PostgreSQL's too",
			remedy: "Give the role no right to delete or overwrite, or keep PostgreSQL from the metadata service " +
				"(IPAddressDeny=169.254.169.254 in a drop-in of its unit), or give backups a key of their own.",
		})
		return
	case s3.OriginEnvironment:
		l.ok(check, "look where the key is from", "the environment of this process, which no other user can read")
		return
	case s3.OriginOther:
		l.unknown(check, "look where the key is from",
			"another program or service gives it out, and to whom is not known here",
			"Find out whether the system user "+serverUser+" gets it, too.")
		return
	case s3.OriginFile:
	}
	tried := "look whether the system user " + serverUser + " can read " + id.File
	readable, err := ReadableBy(serverUser, id.File)
	switch {
	case err != nil:
		l.unknown(check, tried, oneLine(err), "Run `sudo pgbtui doctor`.")
	case readable:
		l.add(check, seen{
			result: Fail, tried: tried, seen: "it can, and with it every superuser of the database",
			remedy: "Move the key to /etc/pgbtui/secret/writer, which root alone " +
				"reads, make a new one, and delete this one at AWS.",
		})
	default:
		l.ok(check, tried, "it cannot")
	}
}

// ReadableBy reports whether a user may read a file, by modes, owners and groups alone: no list of access rights
// (ACL) is looked at. It fails where that cannot be seen.
func ReadableBy(name, file string) (bool, error) {
	who, err := user.Lookup(name)
	if err != nil {
		return false, err
	}
	groups, err := who.GroupIds()
	if err != nil {
		return false, err
	}
	real, err := filepath.EvalSymlinks(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if who.Uid == "0" {
		return true, nil
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return false, err
		}
		if !allowed(info, who.Uid, groups, 1) {
			return false, nil
		}
		if dir == "/" {
			break
		}
	}
	info, err := os.Stat(real)
	if err != nil {
		return false, err
	}
	return allowed(info, who.Uid, groups, 4), nil
}

// allowed reports whether the mode gives a right (4 read, 1 pass through) to a user with these groups.
func allowed(info fs.FileInfo, uid string, groups []string, right fs.FileMode) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	mode := info.Mode().Perm()
	switch {
	case strconv.FormatUint(uint64(stat.Uid), 10) == uid:
		mode >>= 6
	case slices.Contains(groups, strconv.FormatUint(uint64(stat.Gid), 10)):
		mode >>= 3
	}
	return mode&right != 0
}
