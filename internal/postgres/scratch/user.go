package scratch

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// DrillUser is the system user of the units' servers. It owns nothing and is in no other's group.
const DrillUser = "pgbtui-drill"

// servants may run a private server for root, since PostgreSQL refuses to run as root. What it runs is
// what the owners of a database wrote, so it is never the user of the backups or of a live server.
var servants = []string{DrillUser, "nobody"}

// servant is whom the server runs as; nil is this process's user.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range servants {
		if c, err := credential(name); err == nil {
			return c, nil
		}
	}
	return nil, fault.New(fault.Refused,
		"scratch: a PostgreSQL server does not run as root, and there is no user "+DrillUser+" or nobody",
		"Create the user with `sudo pgbtui units install`.", nil)
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// uidOf is the user of the server's files.
func uidOf(c *syscall.Credential) int {
	if c == nil {
		return os.Geteuid()
	}
	return int(c.Uid)
}
