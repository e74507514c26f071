// The audit line of an operator's action: who, from where, what, on what, in which run, why.
//
// Rules: the login uid is the kernel's and survives su and sudo; SUDO_USER and SSH_CONNECTION
// are the session's word and named so. What is not known is "unknown", never left out.

package journal

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/event"
)

// Action is what a person asked for.
type Action struct {
	What   string // "start", "stop", "restore", "hold"
	Target string // a unit, a set or a database
	Run    string // the run it started or concerns, "" when there is none
	Reason string // as typed, may be ""
}

// Operator is who asked, and from where.
type Operator struct {
	LoginUID string // decimal; "unknown" outside a login session
	Login    string // the login uid's name, else the process's user
	SudoUser string // SUDO_USER, "" without sudo
	From     string // the ssh client's address, "local" on a terminal without ssh, else "unknown"
}

// Session is where CurrentOperator looks. The zero value looks at this process.
type Session struct {
	LoginUIDPath string              // "": /proc/self/loginuid
	Getenv       func(string) string // nil: os.Getenv
}

// CurrentOperator is the person behind this process, as far as the session tells.
func (s Session) CurrentOperator() Operator {
	if s.LoginUIDPath == "" {
		s.LoginUIDPath = "/proc/self/loginuid"
	}
	if s.Getenv == nil {
		s.Getenv = os.Getenv
	}
	op := Operator{LoginUID: "unknown", SudoUser: s.Getenv("SUDO_USER"), From: "unknown"}
	if b, err := bounded.ReadFile(s.LoginUIDPath, bounded.File); err == nil {
		if uid := strings.TrimSpace(string(b)); uid != noLoginUID && uid != "" {
			op.LoginUID = uid
		}
	}
	op.Login = userName(op.LoginUID)
	if client, _, ok := strings.Cut(s.Getenv("SSH_CONNECTION"), " "); ok {
		op.From = client
	} else if s.Getenv("SSH_CONNECTION") == "" && s.Getenv("SUDO_USER") == "" && s.Getenv("XDG_SEAT") != "" {
		op.From = "local"
	}
	return op
}

// Name is who asked; where no login is known, who called sudo.
func (o Operator) Name() string {
	if o.LoginUID == "unknown" && o.SudoUser != "" {
		return o.SudoUser
	}
	return o.Login
}

// OwnerOperator is the operator who left a file, by its owner's uid. From where is not known any more.
func OwnerOperator(uid uint32) Operator {
	id := strconv.FormatUint(uint64(uid), 10)
	return Operator{LoginUID: id, Login: userName(id), From: "unknown"}
}

// noLoginUID is (uid_t) -1: nobody logged in (a service, or no audit support).
const noLoginUID = "4294967295"

func userName(loginUID string) string {
	id := loginUID
	if id == "unknown" {
		id = strconv.Itoa(os.Getuid())
	}
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "uid " + id
}

// Audit writes the action's one audit line: event operator-action, priority notice.
func Audit(ctx context.Context, log *slog.Logger, op Operator, a Action) {
	message := fmt.Sprintf("operator %s (from %s): %s %s", op.Login, op.From, a.What, a.Target)
	if a.Reason != "" {
		message += ": " + a.Reason
	}
	log.LogAttrs(ctx, LevelNotice, message, auditAttrs(op, a)...)
}

// auditAttrs are the fields of an audit line.
func auditAttrs(op Operator, a Action) []slog.Attr {
	attrs := []slog.Attr{
		event.Attr(event.OperatorAction),
		slog.String("operator", op.Login),
		slog.String("login_uid", op.LoginUID),
		slog.String("from", op.From),
		slog.String("action", a.What),
		slog.String("target", a.Target),
	}
	for _, optional := range []struct{ key, value string }{
		{"sudo_user", op.SudoUser}, {"run", a.Run}, {"reason", a.Reason},
	} {
		if optional.value != "" {
			attrs = append(attrs, slog.String(optional.key, optional.value))
		}
	}
	return attrs
}
