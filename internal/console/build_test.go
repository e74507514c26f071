package console

import (
	"context"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// countedBus is a system bus that hangs up on everybody, and counts them.
func countedBus(t *testing.T) *atomic.Int64 {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
	var came atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return &came
}

// The first frame waits for nobody: bus, journal and bucket are opened when a screen reads them.
func TestBuildingTheConsoleAsksNobody(t *testing.T) {
	came := countedBus(t)
	opened := 0
	setup := Setup{
		Config: &config.Config{Jobs: []config.Job{{Name: "sales", Database: "sales", Instance: "db1"}}},
		Open:   func(context.Context, config.Job) (*s3.Bucket, error) { opened++; return nil, context.Canceled },
	}
	options, done := Build(setup)
	defer done()
	if n := came.Load(); n != 0 || opened != 0 {
		t.Errorf("%d connections to the bus, %d to the bucket", n, opened)
	}
	if journal := options.Sources.Journal.(*entries).journal; journal.reader != nil {
		t.Error("the journal is open")
	}
	goals := options.Sources.Objectives.Objectives(t.Context())
	if n := came.Load(); n == 0 || goals["sales"].RPO == 0 || goals["sales"].RPOFrom != "without a timer to ask" {
		t.Errorf("%d connections: %+v", n, goals)
	}
	if _, err := options.Sources.Units.Watch(t.Context()); err == nil {
		t.Error("a bus that hangs up is watched")
	}
}
