package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

var hostileNames = []string{
	"dbname=template1", "postgresql://x", "postgres://template1", `a"b`, "x/../y", "数据库", "new\nline",
	`it's \ a`, "-d template1", "$(id)", "\x1b]52;c;eA==\a", "%s %i", " leading", "host=/nowhere user=nobody",
}

func target(s *pgtest.Server, db string) Target {
	return Target{Host: s.Host, Port: s.Port, User: s.User, Database: db}
}

func connect(t testing.TB, target Target) *Server {
	t.Helper()
	s, err := Connect(t.Context(), target, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func tools(t testing.TB, s *pgtest.Server) Tools {
	t.Helper()
	found, err := FindTools(t.Context(), s.BinDir, 13)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// role creates a login role that lives as long as the test.
func role(t testing.TB, s *pgtest.Server, attributes string) string {
	t.Helper()
	name := "r_" + random()
	s.Exec(t, "postgres", "CREATE ROLE "+name+" LOGIN "+attributes)
	t.Cleanup(func() { s.Exec(t, "postgres", "DROP OWNED BY "+name+"; DROP ROLE "+name) })
	return name
}

func random() string {
	var b [5]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// dump is a whole archive of a database.
func dump(t testing.TB, s *pgtest.Server, db string) []byte {
	t.Helper()
	archive, err := tryDump(t, tools(t, s), target(s, db), DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func tryDump(t testing.TB, tools Tools, target Target, o DumpOptions) ([]byte, error) {
	t.Helper()
	p, err := tools.Dump(t.Context(), target, o)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), p.Wait()
}

func wantCode(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("code %d, want %d: %v", got, code, err)
	}
	if err != nil && len(err.Error()) > 30_000 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

// bulky makes a table whose dump does not fit into the pipes between server and us.
func bulky(t testing.TB, s *pgtest.Server, db string) {
	t.Helper()
	s.Exec(t, db, "CREATE TABLE bulky AS SELECT i, repeat(md5(i::text), 30) AS t FROM generate_series(1, 30000) AS i")
}
