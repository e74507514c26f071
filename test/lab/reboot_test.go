package lab

import (
	"context"
	"testing"
)

func TestALabKeepsItsDiskAcrossARebootAndAPowerCut(t *testing.T) {
	l := Start(t, Options{})
	if _, err := l.SQL(t.Context(), "postgres", "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]func(context.Context) error{"reboot": l.Reboot, "power cut": l.CutPower} {
		boot := l.Run(t, "root", "cat", "/proc/sys/kernel/random/boot_id")
		l.Run(t, "root", "touch", "/run/gone", "/var/lib/stays-"+name)
		leader := l.leader
		if err := again(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if l.leader == leader {
			t.Errorf("%s: the same systemd runs (%s)", name, boot)
		}
		if _, err := l.Output(t.Context(), "root", "test", "!", "-e", "/run/gone"); err != nil {
			t.Errorf("%s: /run was kept", name)
		}
		l.Run(t, "root", "test", "-e", "/var/lib/stays-"+name)
		if n, err := l.SQL(t.Context(), "postgres", "SELECT n FROM kept"); err != nil || n != "7" {
			t.Errorf("%s: %q, %v", name, n, err)
		}
	}
}
