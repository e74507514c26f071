// Package postgres is all that pgbtui knows about a PostgreSQL server and its client programs:
// how to reach a database, what it is, and how pg_dump, pg_dumpall and pg_restore are run.
// It knows nothing of S3, systemd or backup sets.
//
// Rules of the package:
//   - A database's name reaches a program only through PGDATABASE and SQL only through
//     QuoteIdent: in an argument, "dbname=template1" or "postgresql://x" would be taken for
//     connection settings and lead to another database.
//   - No shell. Children run in their own process group, get a small environment without
//     other parts' secrets, and never outlive this process.
//   - Errors carry a fault.Code by SQLSTATE where a session of ours saw the error, and by the
//     text of standard error where a program did. PostgreSQL before 18 and after 13 behaves
//     alike in all that is used here; what differs is said where it is handled.
package postgres
