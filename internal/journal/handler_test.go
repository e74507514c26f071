package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/event"
)

// journald is the receiving end of the native protocol, as a test sees it.
type journald struct {
	path string
	conn *net.UnixConn
}

func newJournald(t *testing.T) *journald {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &journald{path, conn}
}

// receive returns the fields of the next entry and whether it came as a file.
func (j *journald) receive(t *testing.T) (fields map[string]string, asFile bool) {
	t.Helper()
	if err := j.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	data, oob := make([]byte, 1<<20), make([]byte, 1024)
	n, oobn, _, _, err := j.conn.ReadMsgUnix(data, oob)
	if err != nil {
		t.Fatal(err)
	}
	data = data[:n]
	if oobn > 0 {
		data, asFile = readSealed(t, oob[:oobn]), true
	}
	fields, err = decode(data)
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return fields, asFile
}

// readSealed does what journald does with a file: refuse it unless it is sealed.
func readSealed(t *testing.T, oob []byte) []byte {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fds[0]), "entry")
	defer file.Close()
	const want = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals != want {
		t.Fatalf("seals %#x, %v; want %#x", seals, err, want)
	}
	data, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// decode reads the native protocol, written apart from encode on purpose.
func decode(data []byte) (map[string]string, error) {
	fields := map[string]string{}
	for len(data) > 0 {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return nil, errors.New("no newline at the end")
		}
		name, value, inline := strings.Cut(string(line), "=")
		if !inline {
			if len(rest) < 8 {
				return nil, errors.New("cut length")
			}
			size := binary.LittleEndian.Uint64(rest)
			rest = rest[8:]
			if size >= uint64(len(rest)) || rest[size] != '\n' {
				return nil, fmt.Errorf("wrong length %d", size)
			}
			value, rest = string(rest[:size]), rest[size+1:]
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("field %s twice", name)
		}
		fields[name], data = value, rest
	}
	return fields, nil
}

func TestAnEntryCarriesItsEventPriorityAndSubject(t *testing.T) {
	j := newJournald(t)
	h := NewHandler(HandlerOptions{Socket: j.path})
	defer h.Close()
	log := slog.New(h).With("run", "r1", "job", "nightly", "instance", "db1/main", "database", "数据库")
	log.Log(t.Context(), LevelNotice, "committed\nand more", "event", event.BackupCommitted, "stage", "commit",
		"set", "20261122T020000Z-1a2b3c", "bytes", 42, "took", 3*time.Second, "stage", "retention",
		slog.Group("object", "key", "a=b"), "err", errors.New("none\x1b"))
	got, _ := j.receive(t)
	want := map[string]string{
		"MESSAGE": "committed\nand more", "PRIORITY": "5", "SYSLOG_IDENTIFIER": "pgbtui",
		"MESSAGE_ID": "c8cba66d912e485997424c15657c215c", "PGBTUI_EVENT": "backup-committed",
		"PGBTUI_RUN_ID": "r1", "PGBTUI_JOB": "nightly", "PGBTUI_INSTANCE": "db1/main", "PGBTUI_DATABASE": "数据库",
		"PGBTUI_STAGE": "retention", "PGBTUI_SET": "20261122T020000Z-1a2b3c", "PGBTUI_BYTES": "42",
		"PGBTUI_TOOK": "3s", "PGBTUI_OBJECT_KEY": "a=b", "PGBTUI_ERR": "none\x1b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEachLevelHasOnePriority(t *testing.T) {
	for level, want := range map[slog.Level]int{
		slog.LevelDebug: 7, -1: 7, slog.LevelInfo: 6, 1: 6, LevelNotice: 5, 3: 5, slog.LevelWarn: 4, 7: 4,
		slog.LevelError: 3, 11: 3, LevelAlert: 1, 99: 1,
	} {
		if got := Priority(level); got != want {
			t.Errorf("Priority(%d) = %d, want %d", level, got, want)
		}
	}
}

func TestFieldNamesAreWhatJournaldAccepts(t *testing.T) {
	for key, want := range map[string]string{
		"run": "PGBTUI_RUN_ID", "job": "PGBTUI_JOB", "login_uid": "PGBTUI_LOGIN_UID", "a.b-c": "PGBTUI_A_B_C",
		"é\n=": "PGBTUI____", strings.Repeat("k", 80): "PGBTUI_" + strings.Repeat("K", 57),
	} {
		if got := fieldName(key); got != want {
			t.Errorf("fieldName(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestAnUnknownEventHasNoMessageID(t *testing.T) {
	j := newJournald(t)
	h := NewHandler(HandlerOptions{Socket: j.path})
	defer h.Close()
	slog.New(h).Info("x", "event", "58264515e04a4accb55f863b55abd91f")
	got, _ := j.receive(t)
	if _, has := got["MESSAGE_ID"]; has {
		t.Errorf("entry %v has a MESSAGE_ID that the catalogue does not give", got)
	}
}

func TestALargeEntryGoesWholeAsASealedFile(t *testing.T) {
	j := newJournald(t)
	h := NewHandler(HandlerOptions{Socket: j.path})
	defer h.Close()
	message := strings.Repeat("line of a long message\n", 200_000)
	slog.New(h).Error(message)
	got, asFile := j.receive(t)
	if !asFile {
		t.Error("4.6 MB came as one datagram")
	}
	if message = strings.TrimSuffix(message, "\n"); got["MESSAGE"] != message {
		t.Errorf("message of %d bytes came as %d bytes", len(message), len(got["MESSAGE"]))
	}
}

func TestWhatJournaldDoesNotTakeGoesToTheFallback(t *testing.T) {
	var out bytes.Buffer
	h := NewHandler(HandlerOptions{Socket: filepath.Join(t.TempDir(), "nobody"), Fallback: &out})
	defer h.Close()
	slog.New(h).With("stage", "dump").WithGroup("g").Warn("slow\x1b[2J", "n", 1)
	if _, line, _ := strings.Cut(out.String(), " "); line != `dump warning: slow\x1b[2J g.n=1`+"\n" {
		t.Errorf("fallback got %q", line)
	}
	h = NewHandler(HandlerOptions{Socket: filepath.Join(t.TempDir(), "nobody")})
	defer h.Close()
	if err := h.Handle(t.Context(), slog.NewRecord(time.Now(), slog.LevelInfo, "x", 0)); err == nil {
		t.Error("an entry nobody took was no error")
	}
}

func TestAStuckJournaldIsLeftAlone(t *testing.T) {
	j := newJournald(t)
	var out bytes.Buffer
	h := NewHandler(HandlerOptions{Socket: j.path, Fallback: &out})
	defer h.Close()
	// Nobody receives: the socket's queue (net.unix.max_dgram_qlen) fills up, then entries must go past it.
	for range 5000 {
		slog.New(h).Info("entry")
	}
	if n := strings.Count(out.String(), "entry"); n == 0 || n >= 5000 {
		t.Errorf("%d of 5000 entries went to the fallback, want those after the full queue", n)
	}
}

func TestAnEntryIsSentAgainAfterJournaldRestarted(t *testing.T) {
	j := newJournald(t)
	h := NewHandler(HandlerOptions{Socket: j.path})
	defer h.Close()
	log := slog.New(h)
	log.Info("before")
	j.receive(t)
	j.conn.Close()
	os.Remove(j.path)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: j.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	j.conn = conn
	log.Info("after")
	if got, _ := j.receive(t); got["MESSAGE"] != "after" {
		t.Errorf("got %v", got)
	}
}

// journald asks /proc about the sender while it works on an entry, so the sender has to live until
// then: until journald comes back for the next one.
func TestClosingWaitsUntilJournaldIsDoneWithTheEntries(t *testing.T) {
	j := newJournald(t)
	h := NewHandler(HandlerOptions{Socket: j.path})
	slog.New(h).Error("the last word")
	closed := make(chan error, 1)
	go func() { closed <- h.Close() }()
	if got, _ := j.receive(t); got["MESSAGE"] != "the last word" {
		t.Errorf("got %v", got)
	}
	select {
	case err := <-closed:
		t.Fatalf("closed while journald worked on the entry: %v", err)
	default:
	}
	if n, err := j.conn.Read(make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("after the entry came %d bytes, %v; journald ignores only empty datagrams", n, err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestLevelsBelowTheChosenOneAreNotSent(t *testing.T) {
	h := NewHandler(HandlerOptions{Level: slog.LevelWarn})
	if h.Enabled(context.Background(), LevelNotice) || !h.Enabled(context.Background(), slog.LevelWarn) {
		t.Error("level is not obeyed")
	}
}
