package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const loginCanary = "CANARY-of-production"

// greedy is a server that asks everybody for a password in clear, and keeps what it gets.
func greedy(t *testing.T) (dir string, got func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "greedy") //nolint:usetesting // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 8)
	go func() {
		defer close(heard)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			heard <- askPassword(conn)
		}
	}()
	return dir, func() string {
		_ = listener.Close()
		var all strings.Builder
		for text := range heard {
			all.WriteString(text)
		}
		return all.String()
	}
}

// askPassword answers the start of a session with AuthenticationCleartextPassword (protocol.sgml), and
// refuses encryption.
func askPassword(conn net.Conn) string {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var all bytes.Buffer
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		all.Write(buffer[:n])
		if err != nil {
			return all.String()
		}
		if buffer[0] == 'p' { // what it has for a password
			return all.String()
		}
		if n == 8 && binary.BigEndian.Uint32(buffer[4:]) != 196608 {
			_, _ = conn.Write([]byte{'N'})
			continue
		}
		_, _ = conn.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3})
	}
}

func TestAServerThatMayBeHostileIsOfferedNoPassword(t *testing.T) {
	home := t.TempDir()
	line := "*:*:*:*:" + loginCanary + "\n"
	if err := os.WriteFile(filepath.Join(home, ".pgpass"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	for _, variable := range []string{"PGPASSWORD", "none"} {
		t.Setenv(variable, loginCanary)
		for _, hostile := range []bool{true, false} {
			dir, got := greedy(t)
			target := Target{Host: dir, Port: "5432", User: "u", Database: "d", NoSecrets: hostile}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			if s, err := Connect(ctx, target, 0); err == nil {
				_ = s.Close(ctx)
			}
			tools, err := FindTools(ctx, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := tools.Amcheck(ctx, target); err == nil { // libpq, as pg_restore
				t.Error("let in")
			}
			cancel()
			// The other way round shows that there was something to be had.
			if told := strings.Contains(got(), loginCanary); told == hostile {
				t.Errorf("NoSecrets %v, password in %s: it was told: %v", hostile, variable, told)
			}
		}
		if err := os.Unsetenv(variable); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventTriggersOfAnArchiveAreSwitchedOffBesideOtherSettings(t *testing.T) {
	o := RestoreOptions{NoEventTriggers: true}
	if got := o.env([]string{"PGOPTIONS=-c work_mem=8MB", "PGUSER=u"}); !slices.Equal(got, []string{"PGOPTIONS=-c work_mem=8MB -c event_triggers=off", "PGUSER=u"}) {
		t.Errorf("%q", got)
	}
	if got := o.env([]string{"PGUSER=u"}); !slices.Contains(got, "PGOPTIONS=-c event_triggers=off") {
		t.Errorf("%q", got)
	}
	if got := (RestoreOptions{}).env([]string{"PGUSER=u"}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
