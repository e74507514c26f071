package chaos

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Damage counts what was done to one kind of object, and who noticed.
type Damage struct {
	Object   string // the key within the set
	Done     int
	Listed   int // the set is not listed as good any more
	Verified int // verify fails
	Unmarked int // neither
	// Harmless are those of Unmarked after which the set still restores to the same bytes.
	Harmless   int
	Violations []string
}

// SetKind is how the sets were written that are damaged.
type SetKind string

// The kinds. Only signed sets have a hash of every byte of the manifest as well; they are the ones of several streams.
const (
	Plain  SetKind = "plain"
	Sealed SetKind = "age"
	Signed SetKind = "signed"
)

// SetKinds are all of them.
func SetKinds() []SetKind { return []SetKind{Plain, Sealed, Signed} }

// patient is a set with which the laboratory plays, in-process: the program's verify called a thousand times.
type patient struct {
	world *World
	set   set
	env   backup.Env
	job   config.Job
	keys  []age.Identity
}

func (l *Lab) newPatient(ctx context.Context, kind SetKind) (*patient, error) {
	o := worldOptions{sealed: kind == Sealed, signed: kind == Signed}
	if o.signed {
		o.streams = 3
	}
	w, err := l.newWorld(ctx, o)
	if err != nil {
		return nil, err
	}
	sets, err := w.firstSet(ctx)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	p := &patient{
		world: w, set: sets[0],
		env: backup.Env{Bucket: w.bucket, Log: slog.New(slog.DiscardHandler), Now: time.Now, Host: "laboratory", Tool: "chaos", Trigger: "cli"},
		job: config.Job{
			Name: w.database, Instance: instance, Database: w.database, StallAfter: time.Minute,
			Postgres: config.Postgres{BinDir: l.server.BinDir}, S3: config.S3{Bucket: bucketName, Prefix: prefix},
		},
	}
	switch kind {
	case Plain:
	case Sealed:
		p.keys = []age.Identity{l.key}
	case Signed:
		p.job.Signing.PublicKeys = []ed25519.PublicKey{w.signer.Public().(ed25519.PublicKey)}
	}
	return p, nil
}

// Flips turns single bits at random places: n of them, in turn in every object of a set.
func (l *Lab) Flips(ctx context.Context, seed uint64, n int, kind SetKind) ([]Damage, error) {
	r := rand.New(rand.NewPCG(seed, uint64(slices.Index(SetKinds(), kind))))
	return l.damage(ctx, kind, n, func(i int, body []byte) (changed []byte, what string) {
		at, bit := r.IntN(len(body)), r.IntN(8)
		changed = bytes.Clone(body)
		changed[at] ^= 1 << bit
		return changed, fmt.Sprintf("bit %d of byte %d", bit, at)
	})
}

// Cuts shortens every object to n lengths: nothing, one byte, all but one, around the borders of
// age's chunks and of blocks, and at random.
func (l *Lab) Cuts(ctx context.Context, seed uint64, n int, kind SetKind) ([]Damage, error) {
	r := rand.New(rand.NewPCG(seed, 100+uint64(slices.Index(SetKinds(), kind))))
	return l.damage(ctx, kind, n, func(i int, body []byte) ([]byte, string) {
		lengths := []int{0, 1, len(body) - 1, len(body) / 2}
		for _, block := range []int{512, 4096, 64 << 10, 64<<10 + 16} { // age: 64 KiB and a tag of 16 bytes
			for _, near := range []int{-1, 0, 1} {
				lengths = append(lengths, block+near, len(body)-block+near)
			}
		}
		length := r.IntN(len(body))
		if i < len(lengths) && lengths[i] >= 0 && lengths[i] < len(body) {
			length = lengths[i]
		}
		return body[:length], fmt.Sprintf("cut to %d bytes", length)
	})
}

// damage changes the objects of a set in turn, one at a time, n changes in all.
func (l *Lab) damage(ctx context.Context, kind SetKind, n int, change func(i int, body []byte) ([]byte, string)) (all []Damage, err error) {
	p, err := l.newPatient(ctx, kind)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.world.Close()) }()
	for _, o := range p.set.objects {
		all = append(all, Damage{Object: o.key})
	}
	for i := range n {
		at := i % len(all)
		o := p.set.objects[at]
		changed, what := change(i/len(all), o.body)
		if err := p.try(ctx, &all[at], o, changed, what); err != nil {
			return all, err
		}
	}
	return all, nil
}

// try puts a changed object, asks who notices, and puts the right one back.
func (p *patient) try(ctx context.Context, d *Damage, o object, changed []byte, what string) error {
	key := p.world.folder() + p.set.id + "/" + o.key
	if _, err := p.world.bucket.Put(ctx, key, changed, s3.PutOptions{}); err != nil {
		return err
	}
	d.Done++
	if err := p.ask(ctx, d, o, changed, what); err != nil {
		return err
	}
	if _, err := p.world.bucket.Put(ctx, key, o.body, s3.PutOptions{}); err != nil {
		return err
	}
	return p.forgetProofs(ctx)
}

func (p *patient) ask(ctx context.Context, d *Damage, o object, changed []byte, what string) error {
	catalogue := backup.NewCatalogue(p.world.bucket, p.job)
	found, err := catalogue.Find(ctx, backup.Scope{Instance: instance, Database: p.world.database}, p.set.id)
	if fault.CodeOf(err) == fault.NotFound || (err == nil && !found.Good()) {
		d.Listed++
		return nil
	}
	if err != nil {
		return err
	}
	_, err = verify.Whole(ctx, p.job, p.env, found, p.keys)
	switch code := fault.CodeOf(err); {
	case code == fault.Integrity, code == fault.Refused && o.key == manifestName: // as a set that needs tools which nobody has
		d.Verified++
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		d.Violations = append(d.Violations, fmt.Sprintf("%s, %s: exit code %d: %v", o.key, what, code, err))
	default:
		p.unmarked(ctx, d, o, changed, what)
	}
	return nil
}

// unmarked is a change that nothing noticed. It can only be one of the manifest's describing
// words, which no hash covers unless manifests are signed; the backup itself must be unharmed.
func (p *patient) unmarked(ctx context.Context, d *Damage, o object, changed []byte, what string) {
	d.Unmarked++
	now := p.set
	now.objects = bytesOf(p.set.objects, o.key, changed)
	now.manifest = &backup.Manifest{}
	if o.key != manifestName || json.Unmarshal(changed, now.manifest) != nil {
		d.Violations = append(d.Violations, fmt.Sprintf("%s, %s: not noticed", o.key, what))
		return
	}
	if problem := p.world.provenWhole(ctx, &now); problem != "" {
		d.Violations = append(d.Violations, fmt.Sprintf("%s, %s: not noticed, and %s", o.key, what, problem))
		return
	}
	d.Harmless++
}

func bytesOf(objects []object, key string, body []byte) []object {
	changed := make([]object, len(objects))
	for i, o := range objects {
		if o.key == key {
			o.body = body
		}
		changed[i] = o
	}
	return changed
}

// forgetProofs removes what verify recorded, so that it counts for one damage only.
func (p *patient) forgetProofs(ctx context.Context) error {
	var keys []string
	for o, err := range p.world.bucket.List(ctx, p.world.folder()+p.set.id+"/") {
		if err != nil {
			return err
		}
		if strings.Contains(o.Key, "/proofs/") {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := p.world.bucket.Delete(ctx, keys)
	return err
}
