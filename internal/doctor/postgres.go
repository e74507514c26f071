package doctor

import (
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// The server that is backed up, and the programs that do it.

func postgresCatalogue() []Check {
	const units, config, versions = "docs/units.md#credentials", "docs/configuration.md", "docs/versions.md"
	return []Check{
		{
			ID: "postgresql.reach", Why: "A run that does not reach the server makes no backup.",
			Docs: "docs/troubleshooting.md#what-to-do-when",
		},
		{ID: "postgresql.sessions", Why: "A backup has two sessions at once: its lock, and pg_dump's.", Docs: config},
		{ID: "postgresql.role", Why: "A superuser's password or socket is worth the " +
			"whole host; a backup needs to read only.", Docs: units},
		{ID: "postgresql.tables", Why: "pg_dump ends at the first table that it may not read.", Docs: units},
		{ID: "postgresql.large-objects", Why: "pg_dump ends at the first large object that it may not read.", Docs: units},
		{
			ID: "postgresql.row-security", Why: "Where row security filters for the role, pg_dump refuses to dump the table.",
			Docs: units,
		},
		{
			ID: "postgresql.globals", Why: "A restored role without its password lets nobody log in until someone sets one.",
			Docs: "docs/restore.md",
		},
		{
			ID: "postgresql.unlogged", Why: "A standby has no rows of unlogged tables, so that a dump of it has none either.",
			Docs: config + "#a-hot-standby-as-the-source",
		},
		{ID: "postgresql.clients", Why: "pg_dump refuses a newer server, and not every " +
			"pg_restore can put back what a pg_dump wrote.", Docs: versions},
		{ID: "postgresql.bugs", Why: "A backup keeps what the server lost or damaged before it.", Docs: versions},
		{ID: "postgresql.settings", Why: "Some settings let a server hand out damaged or " +
			"missing rows as if they were right.", Docs: config},
		{ID: "postgresql.locks", Why: "pg_dump locks every table in one transaction; without room for " +
			"that it ends with \"out of shared memory\".", Docs: "docs/troubleshooting.md#what-to-do-when"},
		{ID: "postgresql.drill", Why: "Only a restore proves a set, and a drill needs a " +
			"server's programs and the room for one.", Docs: "docs/verification.md"},
	}
}

// Server connects once, without waiting, and looks for what would keep a backup from being made: role, rights,
// sessions, and programs for the server's version.
func Server(ctx context.Context, job config.Job) (facts postgres.Facts, detail string, err error) {
	server, err := connect(ctx, job)
	if err != nil {
		return facts, "", err
	}
	defer func() { _ = server.Close(ctx) }()
	if err := server.EnoughSessions(ctx); err != nil {
		return facts, "", err
	}
	facts, err = server.Facts(ctx)
	if err != nil {
		return facts, "", err
	}
	programs, err := clients(ctx, job, facts)
	if err != nil {
		return facts, "", err
	}
	if facts.Unreadable > 0 || facts.Unowned > 0 {
		what := fmt.Sprintf("role %s can't read %d tables and %d large objects", facts.Role, facts.Unreadable, facts.Unowned)
		return facts, "", fault.New(fault.NotPermitted, what, remedyRights, nil)
	}
	detail = fmt.Sprintf("server %s as role %s, %s, %s", facts.Version, facts.Role, readable.Size(facts.SizeBytes),
		programs)
	return facts, detail, nil
}

const remedyRights = "GRANT pg_read_all_data TO the role (`pgbtui units print " +
	"--sql`); large objects need their owner's rights."

func connect(ctx context.Context, job config.Job) (*postgres.Server, error) {
	c := job.Postgres
	return postgres.Connect(ctx, postgres.Target{Host: c.Host, Port: c.Port, User: c.User, Database: job.Database}, 0)
}

// clients are the programs that back the server up, as pg_dump tells its version.
func clients(ctx context.Context, job config.Job, facts postgres.Facts) (string, error) {
	tools, err := postgres.FindTools(ctx, job.Postgres.BinDir, facts.Major())
	if err == nil {
		err = tools.CheckFrom(facts)
	}
	return tools.Version, err
}

// server is what the checks of PostgreSQL go by.
type server struct {
	*log
	job   config.Job
	facts postgres.Facts
	risks postgres.Risks
}

// postgresChecks look at the server of one database.
func postgresChecks(ctx context.Context, w World) []Finding {
	l := &log{from: w.From}
	tried := "log in to database " + w.Job.Database + " as a backup does"
	conn, err := connect(ctx, w.Job)
	if err != nil {
		l.failed("postgresql.reach", Fail, tried, err)
		return l.findings
	}
	defer func() { _ = conn.Close(ctx) }()
	s := server{log: l, job: w.Job}
	s.facts, err = conn.Facts(ctx)
	if err == nil {
		s.risks, err = conn.Risks(ctx)
	}
	if err != nil {
		l.failed("postgresql.reach", Fail, tried+", and ask its catalogue", err)
		return l.findings
	}
	f := s.facts
	l.ok("postgresql.reach", tried, fmt.Sprintf("PostgreSQL %s, %s", f.Version, readable.Size(f.SizeBytes)))
	l.judge("postgresql.sessions", "compare connection limits of database and role with what a backup needs",
		"enough for a backup", conn.EnoughSessions(ctx))
	s.role()
	s.rights()
	s.globals()
	s.standby()
	programs, err := clients(ctx, w.Job, f)
	l.judge("postgresql.clients", fmt.Sprintf("find pg_dump, pg_dumpall and pg_restore for server %d", f.Major()),
		programs, err)
	s.bugs()
	s.settings()
	s.locks()
	s.drill(ctx, w.Drill)
	return l.findings
}

func (s *server) role() {
	f := s.facts
	tried := "look at the attributes of role " + f.Role
	switch {
	case f.Superuser:
		s.add("postgresql.role", seen{
			result: Warn, tried: tried, seen: "role " + f.Role + " is a superuser",
			remedy: "Create a role that only reads (`pgbtui units print --sql`), and let the job log in as it.",
		})
	case f.Translated:
		s.add("postgresql.role", seen{
			result: Warn, tried: tried, seen: "the server's messages to role " + f.Role + " are not in English, so that " +
				"pgbtui cannot tell why a dump failed",
			remedy: "Run ALTER ROLE " + postgres.QuoteIdent(f.Role) + " SET lc_messages = 'C' as a superuser.",
		})
	default:
		s.ok("postgresql.role", tried, "role "+f.Role+" is no superuser")
	}
}

// rights are those that pg_dump needs.
func (s *server) rights() {
	f := s.facts
	role := postgres.QuoteIdent(f.Role)
	const tried = "count in the catalogue what role and database have"
	if f.Unreadable > 0 {
		s.add("postgresql.tables", seen{
			result: Fail, tried: tried, seen: fmt.Sprintf("role %s can't read %d of %d tables", f.Role, f.Unreadable, f.Tables),
			remedy: "Run GRANT pg_read_all_data TO " + role + " as a superuser (PostgreSQL 14 and later).",
		})
	} else {
		s.ok("postgresql.tables", tried, fmt.Sprintf("all tables can be read: %d", f.Tables))
	}
	if f.Unowned > 0 {
		s.add("postgresql.large-objects", seen{
			result: Fail, tried: tried, seen: fmt.Sprintf("role %s can't read %d of %d large objects", f.Role, f.Unowned,
				f.LargeObjects),
			remedy: "GRANT the roles that own them TO " + role + ", or GRANT SELECT ON LARGE OBJECT for each.",
		})
	} else {
		s.ok("postgresql.large-objects", tried, fmt.Sprintf("all large objects can be read: %d", f.LargeObjects))
	}
	if f.RowSecurity > 0 && !f.BypassRLS {
		s.add("postgresql.row-security", seen{
			result: Fail, tried: tried, seen: fmt.Sprintf("row security filters %d tables for role %s", f.RowSecurity, f.Role),
			remedy: "Run ALTER ROLE " + role + " BYPASSRLS as a superuser.",
		})
	} else {
		s.ok("postgresql.row-security", tried, "it filters no table for role "+f.Role)
	}
}

func (s *server) globals() {
	tried := "ask whether role " + s.facts.Role + " may read pg_authid"
	switch {
	case len(s.job.Encryption.Recipients) == 0:
		s.ok("postgresql.globals", "look whether sets are encrypted by pgbtui",
			"they are not, so that roles are stored without passwords whatever the role may read")
	case s.risks.MayReadAuth:
		s.ok("postgresql.globals", tried, "roles are stored with their passwords")
	default:
		s.add("postgresql.globals", seen{
			result: Warn, tried: tried, seen: "it may not: roles are stored without their passwords",
			remedy: "Run GRANT pg_read_all_data TO " + postgres.QuoteIdent(s.facts.Role) + " as a superuser, or keep the " +
				"passwords elsewhere.",
		})
	}
}

func (s *server) standby() {
	const tried = "count unlogged tables where the server is a standby"
	switch f := s.facts; {
	case f.InRecovery && f.Unlogged > 0:
		s.add("postgresql.unlogged", seen{
			result: Warn, tried: tried, seen: fmt.Sprintf("the server is a standby, and %d unlogged tables have no rows there",
				f.Unlogged),
			remedy: "Back the primary up if their rows are wanted.",
		})
	case f.InRecovery && s.risks.Settings["hot_standby_feedback"] == "off":
		s.add("postgresql.unlogged", seen{
			result: Warn, tried: "look at hot_standby_feedback of a standby", seen: "the server is a standby with " +
				"hot_standby_feedback off: " +
				"long dumps end with \"conflict with recovery\"",
			remedy: "Run ALTER SYSTEM SET hot_standby_feedback = on on the standby, and reload it.",
		})
	case f.InRecovery:
		s.ok("postgresql.unlogged", tried, "the server is a standby, and no table is unlogged")
	default:
		s.ok("postgresql.unlogged", tried, "the server is no standby")
	}
}

func (s *server) bugs() {
	f := s.facts
	tried := "look for version " + f.Version + " in the list of bugs that lose or damage data, of " + BugsAsOf
	found := BugsOf(f.VersionNum)
	if len(found) == 0 && !readMajors(f.Major()) {
		s.unknown("postgresql.bugs", tried, fmt.Sprintf("the list has nothing of major version %d", f.Major()),
			"Read the release notes of the minor versions since this one.")
		return
	}
	if len(found) == 0 {
		s.ok("postgresql.bugs", tried, "it has no bug of the list")
		return
	}
	newest := 0
	var said []string
	for _, b := range found {
		newest = max(newest, b.Fixed)
		said = append(said, fmt.Sprintf("%s (fixed in %d.%d, %s). %s", b.What, b.Major, b.Fixed, b.Notes, b.Check))
	}
	s.add("postgresql.bugs", seen{
		result: Warn, tried: tried, seen: strings.Join(said, " "),
		remedy: fmt.Sprintf("Update the server to %d.%d or newer, then look for damage "+
			"that is there already: pg_amcheck finds it.", f.Major(), newest),
	})
}

// hiding are settings by which a server hands out less than it was given.
func hiding() []struct{ name, what string } {
	return []struct{ name, what string }{
		{"zero_damaged_pages", "damaged pages are read as empty, so that a dump lacks their rows and does not say so"},
		{"ignore_checksum_failure", "damaged pages are read as they are"},
		{"ignore_system_indexes", "the catalogue is read without its indexes"},
	}
}

func (s *server) settings() {
	const tried = "look at settings that hide damage or risk it"
	var bad, risky []string
	for _, h := range hiding() {
		if s.risks.Settings[h.name] == "on" {
			bad = append(bad, h.name+" is on: "+h.what)
		}
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		if s.risks.Settings[name] == "off" {
			risky = append(risky, name+" is off: a crash may damage the database")
		}
	}
	switch {
	case len(bad) > 0:
		s.add("postgresql.settings", seen{
			result: Fail, tried: tried, seen: strings.Join(append(bad, risky...), "; "),
			remedy: "Set them to off again, for the server, the database and the role, " +
				"and look at the server's log for damaged pages.",
		})
	case len(risky) > 0:
		s.add("postgresql.settings", seen{
			result: Warn, tried: tried, seen: strings.Join(risky, "; "),
			remedy: "Set them to on, unless this server may be lost at any time.",
		})
	default:
		s.ok("postgresql.settings", tried, "none of them is set")
	}
}

func (s *server) locks() {
	r := s.risks
	const tried = "compare the number of tables with the server's room for locks"
	slots := r.LockSlots()
	text := fmt.Sprintf("%d tables and partitions, room for %d locks", r.Locks, slots)
	if slots > 0 && r.Locks > slots*9/10 {
		s.add("postgresql.locks", seen{
			result: Warn, tried: tried, seen: text,
			remedy: "Run ALTER SYSTEM SET max_locks_per_transaction = 256 as a superuser, and restart the server.",
		})
		return
	}
	s.ok("postgresql.locks", tried, text)
}

func (s *server) drill(ctx context.Context, req *restore.DrillRequest) {
	const tried = "look for a server's programs and for room"
	if s.job.Drill.By != config.DrillByTimer {
		s.ok("postgresql.drill", tried, "no timer drills this job (drill.by: hand)")
		return
	}
	if req == nil {
		s.unknown("postgresql.drill", "not tried", "drills have a unit of their own", "Run `pgbtui doctor --only "+
			"postgresql.drill` from a shell.")
		return
	}
	where, err := restore.Drillable(ctx, s.job, s.facts, *req)
	s.judge("postgresql.drill", tried, where, err)
}
