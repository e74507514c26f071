package restore

import "fmt"

// checkPartial says what a set lacks of its database. What takes the place of a live database must lack nothing.
func (r *restoring) checkPartial() []Check {
	p := r.source.set.Partial()
	switch {
	case p == nil:
		return nil
	case r.source.set.Schema != "":
		return []Check{warns("whole", fmt.Sprintf("PARTIAL: the set is of schema %q alone", r.source.set.Schema), "")}
	case r.req.Replace != "":
		return []Check{fails("whole",
			fmt.Sprintf("the set is partial, %s: in the place of %q they would be gone", p, r.req.Replace),
			"Restore it beside the live one with --to, and copy from there what you need; "+
				"or choose a set of a job that makes whole ones.")}
	}
	return []Check{warns("whole", "PARTIAL: the set is "+p.String()+p.Names()+", because its job leaves them out", "")}
}
