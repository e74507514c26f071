package scratch

import (
	"context"
	"maps"
	"slices"
	"strings"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What a copied database wants of its server's start. Some extensions can only be created where their library was
// loaded then, and pg_cron only in the database that a parameter names. The server loads what it can get and says what
// it could not: the set is not to blame for that.

// Needs is what a database had from its server.
type Needs struct {
	Database   string   `json:"database,omitempty"`   // the copy's name
	Extensions []string `json:"extensions,omitempty"` // that it has
	Libraries  []string `json:"libraries,omitempty"`  // that its server loaded, in their order
}

// The limits of what is looked after, which keep an order within a line.
const (
	maxExtensions = 400
	maxLibraries  = 24
)

func (n Needs) bounded() Needs {
	plain := postgres.PlainLibraries(strings.Join(n.Libraries, ","))
	n.Libraries = plain[:min(len(plain), maxLibraries)]
	n.Extensions = slices.DeleteFunc(slices.Clone(n.Extensions),
		func(name string) bool { return len(name) > postgres.MaxName })
	n.Extensions = n.Extensions[:min(len(n.Extensions), maxExtensions)]
	return n
}

// equipment are the settings that the copy wants. Workers are never started: those of extensions would run the
// source's jobs, or change the copy before it is compared.
func (s *Server) equipment() []string {
	if len(s.libraries) == 0 {
		return nil
	}
	settings := append([]string{"shared_preload_libraries=" + strings.Join(s.libraries, ","), "max_worker_processes=0"},
		s.parameters...)
	if slices.Contains(s.libraries, "pg_cron") {
		settings = append(settings, "cron.launch_active_jobs=off", "cron.log_run=off")
	}
	return settings
}

// equip starts a server again that its copy wants libraries of. The server runs.
func (s *Server) equip(ctx context.Context, o Options, as *syscall.Credential) error {
	needs := o.Needs.bounded()
	wanted := needs.Libraries
	missing, err := postgres.Unloaded(ctx, s.Target("postgres"), needs.Extensions)
	if err != nil && ctx.Err() == nil {
		s.lacks("what extensions want of the server's start", err)
	}
	for _, extension := range slices.Sorted(maps.Keys(missing)) {
		if library := missing[extension]; !slices.Contains(wanted, library) {
			wanted = append(wanted, library)
		}
	}
	switch {
	case len(wanted) > 0:
		err = s.load(ctx, o, as, wanted)
	case err != nil: // a library may have ended the server
		err = s.restart(ctx, o, as)
	}
	if err != nil || len(s.libraries) == 0 {
		return err
	}
	return s.bind(ctx, o, as, needs.Database)
}

// load has the server load all of these, else each that it starts with.
func (s *Server) load(ctx context.Context, o Options, as *syscall.Credential, wanted []string) error {
	s.libraries = wanted
	if err := s.restart(ctx, o, as); err == nil || ctx.Err() != nil {
		return err
	}
	s.libraries = nil
	for _, library := range wanted {
		before := s.libraries
		s.libraries = append(slices.Clone(before), library)
		if err := s.restart(ctx, o, as); ctx.Err() != nil {
			return err
		} else if err != nil {
			s.lacks("library "+library, err)
			s.libraries = before
		}
	}
	return s.restart(ctx, o, as)
}

// bind names the copy where a library works in one database only.
func (s *Server) bind(ctx context.Context, o Options, as *syscall.Credential, database string) error {
	session, err := postgres.Connect(ctx, s.Target("postgres"), 0)
	if err != nil {
		return err
	}
	bound, err := session.Bound(ctx)
	_ = session.Close(ctx)
	if err != nil || len(bound) == 0 || database == "" {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(bound)) {
		s.parameters = append(s.parameters, name+"="+database)
	}
	return s.restart(ctx, o, as)
}

func (s *Server) restart(ctx context.Context, o Options, as *syscall.Credential) error {
	_ = s.process.Close()
	return s.run(ctx, o, as)
}

// lacks keeps why something could not be had, without the remedies of a server that ended by itself.
func (s *Server) lacks(what string, err error) {
	s.Lacks = append(s.Lacks, what+": "+strings.Join(strings.Fields(err.Error()), " "))
}
