package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// minio is this machine's own system with MinIO as the store.
const minio = "minio"

// withMinIO builds MinIO, which takes five minutes the first time, and runs the tests against it.
func withMinIO(ctx context.Context, p piece, _ string) (row, error) {
	program, err := minioProgram(ctx)
	if err != nil {
		return row{}, err
	}
	versions, err := minioVersions(ctx)
	if err != nil {
		return row{}, err
	}
	fmt.Fprintf(os.Stderr, "matrix: %s, %s: %s\n", p.debian(), versions, p.title)
	out, err := p.here(ctx, "PGBTUI_TEST_MINIO="+program)
	return p.of(versions, rowOf(out, err)), ctx.Err()
}

// minioProgram is the tool that test/minio/go.mod pins, built or found built.
func minioProgram(ctx context.Context) (string, error) {
	out, err := inMinIO(ctx, "tool", "-n", "minio")
	if err != nil {
		return "", fmt.Errorf("build MinIO: %w\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// dated is the day of a version without a number: "v0.0.0-20260212201848-7aac2a2c5b7c".
var dated = regexp.MustCompile(`-(\d{4})(\d\d)(\d\d)\d{6}-`)

// minioVersions are those of this machine's PostgreSQL and of MinIO, which has a date for one.
func minioVersions(ctx context.Context) (string, error) {
	version, err := inMinIO(ctx, "list", "-m", "-f", "{{.Version}}", "github.com/minio/minio")
	if err != nil {
		return "", fmt.Errorf("ask for the version of MinIO: %w\n%s", err, version)
	}
	day := dated.FindStringSubmatch(string(version))
	if day == nil {
		return "", fmt.Errorf("the version of MinIO has no date: %s", version)
	}
	postgres, err := exec.CommandContext(ctx, "sh", "-c", "for p in /usr/lib/postgresql/*/bin/postgres; do $p --version; done").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ask for PostgreSQL's version: %w\n%s", err, postgres)
	}
	return fmt.Sprintf("PostgreSQL %s, MinIO %s", strings.Join(numbers(postgres), ", "), strings.Join(day[1:], "-")), nil
}

func inMinIO(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = "test/minio"
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off")
	return cmd.CombinedOutput()
}
