package dump

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// join finds out what several streams are together. A table that is not where it was planned is none that anybody may
// miss at a restore.
func (r *run) join(ctx context.Context, s *streams) error {
	lead, err := s.lead().scanner.Close()
	if err != nil {
		return notJoined(err)
	}
	joined := &backup.Streams{}
	var rows []archive.RowsArchive
	for i, one := range s.all[1:] {
		found, err := one.scanner.Close()
		if err != nil {
			return notJoined(err)
		}
		if err := r.asPlanned(ctx, s.plan[i], found); err != nil {
			return fault.New(fault.Failed, fmt.Sprintf("backup: stream %d", i+1),
				"Run the backup again; if that does not help, set streams: 1 for the job.", err)
		}
		rows = append(rows, archive.RowsArchive{Found: found, Head: one.head.bytes})
		joined.Rows = append(joined.Rows, backup.RowStream{HeadBytes: found.HeadBytes, Frames: one.index})
	}
	if s.found, joined.Inserted, err = archive.Join(lead, rows); err != nil {
		return err
	}
	s.joined = joined
	return nil
}

// asPlanned compares the tables that a stream has with those that it was to have.
func (r *run) asPlanned(ctx context.Context, want []postgres.SizedTable, found *archive.Archive) error {
	left := map[postgres.Table]postgres.Table{} // by the name that the archive may have it under
	for _, t := range want {
		left[t.Table] = t.Table
		if found.Decoded || found.Encoding == "UTF8" {
			continue
		}
		encoded := postgres.Table{}
		for _, part := range []struct {
			from string
			to   *string
		}{{t.Schema, &encoded.Schema}, {t.Name, &encoded.Name}} {
			var err error
			if *part.to, _, err = r.server.InEncoding(ctx, part.from); err != nil {
				return err
			}
		}
		delete(left, t.Table)
		left[encoded] = t.Table
	}
	for _, t := range found.Tables() {
		name := postgres.Table{Schema: t.Schema, Name: t.Name}
		if _, planned := left[name]; !planned {
			return errors.New("it has rows of table " + name.Written() + ", which are another stream's")
		}
		delete(left, name)
	}
	for _, t := range left {
		return errors.New("it lacks the rows of table " + t.Written())
	}
	return nil
}
