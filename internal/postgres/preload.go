package postgres

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// What an extension may want of a server before it can be created there, which no dump tells: its library loaded when
// the server starts (shared_preload_libraries), and a parameter that names the one database that may have it.

// preloadWanted is in the refusals of such libraries, in every language: by the parameter's name, or by that word.
var preloadWanted = regexp.MustCompile(`(?i)preload`)

// libraryName is the plain form of a library in shared_preload_libraries: without a folder, it is one of the
// server's packages.
var libraryName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)

// PlainLibraries are those of a value of shared_preload_libraries that the server's packages bring.
func PlainLibraries(value string) (names []string) {
	for _, name := range splitList(value) {
		if name = strings.TrimPrefix(name, "$libdir/"); len(name) <= MaxName && libraryName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// Unloaded says which of these extensions, if they are installed on the server's host, can't be created because the
// server has not loaded their library at its start: the names of the libraries by the extensions'. The libraries are
// asked themselves, each in a session that ends with it, so this is for a superuser of a server that nobody else uses.
func Unloaded(ctx context.Context, t Target, extensions []string) (map[string]string, error) {
	missing := map[string]string{}
	for _, extension := range extensions {
		if !libraryName.MatchString(extension) {
			continue
		}
		library, refused, err := askLibrary(ctx, t, extension)
		if err != nil {
			return nil, err
		}
		if refused {
			missing[extension] = library
		}
	}
	return missing, nil
}

func askLibrary(ctx context.Context, t Target, extension string) (library string, refused bool, err error) {
	s, err := Connect(ctx, t, 0)
	if err != nil {
		return "", false, err
	}
	defer func() { _ = s.Close(context.WithoutCancel(ctx)) }()
	// Where a loader of the extension's own name is there, as TimescaleDB has one, that is what a server loads.
	var module string
	err = s.row(ctx, `SELECT coalesce(substring(pg_read_file(share.setting || '/extension/' || $1 || '.control', 0,
		65536, true)
				FROM '(?n)^\s*module_pathname\s*=\s*''([^'']+)'''), ''),
			CASE WHEN pg_stat_file(lib.setting || '/' || $1 || '.so', true) IS NULL THEN '' ELSE $1 END
		FROM pg_config AS share, pg_config AS lib WHERE share.name = 'SHAREDIR' AND lib.name = 'PKGLIBDIR'`,
		[]any{extension}, &module, &library)
	what := "postgres: look at extension " + QuoteIdent(extension)
	if err != nil || module == "" {
		return "", false, classify(what, err)
	}
	if library == "" {
		library = module[strings.LastIndexByte(module, '/')+1:]
	}
	err = s.exec(ctx, "LOAD "+QuoteLiteral(module))
	var said *pgconn.PgError
	if !errors.As(err, &said) { // loaded, or nobody answers
		return "", false, classify(what, err)
	}
	// Any other refusal is for CREATE EXTENSION to meet.
	return library, preloadWanted.MatchString(said.Message + said.Hint + said.Detail), nil
}

// knownToPreload are extensions whose libraries refuse to be loaded later than the server's start. A live server is
// not made to load a library only to see whether it may, so of others nothing is known before they are created.
var knownToPreload = []string{"citus", "pg_cron", "pg_squeeze", "pg_stat_kcache", "pgaudit", "pglogical", "timescaledb"}

// NotPreloaded says which of these extensions the server can't create, because it does not load their libraries. A
// role that may not see what it loads is told of none.
func (s *Server) NotPreloaded(ctx context.Context, extensions []string) (missing []string, err error) {
	values, err := s.names(ctx, "SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'")
	if err != nil || len(values) == 0 {
		return nil, classify("postgres: libraries of the server", err)
	}
	loaded := PlainLibraries(values[0])
	for _, name := range extensions {
		if slices.Contains(knownToPreload, name) && !slices.Contains(loaded, name) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// Bound are the parameters of loaded libraries that name the one database they work in, with their values, as
// cron.database_name does. Who may not see them gets none.
func (s *Server) Bound(ctx context.Context) (map[string]string, error) {
	rows, err := collect[struct{ Name, Value string }](ctx, s, `SELECT name, coalesce(setting, '') FROM pg_settings
		WHERE context = 'postmaster' AND vartype = 'string' AND name ~* '^[a-z0-9_]+\.(database|database_name|dbname)$'
		ORDER BY name`)
	bound := map[string]string{}
	for _, r := range rows {
		bound[r.Name] = r.Value
	}
	return bound, classify("postgres: parameters of libraries", err)
}
