package s3

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeConns are two ends of a connection with working deadlines, inside a bubble of fake time.
func pipeConns(t *testing.T, idle time.Duration) (*idleConn, net.Conn) {
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return newIdleConn(near, idle, nil), far
}

func TestAConnectionThatSendsIsNotIdleHoweverLongTheAnswerTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, far := pipeConns(t, time.Minute)
		read := make(chan error, 1)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			read <- err
		}()
		for range 10 { // ten minutes of a slow upload
			time.Sleep(50 * time.Second)
			go func() { _, _ = conn.Write([]byte("x")) }()
			if _, err := far.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := far.Write([]byte("y")); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Errorf("the answer after a slow upload: %v", err)
		}
	})
}

func TestAConnectionOnWhichNothingMovesIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := pipeConns(t, time.Minute)
		begun := time.Now()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		if waited := time.Since(begun); waited != 2*time.Minute {
			t.Errorf("gave up after %s", waited)
		}
	})
}

func TestManyReadersKeepTheirConnections(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "a", []byte("x"))
	const readers, rounds = 24, 12
	for range rounds { // between which all of them are idle
		var group sync.WaitGroup
		for range readers {
			group.Go(func() {
				body, _, err := b.Get(t.Context(), "a", 0, -1)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			})
		}
		group.Wait()
	}
	connections := map[string]bool{}
	for _, r := range srv.Requests() {
		connections[r.From] = true
	}
	if len(connections) > 2*readers {
		t.Errorf("%d requests of %d readers came over %d connections", rounds*readers, readers, len(connections))
	}
}
