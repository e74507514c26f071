package main

import (
	"context"
	"io"
	"os"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// program is one invocation: what verbs are made from. It knows no verb's work.
type program struct {
	*streams
	*environment
	*settings
	*logs
	stores *stores

	identity string
	watched  bool // somebody waits for the answer, see access
	duty     duty // whose key the verb takes; "": that of people, s3.credentials_file
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

func (p *program) job(name string) (config.Job, error) {
	c, err := p.config()
	if err != nil {
		return config.Job{}, err
	}
	return c.Job(name)
}

// finder finds sets with the access of a verb.
func (p *program) finder(as access) *finder {
	return &finder{client: client{stores: p.stores, access: as}, streams: p.streams, settings: p.settings}
}

// runner makes worlds with the access of a verb.
func (p *program) runner(as access) *runner {
	return &runner{client: client{stores: p.stores, access: as}, streams: p.streams, env: p.environment, logs: p.logs}
}

func (p *program) access() access { return access{duty: p.duty, waitedFor: p.watched} }

func (p *program) client() client { return client{stores: p.stores, access: p.access()} }

func (p *program) bucket(ctx context.Context, job config.Job) (*s3.Bucket, error) {
	return p.client().bucket(ctx, job)
}

func (p *program) locate(ctx context.Context, s selection) (*located, error) {
	return p.finder(p.access()).locate(ctx, s)
}

func (p *program) runEnv(ctx context.Context, job config.Job) (backup.Env, func(), error) {
	return p.runner(p.access()).watched(ctx, job)
}
