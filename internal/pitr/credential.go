package pitr

import "syscall"

// Owner is how a program becomes the owner of the server's files; nil is this process's user already. Nobody but root
// and the owner can: code NotPermitted.
func (s Server) Owner() (*syscall.Credential, error) { return s.owner() }

// Environment is what programs of the engine and of the server get of this process's: what they need, and the engine's
// secrets where they are given by it.
func (e *PgBackRest) Environment() []string { return append(environment(), e.Secrets...) }

// ProgramPath is the engine's program, as it is started.
func (e *PgBackRest) ProgramPath() string { return e.program() }
