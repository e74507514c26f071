// Package integration has the tests of internal/backup that need all of it at once: a job between a real PostgreSQL and
// a real S3 API (world), in which sets are made, damaged, read, restored and deleted.
package integration
