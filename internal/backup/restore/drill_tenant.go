package restore

import (
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// A drill of a tenant's set, into a server that has nothing else of its database. Extensions can be made there. What
// only foreign keys need is left out with these keys, and told as not proven. Without anything else the schema cannot
// be made: then nothing is proven, and nothing is wrong with the set either.

// outside prepares for what the set needs from outside of its schema.
func (d *drilling) outside(ctx context.Context) error {
	if d.source.set.Schema == "" || d.source.contents == nil {
		return nil
	}
	var without []postgres.Outside
	for _, n := range d.source.contents.Outside {
		switch {
		case n.Extension != "" && n.Name != d.source.set.Schema:
		case n.KeysOnly:
			d.req.KeepGoing = true
		default:
			without = append(without, n)
		}
	}
	if len(without) > 0 {
		return fault.New(fault.Refused,
			"drill: not proven, because the schema needs what is outside of it: "+namesOutside(without),
			"Prove it with a restore beside the others, `pgbtui restore ID --beside DB --as NAME`, "+
				"and drill a set of the whole database.", nil)
	}
	return d.extend(ctx)
}

// leaveKeysOut accepts foreign keys that could not be made, of which the outside is missing, and nothing else.
func (d *drilling) leaveKeysOut(context.Context) error {
	if !d.req.KeepGoing || d.source.set.Schema == "" {
		return nil
	}
	d.req.KeepGoing = false
	var keys, others []string
	for _, u := range d.result.Unmade {
		if strings.HasPrefix(u.Object, "FK CONSTRAINT ") {
			keys = append(keys, u.Object)
		} else {
			others = append(others, u.Object)
		}
	}
	if len(others) > 0 {
		return &notWholeError{objects: others, err: fault.New(fault.Integrity,
			"drill: the dump does not restore as a whole: "+strings.Join(others, ", "),
			"Correct the object in the source and back it up again.", nil)}
	}
	d.result.Unmade = nil
	if len(keys) > 0 {
		d.doesNotProve("foreign keys into other schemas: " + strings.Join(backup.Shorten(keys), "; "))
	}
	return nil
}
