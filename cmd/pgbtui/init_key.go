package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// initKey is the store's key while it is tried: typed, or of a file. Until it has proved right it is in memory alone.
type initKey struct {
	text   string   // as it is written for the units; "": the role of the instance, or the environment
	memory *os.File // the same, where the SDK can read it
}

// hold keeps a key in memory.
func (k *initKey) hold(text string) error {
	k.close()
	fd, err := unix.MemfdCreate("pgbtui-key", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("init: keep the key in memory: %w", err)
	}
	k.memory = os.NewFile(uintptr(fd), "key")
	if _, err := k.memory.WriteString(text); err != nil {
		return fmt.Errorf("init: keep the key in memory: %w", err)
	}
	k.text = text
	return nil
}

// path is where this process, and no other, can read the key; "" without one.
func (k *initKey) path() string {
	if k.memory == nil {
		return ""
	}
	return fmt.Sprintf("/proc/self/fd/%d", k.memory.Fd())
}

func (k *initKey) close() {
	if k.memory != nil {
		_ = k.memory.Close()
	}
	*k = initKey{}
}

// writersFile is where the backups' key lies for the units.
func writersFile() string { return filepath.Join(systemd.SecretDir, string(writer)) }

// readKeyFile reads a file in the format of ~/.aws/credentials.
func readKeyFile(file string) (string, error) {
	what := "init: read the store's key in " + file
	text, err := bounded.ReadFile(file, bounded.File)
	if err != nil {
		return "", fault.New(fault.NotFound, what, "Correct the path of the file.", err)
	}
	if !strings.Contains(string(text), "aws_access_key_id") {
		return "", fault.New(fault.Config, what+": there is no aws_access_key_id in it",
			"Write it in the format of ~/.aws/credentials (docs/units.md#credentials).", nil)
	}
	return string(text), nil
}

// typedKey is such a file for a key that was typed. An ID has no character that the format knows.
func typedKey(id, secret string) string {
	return "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\n"
}
