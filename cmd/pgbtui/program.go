package main

import (
	"io"
	"os"
	"time"
)

// program is one invocation: what verbs are made from. It knows no verb's work.
type program struct {
	*streams
	*environment
	*settings
	*logs
	stores *stores
}

// outside is what a process hands to its program.
type outside struct {
	in     *os.File
	out    io.Writer
	err    io.Writer
	getenv func(string) string
	now    func() time.Time
}

func newProgram(o outside) *program {
	env := &environment{getenv: o.getenv, now: o.now}
	return &program{
		streams:     &streams{in: o.in, out: o.out, err: o.err},
		environment: env,
		settings:    &settings{env: env, notes: o.err},
		logs:        &logs{stderr: o.err},
		stores:      &stores{env: env},
	}
}

func (p *program) close() {
	p.logs.close()
	p.stores.close()
}

// finder finds sets with the access of a verb.
func (p *program) finder(as access) *finder {
	return &finder{client: client{stores: p.stores, access: as}, streams: p.streams, settings: p.settings}
}

// runner makes worlds with the access of a verb.
func (p *program) runner(as access) *runner {
	return &runner{client: client{stores: p.stores, access: as}, streams: p.streams, env: p.environment, logs: p.logs}
}
