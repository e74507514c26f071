package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// ErrNoAnswer is in the chain when a question has not exactly one row with a value.
var ErrNoAnswer = errors.New("the answer is not one row")

// Ask runs one statement of somebody else's in a transaction that can't write, with the
// database's own search path, for at most timeout. The answer is the text of the first column of
// the only row; NULL is "". A statement that is no SQL is code Config.
func (s *Server) Ask(ctx context.Context, sql string, timeout time.Duration) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const what = "postgres: ask"
	_, err := s.conn.Exec(ctx, "BEGIN READ ONLY")
	if err != nil {
		return "", classify(what, err)
	}
	defer func() { _, _ = s.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK") }()
	for _, set := range []string{
		"SET LOCAL search_path TO DEFAULT", fmt.Sprintf("SET LOCAL statement_timeout = %d", timeout.Milliseconds()),
	} {
		if _, err := s.conn.Exec(ctx, set); err != nil {
			return "", classify(what, err)
		}
	}
	answer, err := onlyRow(s.conn.PgConn().ExecParams(ctx, sql, nil, nil, nil, nil))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42601" {
		return "", fault.New(fault.Config, what, "Correct the statement.", err)
	}
	return answer, classify(what, err)
}

func onlyRow(rows *pgconn.ResultReader) (answer string, err error) {
	count := 0
	for rows.NextRow() {
		if values := rows.Values(); count == 0 && len(values) > 0 {
			answer = string(values[0])
		}
		count++
	}
	if _, err := rows.Close(); err != nil {
		return "", err
	}
	if count != 1 {
		return "", fmt.Errorf("%w: %d rows", ErrNoAnswer, count)
	}
	return answer, nil
}
