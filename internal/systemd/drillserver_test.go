package systemd

import (
	"slices"
	"strings"
	"testing"
)

// What the set's owners wrote runs in this unit. A line that lets it see more has to be argued for here.
func TestTheServerOfADrillSeesNothingOfTheHost(t *testing.T) {
	settings := parseUnit(rendered(t, "postgres-drill-server@.service"))
	one := func(name string) string { return strings.Join(values(settings, "Service", name), " ") }
	for name, want := range map[string]string{
		"User": "pgbtui-drill", "Group": "pgbtui-drill", "SupplementaryGroups": "",
		"TemporaryFileSystem": "/:ro,mode=0755 /dev/shm:mode=0000", "RootDirectory": "/run/pgbtui-drill/root", "PrivateNetwork": "yes", "RestrictAddressFamilies": "AF_UNIX",
		"StandardInput": "socket", "StandardOutput": "null", "StandardError": "null",
		"EnvironmentFile": "", "LoadCredential": "", "StateDirectory": "", "ReadWritePaths": "", "BindPaths": "", "PrivateUsers": "yes", "PrivateTmp": "yes",
	} {
		if got := one(name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	seen := strings.Fields(one("BindReadOnlyPaths"))
	for i := range seen {
		seen[i] = strings.TrimPrefix(seen[i], "-")
	}
	slices.Sort(seen)
	want := []string{"/bin", "/etc/alternatives", "/etc/ld.so.cache", "/etc/passwd", "/lib", "/lib32", "/lib64", "/sbin", "/usr", DefaultBinary, "/var/cache/postgresql"}
	slices.Sort(want)
	if !slices.Equal(seen, want) {
		t.Errorf("it sees %q, expected %q", seen, want)
	}
	socket := parseUnit(rendered(t, DrillServerSocket))
	if user, mode := values(socket, "Socket", "SocketUser"), values(socket, "Socket", "SocketMode"); !slices.Equal(user, []string{"pgbtui"}) || !slices.Equal(mode, []string{"0600"}) {
		t.Errorf("others may have servers: %q, %q", user, mode)
	}
	if !strings.Contains(fileAt(t, tmpfilesFile), "\nd /run/pgbtui-drill 0710 root pgbtui-drill -\n") {
		t.Error("others may pass to the sockets")
	}
}

func fileAt(t *testing.T, path string) string {
	t.Helper()
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Path == path {
			return f.Text
		}
	}
	t.Fatalf("no file %s", path)
	return ""
}
