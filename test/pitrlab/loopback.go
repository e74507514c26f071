package pitrlab

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// onBothLoopbacks has the store answer on ::1 as well. pgBackRest 2.45 tries only the first address that a name has, and
// localhost's is ::1 where /etc/hosts has both, as Debian's has.
func (l *Lab) onBothLoopbacks(t testing.TB) {
	t.Helper()
	address := strings.TrimPrefix(l.Store.Endpoint, "https://")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	six, err := net.Listen("tcp6", net.JoinHostPort("::1", port))
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		return // there is no ::1, and no name for it
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = six.Close() })
	go func() {
		for {
			from, err := six.Accept()
			if err != nil {
				return // closed at the end of the test
			}
			go forward(from, address)
		}
	}()
}

// forward carries bytes both ways until one side has ended.
func forward(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp4", address)
	if err != nil {
		return
	}
	defer to.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [2][2]net.Conn{{to, from}, {from, to}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
