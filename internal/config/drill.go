package config

import (
	"cmp"
	"fmt"
	"strings"
)

// Drill says how a set's restore is rehearsed. Without a section it is weekly, in a private server, and
// nothing is asked of the copy but what the set itself says.
type Drill struct {
	By      Driller
	Server  DrillServer
	Amcheck bool // pg_amcheck over the copy
	Expect  []Expectation
}

// Driller is who starts drills.
type Driller string

// The two ways. With DrillByHand nothing on this host expects them: there is no room or no key for a
// second copy of the database here, or another host drills.
const (
	DrillByTimer Driller = "timer" // postgres-backup-drill@.timer; the default
	DrillByHand  Driller = "hand"
)

// DrillServer is a server that drills restore into; the zero value is a private one.
type DrillServer struct {
	Host string
	Port string
	User string
}

// Private reports whether no server is named.
func (s DrillServer) Private() bool { return s == DrillServer{} }

// Expectation is a statement and the text of the only value of its answer.
type Expectation struct {
	SQL    string
	Result string
}

type fileDrill struct {
	Server struct {
		Host string `yaml:"host"`
		Port string `yaml:"port"`
		User string `yaml:"user"`
	} `yaml:"server"`
	By       string            `yaml:"by"`
	Schedule calendars         `yaml:"schedule"`
	Jitter   jitter            `yaml:"jitter"`
	Amcheck  bool              `yaml:"amcheck"`
	Expect   []fileExpectation `yaml:"expect"`
}

type fileExpectation struct {
	SQL    string `yaml:"sql"`
	Result string `yaml:"result"`
}

func (f fileDrill) resolve() Drill {
	d := Drill{By: Driller(cmp.Or(f.By, string(DrillByTimer))), Server: DrillServer(f.Server), Amcheck: f.Amcheck}
	for _, e := range f.Expect {
		d.Expect = append(d.Expect, Expectation(e))
	}
	return d
}

func (l loader) checkDrill(job string, d Drill) error {
	if d.By != DrillByTimer && d.By != DrillByHand {
		return l.problem(job, fmt.Sprintf("%q is not known", d.By), "Choose timer or hand.", "drill", "by")
	}
	for i, e := range d.Expect {
		if strings.TrimSpace(e.SQL) == "" {
			return l.problem(job, fmt.Sprintf("entry %d has no sql", i+1), "Write it as {sql: SELECT …, result: …}.",
				"drill", "expect")
		}
	}
	if !d.Server.Private() && d.Server.Host == "" {
		return l.problem(job, "a server without a host",
			"Name the scratch server's host or socket folder, or leave server out for a private one.", "drill", "server")
	}
	return nil
}
