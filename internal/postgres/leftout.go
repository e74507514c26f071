package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// What a dump that leaves tables out has to know of the database: which relations there are, and what refers to those
// that are left out.

// Relation is a table, view, sequence or the like of the session's database.
type Relation struct {
	Table
	OID    uint32
	Parent uint32 // the table that it is a partition of, inherits from (the first of several) or belongs to; 0: none

	Sequence bool
}

// Relations are all that pg_dump takes names of, without the server's own.
func (s *Server) Relations(ctx context.Context) ([]Relation, error) {
	type row struct {
		Schema, Name string
		OID, Parent  uint32
		Sequence     bool
	}
	rows, err := collect[row](ctx, s, `SELECT n.nspname, c.relname, c.oid,
		coalesce(h.inhparent, o.refobjid, 0), c.relkind = 'S'
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
			LEFT JOIN pg_inherits AS h ON h.inhrelid = c.oid AND h.inhseqno = 1
			LEFT JOIN pg_depend AS o ON c.relkind = 'S' AND o.classid = 'pg_class'::regclass AND o.objid = c.oid
				AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
		ORDER BY 1, 2`)
	relations := make([]Relation, len(rows))
	for i, r := range rows {
		relations[i] = Relation{
			Table: Table{Schema: r.Schema, Name: r.Name}, OID: r.OID, Parent: r.Parent,
			Sequence: r.Sequence,
		}
	}
	return relations, classify("postgres: list tables in "+s.target.name(), err)
}

// Referrer is something that cannot be made, or not with all of its rows, without something else.
type Referrer struct {
	What string // "constraint orders_customer_fkey on table orders", as the server describes it
	To   string // "table customer"
}

// ownerOfDependent is the relation that a row of pg_depend is part of, 0 for what is part of none.
const ownerOfDependent = `coalesce(
	(SELECT r.ev_class FROM pg_rewrite AS r WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid),
	(SELECT c.conrelid FROM pg_constraint AS c WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid),
	(SELECT a.adrelid FROM pg_attrdef AS a WHERE d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid),
	(SELECT p.polrelid FROM pg_policy AS p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid),
	(SELECT t.tgrelid FROM pg_trigger AS t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid),
	CASE d.classid WHEN 'pg_class'::regclass THEN d.objid END, 0)`

// NeedTables is what cannot be made without these relations, and is no part of them.
func (s *Server) NeedTables(ctx context.Context, oids []uint32) ([]Referrer, error) {
	found, err := collect[Referrer](ctx, s, `SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0),
		pg_describe_object(d.refclassid, d.refobjid, 0)
		FROM pg_depend AS d
		WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY($1::oid[]) AND d.deptype = 'n'
			AND `+ownerOfDependent+` <> ALL($1::oid[])
		ORDER BY 1, 2`, oids)
	return found, classify("postgres: look for what needs the tables that are left out", err)
}

// NeedRows are foreign keys of tables with rows that refer to rows of these, which are without.
func (s *Server) NeedRows(ctx context.Context, oids []uint32) ([]Referrer, error) {
	found, err := collect[Referrer](ctx, s, `SELECT pg_describe_object('pg_constraint'::regclass, c.oid, 0),
			pg_describe_object('pg_class'::regclass, c.confrelid, 0)
		FROM pg_constraint AS c
		WHERE c.contype = 'f' AND c.convalidated AND c.confrelid = ANY($1::oid[]) AND c.conrelid <> ALL($1::oid[])
		ORDER BY 1, 2`, oids)
	return found, classify("postgres: look for what needs the rows that are left out", err)
}

// InEncoding is a text as the bytes that the database has it in, in which programs take names too. ok is false for
// what the database cannot have.
func (s *Server) InEncoding(ctx context.Context, text string) (encoded string, ok bool, err error) {
	var raw []byte
	err = s.row(ctx, "SELECT convert_to($1, getdatabaseencoding())", []any{text}, &raw)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "22P05" { // untranslatable_character
		return "", false, nil
	}
	return string(raw), err == nil, classify("postgres: encode a name", err)
}
