package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/setup"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// How answers about PostgreSQL and about time are tried. A trial that succeeds settles what it tried.

// asUnits makes this process see what units see: not the variables of root's shell, which would try another server,
// bucket or key than they use.
func (e *environment) asUnits() error {
	own := []string{"DB_NAME", "DB_USER", "BACKUP_DIR", "S3_BUCKET", "RETENTION_DAYS", "SLACK_WEBHOOK_URL"}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "PG") || slices.Contains(own, name) {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("init: leave out %s: %w", name, err)
			}
		}
	}
	for _, name := range []string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"} {
		if err := os.Setenv(name, "/dev/null"); err != nil { // root's home is not the units'
			return fmt.Errorf("init: set %s: %w", name, err)
		}
	}
	return e.adoptEnvironment(config.DefaultEnvFile)
}

// wrongAnswer is what is wrong with the form of an answer.
func wrongAnswer(err error) error {
	if err == nil {
		return nil
	}
	return usage(err)
}

// surveyed is a server that answered.
type surveyed struct {
	postgres.Survey
	at    config.Postgres
	local bool // by its socket, as system user postgres
	tools postgres.Tools
}

// surveyOf is what is known of a job's server; nil: nothing.
func (r *initRun) surveyOf(job config.Job) *surveyed {
	if s := r.survey; s != nil && s.at.Host == job.Postgres.Host && s.at.Port == job.Postgres.Port {
		return s
	}
	return nil
}

// list names the databases with their sizes.
func (s *surveyed) list() string {
	var all []string
	for i, d := range s.Databases {
		if i == namedDatabases {
			all = append(all, fmt.Sprintf("and %d more", len(s.Databases)-i))
			break
		}
		all = append(all, d.Name+" ("+readable.Size(d.Bytes)+")")
	}
	return strings.Join(all, ", ")
}

// lookAtServer asks a server of this host as system user postgres, and any other one as the backups' role.
func lookAtServer(ctx context.Context, at config.Postgres, password string) (*surveyed, error) {
	s := &surveyed{at: at, local: setup.IsSocket(at.Host)}
	target := postgres.Target{Host: at.Host, Port: at.Port, Database: "postgres"}
	var err error
	if s.local {
		s.Survey, err = postgres.SurveyAs(ctx, "postgres", target)
	} else {
		target.User = systemd.BackupUser
		s.Survey, err = surveyElsewhere(ctx, target, password)
	}
	if err != nil {
		return nil, err
	}
	if s.tools, err = postgres.FindTools(ctx, at.BinDir, s.Major()); err != nil {
		return nil, err
	}
	return s, s.tools.CheckFrom(postgres.Facts{Version: s.Version, VersionNum: s.VersionNum})
}

func surveyElsewhere(ctx context.Context, target postgres.Target, passwordFile string) (postgres.Survey, error) {
	if passwordFile != "" {
		text, err := bounded.ReadFile(passwordFile, bounded.File)
		if err != nil {
			return postgres.Survey{}, fault.New(fault.NotFound, "init: read the password in "+passwordFile,
				"Correct the path.", err)
		}
		if err := os.Setenv("PGPASSWORD", strings.TrimRight(string(text), "\r\n")); err != nil {
			return postgres.Survey{}, fmt.Errorf("init: use the password: %w", err)
		}
		defer func() { _ = os.Unsetenv("PGPASSWORD") }()
	}
	server, err := postgres.Connect(ctx, target, 0)
	if err != nil {
		if fault.CodeOf(err) == fault.NotPermitted {
			return postgres.Survey{}, fault.New(fault.NotPermitted, "",
				"Make role pgbtui there (`pgbtui units print --sql`), let it log in from this host, and give its password "+
					"by --password-file.", err)
		}
		return postgres.Survey{}, err
	}
	defer func() { _ = server.Close(context.WithoutCancel(ctx)) }()
	return server.Survey(ctx)
}

func (r *initRun) tryServer(ctx context.Context, answer string) (string, error) {
	host, port, err := setup.Address(answer)
	if err != nil {
		return "", wrongAnswer(err)
	}
	s, err := lookAtServer(ctx, config.Postgres{Host: host, Port: port}, r.answers.PasswordFile)
	switch {
	case err != nil:
		return "", err
	case s.Standby && !s.OwnRole:
		return "", fault.New(fault.Refused, "this server is a standby, and role pgbtui is not there",
			"Make the role on its primary (`pgbtui units print --sql`), or set up the backups there.", nil)
	case s.local && !s.OwnRole && !s.Superuser:
		return "", fault.New(fault.NotPermitted, "role "+s.Role+" may not create the backups' role",
			"Let a superuser run the SQL of `pgbtui units print --sql`, and answer again.", nil)
	}
	r.survey = s
	r.settled.Host = host
	r.settled.Port = port
	r.settled.User = ""
	if !s.local {
		r.settled.User = systemd.BackupUser
	}
	version, _, _ := strings.Cut(s.Version, " ")
	said := fmt.Sprintf("PostgreSQL %s with %d databases; client programs %d are in %s", version, len(s.Databases),
		s.tools.Major, s.tools.Dir)
	_, err = postgres.FindServer(ctx, "", s.Major())
	if r.noServerPrograms = err != nil; r.noServerPrograms {
		said += fmt.Sprintf("; PostgreSQL %d's server programs are not here, so no drills", s.Major())
	}
	return said, nil
}

func (r *initRun) tryDatabases(_ context.Context, answer string) (string, error) {
	names := setup.Words(answer)
	if len(names) == 0 {
		return "", usageText("give a name, a pattern or *")
	}
	r.settled.Databases = names
	r.settled.Exclude = nil
	taken := r.taken(config.Job{Databases: names})
	for _, d := range r.survey.Databases {
		// Whoever chose knows of the others. A script that knows of one database chose nothing. And a database whose
		// name is a pattern would exclude those that nobody saw.
		if !slices.Contains(taken, d.Name) && r.old == nil && !strings.Contains(d.Name, "*") {
			r.settled.Exclude = append(r.settled.Exclude, d.Name)
		}
	}
	for _, name := range names {
		if !strings.Contains(name, "*") && !slices.Contains(taken, name) {
			return "", fault.New(fault.NotFound, fmt.Sprintf("there is no database %q on this server", name),
				"Correct the name, or use a pattern for databases that are yet to come.", nil)
		}
	}
	if len(taken) == 0 {
		return "", fault.New(fault.NotFound, "no database of this server has such a name", "Correct the pattern.", nil)
	}
	if setup.Every(names) {
		return fmt.Sprintf("%d now, and those that are created later", len(taken)), nil
	}
	return "found now: " + strings.Join(taken, ", "), nil
}

// taken are the databases of the server that a job of several takes now.
func (r *initRun) taken(job config.Job) (names []string) {
	for _, d := range r.survey.Databases {
		if job.Covers(d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}

func (r *initRun) tryKeep(_ context.Context, answer string) (string, error) {
	days, err := setup.Days(answer)
	if err != nil {
		return "", wrongAnswer(err)
	}
	r.settled.KeepDays = days
	switch {
	case days == 0:
		return "nothing is ever deleted", nil
	case r.settled.ByTimer:
		return "the backups' key may not delete; a keeper does, by a key of its own", nil
	}
	return "", nil
}

func (r *initRun) trySchedule(ctx context.Context, answer string) (string, error) {
	var times []time.Time
	for _, calendar := range strings.Split(answer, ";") {
		next, err := systemd.CalendarNext(ctx, strings.TrimSpace(calendar), 2)
		if err != nil {
			return "", err
		}
		if len(next) == 0 {
			return "", fault.New(fault.Usage, fmt.Sprintf("%q has no next time", calendar),
				"Give a calendar that repeats.", nil)
		}
		times = append(times, next...)
	}
	slices.SortFunc(times, time.Time.Compare)
	r.settled.Schedule = setup.Calendars(answer)
	var said []string
	for _, at := range times[:min(2, len(times))] {
		said = append(said, at.UTC().Format("2006-01-02 15:04 MST"))
	}
	return "next " + strings.Join(said, ", then ") + "; each up to half an hour later", nil
}
