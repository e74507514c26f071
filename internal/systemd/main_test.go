package systemd

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary doubles as the program that the units run, so that they can be seen to start
// before there is a pgbtui: installed under that name, it behaves as its job or id says.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "pgbtui" {
		os.Exit(standIn(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func standIn(args []string) int {
	n := NotifierFrom(os.Getenv, os.Getpid())
	behave := args[len(args)-1]
	if i := strings.LastIndexByte(behave, '='); i >= 0 {
		behave = behave[i+1:]
	}
	fmt.Printf("stand-in: %q uid=%d state=%s runtime=%s\n", args, os.Getuid(), os.Getenv("STATE_DIRECTORY"), os.Getenv("RUNTIME_DIRECTORY"))
	for _, entry := range os.Environ() {
		if strings.HasPrefix(entry, "MONITOR_") || strings.HasPrefix(entry, "PROBE") {
			fmt.Printf("stand-in: env %q\n", entry)
		}
	}
	var code int
	if k, _ := fmt.Sscanf(behave, "exit%d", &code); k == 1 {
		return code
	}
	if strings.HasPrefix(behave, "slow") {
		return standSlow(n)
	}
	var moves, extends int
	if k, _ := fmt.Sscanf(behave, "moves%dthen%d", &moves, &extends); k == 2 {
		return standMoving(n, time.Duration(moves)*time.Second, time.Duration(extends)*time.Second)
	}
	if behave == "kill" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return 0
}

// standMoving moves "bytes" for a while, each allowing so much time more, and ends well; after no time
// at all it hangs instead.
func standMoving(n *Notifier, moves, extends time.Duration) int {
	n.extend = extends
	n.Alive("backup: dump 1%")
	if moves == 0 {
		time.Sleep(10 * time.Minute)
	}
	for end := time.Now().Add(moves); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		n.Alive("backup: dump 50%")
	}
	return 0
}

// standSlow moves "bytes" until it is told to stop.
func standSlow(n *Notifier) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for i := 0; i < 600; i++ {
		n.Alive(fmt.Sprintf("backup: dump %d%%", i%100))
		select {
		case <-stop:
			return 143
		case <-time.After(100 * time.Millisecond):
		}
	}
	return 0
}
