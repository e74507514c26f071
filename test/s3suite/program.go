package s3suite

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// server is a store that others wrote, as a program.
type server struct {
	name, program, addr string
	args, env           []string // env is added to the environment
}

// startProgram runs a store until the test's end, and waits until it listens.
func startProgram(t testing.TB, s server) {
	t.Helper()
	said := filepath.Join(t.TempDir(), s.name+".log")
	log, err := os.Create(said)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), s.program, s.args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", s.name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed just now
		_ = log.Close()
		if text, _ := os.ReadFile(said); t.Failed() {
			t.Logf("%s said:\n%s", s.name, text)
		}
	})
	awaitListener(t, s.name, s.addr, said)
}

func (s Store) makeBucket(t testing.TB) {
	t.Helper()
	if _, err := s.Client(t).CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Fatalf("make bucket in %s: %v", s.Endpoint, err)
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitListener waits until somebody listens.
func awaitListener(t testing.TB, name, addr, said string) {
	t.Helper()
	for range 300 {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(said)
	t.Fatalf("%s did not listen within 30 s:\n%s", name, text)
}
