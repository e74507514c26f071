package config_test

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestTheServerOfASwapIsNeverGuessed(t *testing.T) {
	job := func(name, database, host string) config.Job {
		return config.Job{Name: name, Database: database, Postgres: config.Postgres{Host: host}}
	}
	two := &config.Config{Jobs: []config.Job{job("a", "shop", "db1"), job("b", "shop", "db2"), job("c", "till", "db1")}}
	for _, c := range []struct {
		config         *config.Config
		name, database string
		want           string // host; "" is a refusal
	}{
		{two, "", "till", "db1"},
		{two, "", "shop", ""},
		{two, "b", "shop", "db2"},
		{two, "", "other", ""},
		{&config.Config{Jobs: two.Jobs[:1]}, "", "other", "db1"},
	} {
		got, err := c.config.ServerOf(c.name, c.database)
		if (err == nil) != (c.want != "") || got.Postgres.Host != c.want {
			t.Errorf("%q of job %q: %q, %v", c.database, c.name, got.Postgres.Host, err)
		}
		if err != nil && fault.CodeOf(err) == fault.Failed {
			t.Error(err)
		}
	}
}
