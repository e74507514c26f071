# The commands of this repository. `make demo` and `make test` install what they miss
# (scripts/deps, Debian 12+ or Ubuntu 24.04 with Go) and need no network on their second run.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# cgo is for the journal reader (libsystemd's headers, opened at run time) and the race detector.
export CGO_ENABLED := 1
# A checkout of another owner must not fail the build; scripts/release asks Git for the version.
export GOFLAGS := -buildvcs=false
# Tools that scripts/deps keeps inside the checkout when the distribution has no package.
export PATH := $(CURDIR)/.cache/awscli/bin:$(CURDIR)/.cache/prometheus/usr/bin:$(PATH)

# Tests that boot systemd or become `postgres` need root. Someone else's test binaries are run by
# sudo one by one, so that the build and its caches stay theirs; what those tests build goes to a
# cache of its own for the same reason.
ROOT_ENV = PGBTUI_TEST_ALL=1 CGO_ENABLED=1 GOFLAGS=$(GOFLAGS) PATH=$(PATH) \
	GOCACHE=$(CURDIR)/.cache/go-build-root GOMODCACHE=$(shell go env GOMODCACHE)
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo env $(ROOT_ENV))
TEST_FLAGS = -p 2 $(if $(AS_ROOT),-exec '$(AS_ROOT)')
# The longest first: a package that takes seven minutes and starts last runs alone for most of them.
LONG = ./test/installed ./internal/backup/integration ./internal/systemd ./internal/pitr/beside ./cmd/pgbtui
# The race detector doubles the time of a test. It watches the packages whose tests run their goroutines in this
# process and wait for nobody else; `make race` watches all, which takes three quarters of an hour on two cores.
RACE_PACKAGES = ./internal/backup/lease ./internal/backup/meter ./internal/backup/sealed ./internal/bounded ./internal/console ./internal/journal \
	./internal/notify ./internal/postgres/archive ./internal/s3 ./internal/ui ./internal/watch
# Of the runs themselves it watches those that are ended or meet each other.
RACE_TESTS = Cancel|Terminated|Killed|AtOnce|Race|Lease|Lock

.PHONY: build test race demo lint bench chaos matrix fuzz release release-check deps deps-release clean

build:
	go build -trimpath -o bin/pgbtui ./cmd/pgbtui

# Everything: a missing need fails, and only what `make matrix` alone has is left out (see test/need).
test: deps-release
	PGBTUI_TEST_ALL=1 go test -timeout 50m $(TEST_FLAGS) $(LONG) ./...
	PGBTUI_TEST_ALL=1 go test -race -timeout 50m $(TEST_FLAGS) $(RACE_PACKAGES)
	PGBTUI_TEST_ALL=1 go test -race -timeout 50m $(TEST_FLAGS) -run '$(RACE_TESTS)' ./internal/backup/integration
	CGO_ENABLED=0 go test -run WithoutCgo ./internal/journal

race: deps-release
	PGBTUI_TEST_ALL=1 go test -race -timeout 90m $(TEST_FLAGS) ./...

# A real systemd with a database, a store, a timer that fires, and the console in it. Without a
# terminal: backup, verify, restore, compare, report.
demo: deps
	mkdir -p .cache/demo
	go build -o .cache/demo/ ./cmd/pgbtui ./test/s3server/cmd/s3server ./test/seed/cmd/seed ./test/demo
	$(AS_ROOT) .cache/demo/demo

# A 2 GB database against the floor and the ways people do it without pgbtui; docs/performance.md.
# Arguments: make bench BENCH='-size 200 -n 1'
bench:
	@scripts/deps restic pgbackrest
	go run ./test/bench $(BENCH)

# The fault laboratory at length, five to fifteen minutes on two cores; docs/reliability.md. With root
# the kernel's own out-of-memory killer takes part. It prints its seed.
# Arguments: make chaos N=500 SEED=7 CHAOS='-flips 100 -races 1 -pause=false', or, to keep the
# figures, CHAOS='-update docs/reliability.md'
N ?= 200
SEED ?= 0
chaos: deps
	mkdir -p .cache
	go build -o .cache/chaos ./test/chaos/cmd/chaos
	$(AS_ROOT) .cache/chaos -n $(N) -seed $(SEED) $(CHAOS)

# The tests that depend on PostgreSQL's version and systemd's, in Debian 13, in the next Debian, and with all versions
# of PostgreSQL side by side; and MinIO as the store. More than an hour, as root, so it goes in pieces too. Their roots
# are kept in .cache.
# Arguments: make matrix MATRIX='-suite trixie -tests archive,host', or, to keep the rows of what is run,
# MATRIX='-update docs/versions.md'; `go run ./test/matrix -h` names all pieces.
matrix: deps
	mkdir -p .cache
	go build -o .cache/matrix ./test/matrix
	$(AS_ROOT) .cache/matrix $(MATRIX)

# Every fuzzer in turn, each for FUZZTIME. What one finds lands in its testdata/fuzz, to be kept.
FUZZTIME ?= 10s
fuzz:
	scripts/fuzz $(FUZZTIME)

# Tarballs, Debian packages, RPMs, SBOMs and sums of this commit in dist, for both architectures; docs/release.md.
# Go's own library is in what people get, so the patch release is one without known faults; go fetches it.
RELEASE_GO ?= go1.26.10+auto
release: deps-release
	GOTOOLCHAIN=$(RELEASE_GO) ARCHS='amd64 arm64' scripts/release

# Whether anybody else would get the same bytes: everything compiled twice, compared.
release-check:
	GOTOOLCHAIN=$(RELEASE_GO) scripts/release-check

# The tools are pinned in tools/go.mod, apart from what the program is built from.
# Where vuln.go.dev cannot be reached: make lint GOVULNCHECK='-db file:///path/of/a/copy'
lint:
	unformatted=$$(go tool -modfile=tools/go.mod gofumpt -l .); test -z "$$unformatted" || { echo "not gofumpt-ed:"; echo "$$unformatted"; exit 1; }
	go tool -modfile=tools/go.mod golangci-lint run ./...
	go tool -modfile=tools/go.mod govulncheck $(GOVULNCHECK) ./...

deps:
	@scripts/deps

# Releases are for the other architecture as well, which amd64 compiles for.
deps-release:
	@scripts/deps $(if $(filter amd64,$(shell go env GOHOSTARCH)),gcc-aarch64-linux-gnu libc6-dev-arm64-cross,gcc-x86-64-linux-gnu libc6-dev-amd64-cross)

clean:
	rm -rf bin dist
	$(if $(AS_ROOT),sudo )rm -rf .cache
