package main

import (
	"cmp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// selection is what was said of the set, and whether a failed verification keeps it from being the latest.
type selection struct {
	id, job, instance, at string
	database              string // of a job of several
	schema                string // of a job of tenants
	doubted               bool
}

func (s *selection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.job, "job", "", "look among the sets of this `job`")
	cmd.Flags().StringVar(&s.database, "database", "", "look among the sets of this `database`")
	cmd.Flags().StringVar(&s.schema, "tenant", "", "look among the sets of this tenant's `schema`")
	cmd.Flags().StringVar(&s.instance, "instance", "", "look among the sets of this `instance` instead of this host's own")
	cmd.Flags().StringVar(&s.at, "at", "", "instead of an ID: the newest good set that had ended at this `time`, "+
		"as 2026-11-23T02:00:00Z or \"2026-11-23 02:00\" here")
}

// theOne is what verbs need that are about one set.
const theOne = "the ID of one set or its beginning, INSTANCE/DATABASE/ID, latest, or --at TIME"

// args takes the ID from the arguments; --at stands in its place.
func (s *selection) args(cmd *cobra.Command, args []string) error {
	if len(args) == 0 && s.at != "" {
		s.id = backup.Latest
		return nil
	}
	if err := one(theOne)(cmd, args); err != nil {
		return err
	}
	s.id = args[0]
	return nil
}

// parseAt reads a moment: with its zone as in documents, or as a wall clock here shows it.
func parseAt(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageText("--at is a time such as 2026-11-23T02:00:00Z or \"2026-11-23 02:00\", not " +
		strconv.Quote(text))
}

// search is a selection as it is looked for.
type search struct {
	want  backup.Wanted
	job   string         // whose place is looked at; "" for all places
	scope []backup.Scope // of which sets; none: this host's own instances at each place
	of    *config.Job    // whose sets; nil: all of the database
}

// search settles what decides: the address, then the flags, then what is the only job.
func (s selection) search(c *config.Config) (search, error) {
	found := search{want: backup.Wanted{ID: s.id, Doubted: s.doubted}, job: s.job}
	var scope backup.Scope
	if s.at != "" {
		at, err := parseAt(s.at)
		if err != nil {
			return found, err
		}
		found.want.At = at
	}
	address, whole := backup.ParseAddress(s.id)
	if whole {
		found.want.ID = address.ID
		scope = address.Scope()
	}
	if s.at != "" && found.want.ID != backup.Latest {
		return found, usageText("--at stands in the place of an ID")
	}
	if err := s.narrow(c, &found, &scope); err != nil {
		return found, err
	}
	if whole && scope != address.Scope() {
		return found, usageText("the address " + s.id + " is of another instance or database than --job and --instance")
	}
	if scope != (backup.Scope{}) {
		found.scope = []backup.Scope{scope}
	}
	return found, nil
}

// narrow adds what the flags say, and for `latest` what is the only job.
func (s selection) narrow(c *config.Config, found *search, scope *backup.Scope) error {
	latest := found.want.ID == backup.Latest
	if s.job != "" || (latest && *scope == (backup.Scope{})) {
		job, err := c.Job(s.job)
		if err == nil {
			named := s.database
			if job.Several() {
				named = cmp.Or(named, scope.Database)
			}
			job, err = on(job, named, cmp.Or(s.schema, scope.Schema))
		}
		switch {
		case err == nil && job.Tenants() && job.Open() && latest:
			return usageText("job " + strconv.Quote(job.Name) + " has several schemas: say by --tenant which one is meant, " +
				"or give INSTANCE/DATABASE/SCHEMA/latest")
		case err == nil && job.Open() && latest:
			return usageText("job " + strconv.Quote(job.Name) + " has several databases: say by --database which one is " +
				"meant, or give INSTANCE/DATABASE/latest")
		case err == nil:
			*scope = backup.ScopeOf(job)
			if job.Open() {
				*scope = backup.Scope{Instance: job.Instance}
			}
			found.of = &job
		case s.job != "" || s.instance == "":
			return err
		}
	}
	if s.instance != "" {
		scope.Instance = s.instance
	}
	if s.database != "" && found.of == nil {
		scope.Instance = cmp.Or(scope.Instance, c.Defaults().Instance)
		scope.Database = s.database
	}
	if s.schema != "" && found.of == nil {
		if scope.Database == "" {
			return usageText("--tenant needs the --database that the schema is in, or the --job that backs it up")
		}
		scope.Schema = s.schema
	}
	return nil
}
