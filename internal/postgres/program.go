package postgres

import (
	"context"
	"syscall"
)

// Program is a program of PostgreSQL that is no client: initdb, or a server of one's own. It runs
// under the rules of Process; Path, Args and Env are used as they are.
type Program struct {
	Path string
	Args []string
	Env  []string
	Dir  string              // where it runs; "": here
	As   *syscall.Credential // as whom; nil: as this process's user
	Stop syscall.Signal      // tells it to end; 0 is SIGTERM

	Apart uintptr // namespaces of its own, CLONE_NEW*; root's to give
}

// StartProgram starts a program that goes on until the context ends or Close is called.
func StartProgram(ctx context.Context, p Program) (*Process, error) {
	return start(ctx, command{path: p.Path, args: p.Args, env: p.Env, dir: p.Dir, as: p.As, stop: p.Stop, apart: p.Apart})
}

// RunProgram runs a program to its end and throws its output away; an error has the last lines of
// its standard error.
func RunProgram(ctx context.Context, p Program) error {
	process, err := StartProgram(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = process.Close() }()
	return discardAll(process)
}

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.done }
