// One entry on its way to journald: systemd's native journal protocol.
//
// Rules: an entry is one datagram; one too large for that goes as a sealed memfd, which
// journald reads without copying. A journald that does not take one within sendTimeout is left
// alone for restTime: records must not hold up a backup.

package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sendTimeout = 2 * time.Second
	restTime    = time.Minute
)

var errStuck = errors.New("journald did not accept an entry a moment ago")

// field is one KEY=value of an entry; journald accepts A-Z, 0-9 and _ in names.
type field struct{ name, value string }

// encode writes fields in the export form: a value with a newline carries its length.
func encode(fields []field) []byte {
	var b []byte
	for _, f := range fields {
		b = append(b, f.name...)
		if strings.Contains(f.value, "\n") {
			b = append(b, '\n')
			b = binary.LittleEndian.AppendUint64(b, uint64(len(f.value)))
		} else {
			b = append(b, '=')
		}
		b = append(b, f.value...)
		b = append(b, '\n')
	}
	return b
}

// sender owns one unconnected datagram socket, so that a restart of journald goes unnoticed.
type sender struct {
	addr  net.UnixAddr
	mu    sync.Mutex
	conn  *net.UnixConn // nil until the first entry
	stuck time.Time     // when sendTimeout passed last
}

func newSender(path string) *sender {
	return &sender{addr: net.UnixAddr{Name: path, Net: "unixgram"}}
}

func (s *sender) send(entry []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.stuck) < restTime {
		return fmt.Errorf("journal: send entry to %s: %w", s.addr.Name, errStuck)
	}
	if s.conn == nil {
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
		if err != nil {
			return fmt.Errorf("journal: open socket: %w", err)
		}
		s.conn = conn
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return fmt.Errorf("journal: set deadline: %w", err)
	}
	_, _, err := s.conn.WriteMsgUnix(entry, nil, &s.addr)
	if errors.Is(err, unix.EMSGSIZE) || errors.Is(err, unix.ENOBUFS) {
		err = s.sendFile(entry)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.stuck = time.Now()
	}
	if err != nil {
		return fmt.Errorf("journal: send entry to %s: %w", s.addr.Name, err)
	}
	return nil
}

// sendFile passes the entry as a memfd. journald takes one only when it is sealed.
func (s *sender) sendFile(entry []byte) error {
	fd, err := unix.MemfdCreate("pgbtui-journal-entry", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("create memfd: %w", err)
	}
	file := os.NewFile(uintptr(fd), "memfd")
	defer file.Close()
	if _, err := file.Write(entry); err != nil {
		return fmt.Errorf("write memfd: %w", err)
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal memfd: %w", err)
	}
	_, _, err = s.conn.WriteMsgUnix(nil, unix.UnixRights(fd), &s.addr)
	return err
}

// settle waits until journald is done with what was sent. It learns from /proc whose an entry is:
// one whose sender has exited by then gets no _SYSTEMD_UNIT=, and nobody finds it who looks by unit.
//
// journald takes one datagram after the other, so when it has taken an empty one, which it ignores,
// it is done with those before. What it has not taken yet is still charged to our socket (SIOCOUTQ,
// unix(7)).
func (s *sender) settle() {
	if time.Since(s.stuck) < restTime || s.conn.SetWriteDeadline(time.Now().Add(sendTimeout)) != nil {
		return
	}
	if _, _, err := s.conn.WriteMsgUnix(nil, nil, &s.addr); err != nil {
		return
	}
	for end := time.Now().Add(sendTimeout); s.pending() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// pending reports whether anything that was sent has not been taken.
func (s *sender) pending() bool {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return false
	}
	queued := 0
	if raw.Control(func(fd uintptr) { queued, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) != nil || err != nil {
		return false
	}
	return queued > 0
}

func (s *sender) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	s.settle()
	err := s.conn.Close()
	s.conn = nil
	return err
}
