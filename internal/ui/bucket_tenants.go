package ui

import (
	"cmp"
	"slices"
	"strconv"
)

// Tenants on the bucket screen: each with what its own sets hold and cost; of very many, the largest, and the rest in
// one row, so that no sum loses anything.

// mostTenants of one job are shown by name.
const mostTenants = 8

// ofTenant names a database, or a tenant's schema in it.
func ofTenant(database, schema string) string {
	if schema == "" {
		return clean(database)
	}
	return clean(database + " · " + schema)
}

// fewTenants are the costs with all but the largest tenants of a job, database and class in one row.
func fewTenants(all []CostView) []CostView {
	type group struct{ job, database, class string }
	of := map[group][]CostView{}
	for _, c := range all {
		if c.Schema != "" {
			k := group{job: c.Job, database: c.Database, class: c.Class}
			of[k] = append(of[k], c)
		}
	}
	var out []CostView
	for _, c := range all {
		k := group{job: c.Job, database: c.Database, class: c.Class}
		tenants := of[k]
		if c.Schema == "" || len(tenants) <= mostTenants {
			out = append(out, c)
			continue
		}
		if c.Schema != tenants[0].Schema {
			continue // told with the first of them
		}
		bySize := slices.SortedStableFunc(slices.Values(tenants),
			func(a, b CostView) int { return cmp.Compare(b.Bytes, a.Bytes) })
		out = append(out, bySize[:mostTenants-1]...)
		rest := CostView{Job: c.Job, Database: c.Database, Class: c.Class, Known: true}
		for _, t := range bySize[mostTenants-1:] {
			rest.Sets += t.Sets
			rest.Bytes += t.Bytes
			rest.USD += t.USD
			rest.Known = rest.Known && t.Known
		}
		rest.Schema = strconv.Itoa(len(bySize)-mostTenants+1) + " more"
		out = append(out, rest)
	}
	return out
}

// together are the projections with all tenants of a job in one row: a database has hundreds of them.
func together(all []Projection) []Projection {
	var out []Projection
	for _, p := range all {
		i := slices.IndexFunc(out, func(o Projection) bool {
			return p.Schema != "" && o.Schema != "" && o.Job == p.Job && o.Database == p.Database
		})
		if p.Schema != "" {
			p.Schema = "all tenants"
		}
		if i < 0 {
			out = append(out, p)
			continue
		}
		out[i].GoesOn, out[i].IfSo = addMonths(out[i].GoesOn, p.GoesOn), addMonths(out[i].IfSo, p.IfSo)
		if out[i].Note == "" || p.GoesOn == nil { // what is not known outweighs by what growth it goes
			out[i].Note = p.Note
		}
	}
	return out
}

// addMonths adds months up; of one that is not known the sum is not either.
func addMonths(a, b []float64) []float64 {
	if len(a) != len(b) {
		return nil
	}
	sum := slices.Clone(a)
	for i := range b {
		sum[i] += b[i]
	}
	return sum
}
