package config

import (
	"fmt"
	"strings"
)

// Drill says how a set's restore is rehearsed. The zero value is a private server and nothing
// asked of the copy but what the set itself says.
type Drill struct {
	Server  DrillServer
	Amcheck bool // pg_amcheck over the copy
	Expect  []Expectation
}

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
	Amcheck bool              `yaml:"amcheck"`
	Expect  []fileExpectation `yaml:"expect"`
}

type fileExpectation struct {
	SQL    string `yaml:"sql"`
	Result string `yaml:"result"`
}

func (f fileDrill) resolve() Drill {
	d := Drill{Server: DrillServer(f.Server), Amcheck: f.Amcheck}
	for _, e := range f.Expect {
		d.Expect = append(d.Expect, Expectation(e))
	}
	return d
}

func (l loader) checkDrill(job string, d Drill) error {
	for i, e := range d.Expect {
		if strings.TrimSpace(e.SQL) == "" {
			return l.problem(job, fmt.Sprintf("entry %d has no sql", i+1), "{sql: SELECT …, result: …}", "drill", "expect")
		}
	}
	if !d.Server.Private() && d.Server.Host == "" {
		return l.problem(job, "a server without a host", "name the scratch server's host or socket folder; leave server out for a private one", "drill", "server")
	}
	return nil
}
