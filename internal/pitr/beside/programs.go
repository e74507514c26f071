package beside

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// mostOutput bounds what a program's answer may have.
const mostOutput = 1 << 20

// program is one of the server's, run as the owner of its files.
func program(e *pitr.Engine, name string, args ...string) (postgres.Program, error) {
	as, err := e.Server.Owner()
	if err != nil {
		return postgres.Program{}, err
	}
	path := e.Server.Program(name)
	return postgres.Program{
		Path: path, Args: args, Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}, Dir: "/", As: as,
	}, nil
}

// stream runs a program and hands its output to read.
func stream(ctx context.Context, p postgres.Program, read func(io.Reader) error) error {
	process, err := postgres.StartProgram(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = process.Close() }()
	if err := read(process); err != nil {
		return fmt.Errorf("pitr: read what %s prints: %w", filepath.Base(p.Path), err)
	}
	_, _ = io.Copy(io.Discard, process)
	return process.Wait()
}

// ReadControl is pg_controldata of a data directory.
func ReadControl(ctx context.Context, e *pitr.Engine, dataDirectory string) (Control, error) {
	p, err := program(e, "pg_controldata", "--pgdata="+dataDirectory)
	if err != nil {
		return Control{}, err
	}
	var out []byte
	err = stream(ctx, p, func(r io.Reader) (err error) {
		out, err = bounded.ReadAll(r, mostOutput)
		return err
	})
	if err != nil {
		return Control{}, fmt.Errorf("pitr: pg_controldata of %s: %w", dataDirectory, err)
	}
	return ParseControl(out)
}

// writeOwned writes a file for the owner of the server's files.
func writeOwned(e *pitr.Engine, file, text string) error {
	err := os.WriteFile(file, []byte(text), 0o600)
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(file, int(e.Server.UID), int(e.Server.GID))
	}
	if err != nil {
		return fmt.Errorf("pitr: write %s: %w", filepath.Base(file), err)
	}
	return nil
}
