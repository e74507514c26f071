package postgres

import "context"

// HoldDefinitions keeps the tables that rows of the given ones reach as they are until the session ends: nobody adds
// a constraint, trigger, index or partition to them meanwhile. It opens a transaction and leaves it open.
func (s *Server) HoldDefinitions(ctx context.Context, tables []Table) error {
	// A change of a table that is under way may keep the load waiting no longer than this.
	err := s.exec(ctx, "BEGIN")
	if err == nil {
		err = s.exec(ctx, "SET LOCAL lock_timeout = '10s'")
	}
	held := 0
	// What is locked gets no new neighbours, so this ends as soon as nothing was found that was not locked before.
	for err == nil {
		var reached []string
		if reached, err = s.reachedTables(ctx, tables); len(reached) <= held {
			break
		}
		held = len(reached)
		for _, name := range reached {
			if err := s.exec(ctx, "LOCK TABLE ONLY "+name+" IN SHARE UPDATE EXCLUSIVE MODE"); err != nil {
				return classify("postgres: keep table "+name+" in "+s.target.name()+" from being changed", err)
			}
		}
	}
	return classify("postgres: keep tables in "+s.target.name()+" from being changed", err)
}

// reachedTables are the quoted names of the tables that rows of the given ones reach: themselves, and the trees of
// partitions that they are in.
func (s *Server) reachedTables(ctx context.Context, tables []Table) ([]string, error) {
	schemas, names := schemasAndNames(tables)
	return s.names(ctx, reachedByRows+` SELECT format('%I.%I', n.nspname, c.relname) FROM met AS m
		JOIN pg_class AS c ON c.oid = m.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE NOT m.type AND c.relkind IN ('r', 'p') ORDER BY c.oid`, schemas, names)
}

// schemasAndNames are tables as the two arrays that queries take.
func schemasAndNames(tables []Table) (schemas, names []string) {
	for _, t := range tables {
		schemas = append(schemas, t.Schema)
		names = append(names, t.Name)
	}
	return schemas, names
}
