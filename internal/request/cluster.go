package request

import (
	"fmt"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
)

// Requests about a cluster and the copies beside it, carried out by postgres-pitr@ID.service. Rules are those of
// restores: the file says what is wanted, and no folder, program or server.

// Verb is what is wanted.
type Verb string

// The verbs. Check and Look change nothing.
const (
	RestoreBeside Verb = "restore" // makes a copy
	CheckBeside   Verb = "check"   // whether and how the moment of a copy can be reached
	Look          Verb = "look"
	Start         Verb = "start"
	Stop          Verb = "stop"
	Promote       Verb = "promote"
	Extract       Verb = "extract" // writes to the live server
	Keep          Verb = "keep"
	Discard       Verb = "discard"
)

// Reads reports whether a verb changes nothing. Its run writes no audit line and is not shown among those that do.
func (v Verb) Reads() bool { return v == CheckBeside || v == Look }

// Cluster is such a request.
type Cluster struct {
	Verb    Verb   `json:"verb"`
	Cluster string `json:"cluster,omitempty"` // of RestoreBeside and CheckBeside
	Copy    string `json:"copy,omitempty"`    // ID of the others

	Target   beside.Target `json:"target,omitzero"`
	Timeline uint32        `json:"timeline,omitempty"`

	KeepSeconds int64 `json:"keepSeconds,omitempty"` // how long the copy stays, of RestoreBeside and Keep

	Database string `json:"database,omitempty"` // of the copy, for Look and Extract
	Amcheck  bool   `json:"amcheck,omitempty"`  // of Look

	Schema  string `json:"schema,omitempty"` // of Table
	Table   string `json:"table,omitempty"`  // of Extract; "": the whole database
	Into    string `json:"into,omitempty"`   // of Extract
	Confirm string `json:"confirm,omitempty"`

	By string    `json:"by,omitempty"` // for the journal, unverified
	At time.Time `json:"at"`

	Owner uint32 `json:"-"` // the file's; set by ReadCluster
}

// WriteCluster stores c as Write does.
func WriteCluster(dir, id string, c Cluster) error {
	if wrong := c.wrong(); wrong != "" {
		return fault.New(fault.Usage, "request: "+wrong, "Correct what is asked for.", nil)
	}
	return write(dir, id, c)
}

// TakeCluster is ReadCluster for the one who carries the request out, once.
func TakeCluster(dir, id string) (Cluster, error) {
	c, err := ReadCluster(dir, id)
	if err != nil {
		return c, err
	}
	return c, once(dir, id)
}

// ReadCluster loads the request of an ID. Anything but a plain small file with known keys is refused.
func ReadCluster(dir, id string) (Cluster, error) {
	body, owner, err := loadWish(dir, id)
	if err != nil {
		return Cluster{}, err
	}
	c, err := parseCluster(body)
	if err != nil {
		return c, err
	}
	c.Owner = owner
	return c, nil
}

func parseCluster(body []byte) (c Cluster, err error) {
	if err := decode(body, &c); err != nil {
		return c, err
	}
	if wrong := c.wrong(); wrong != "" {
		return c, fault.New(fault.Refused, "request: "+wrong, "Ask for it again.", nil)
	}
	return c, nil
}

// clusterForm is which fields a verb has to have, and which it may.
type clusterForm struct{ needs, may []string }

// forms are those of each verb. A field that a verb does not know is refused: whoever wrote it meant something else.
var forms = map[Verb]clusterForm{
	RestoreBeside: {needs: []string{"cluster", "target"}, may: []string{"timeline", "keepSeconds"}},
	CheckBeside:   {needs: []string{"cluster", "target"}, may: []string{"timeline"}},
	Look:          {needs: []string{"copy"}, may: []string{"database", "amcheck"}},
	Start:         {needs: []string{"copy"}},
	Stop:          {needs: []string{"copy"}},
	Promote:       {needs: []string{"copy"}},
	Keep:          {needs: []string{"copy"}, may: []string{"keepSeconds"}},
	Discard:       {needs: []string{"copy"}},
	Extract:       {needs: []string{"copy", "database", "into"}, may: []string{"schema", "table", "confirm"}},
}

// given are the fields that a request has.
func (c Cluster) given() (fields []string) {
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"cluster", c.Cluster != ""},
		{"copy", c.Copy != ""},
		{"target", c.Target != beside.Target{}},
		{"timeline", c.Timeline != 0},
		{"keepSeconds", c.KeepSeconds != 0},
		{"database", c.Database != ""},
		{"amcheck", c.Amcheck},
		{"schema", c.Schema != ""},
		{"table", c.Table != ""},
		{"into", c.Into != ""},
		{"confirm", c.Confirm != ""},
	} {
		if field.set {
			fields = append(fields, field.name)
		}
	}
	return fields
}

const (
	longestName  = 63 // of PostgreSQL, in bytes (NAMEDATALEN)
	shortestKeep = int64(time.Hour / time.Second)
	longestKeep  = int64(365 * 24 * time.Hour / time.Second)
)

// ownDatabases are the server's, which no operator changes.
var ownDatabases = []string{"postgres", "template0", "template1"}

// wrong is what is contradictory, missing or too much, or "".
func (c Cluster) wrong() string {
	form, ok := forms[c.Verb]
	if !ok {
		return fmt.Sprintf("%.40q is not a verb of clusters", c.Verb)
	}
	given := c.given()
	for _, field := range form.needs {
		if !slices.Contains(given, field) {
			return field + " is missing"
		}
	}
	for _, field := range given {
		if !slices.Contains(form.needs, field) && !slices.Contains(form.may, field) {
			return fmt.Sprintf("%s has no %s", c.Verb, field)
		}
	}
	for _, name := range []string{c.Cluster, c.Database, c.Schema, c.Table, c.Into} {
		if len(name) > longestName {
			return fmt.Sprintf("%.40q… is longer than a name can be", name)
		}
	}
	if c.KeepSeconds != 0 && (c.KeepSeconds < shortestKeep || c.KeepSeconds > longestKeep) {
		return "a copy is kept from an hour to a year"
	}
	if c.Copy != "" && !beside.IsID(c.Copy) {
		return "copy is not the ID of one"
	}
	if slices.Contains(form.needs, "target") {
		if err := c.Target.Check(); err != nil {
			return err.Error()
		}
	}
	return c.wrongExtract()
}

// wrongExtract is what an extract may not ask for, or "".
func (c Cluster) wrongExtract() string {
	switch {
	case c.Verb != Extract:
	case (c.Schema == "") != (c.Table == ""):
		return "schema and table go together"
	case c.Table != "" && c.Confirm != c.Into:
		return "the live database's name was not confirmed"
	case c.Table == "" && c.Confirm != "":
		return "a new database needs no confirmation"
	case slices.Contains(ownDatabases, c.Into):
		return fmt.Sprintf("database %q is the server's own", c.Into)
	}
	return ""
}

// ClusterAnswer is what came of such a request. It is for the eyes of people, like Answer.
type ClusterAnswer struct {
	Request Cluster    `json:"request"`
	Over    bool       `json:"over"`
	Error   string     `json:"error,omitempty"`
	Remedy  string     `json:"remedy,omitempty"`
	Code    fault.Code `json:"code,omitempty"` // of the error

	Plan      *beside.Plan      `json:"plan,omitempty"`
	Copy      *beside.Copy      `json:"copy,omitempty"`
	Look      *beside.Look      `json:"look,omitempty"`
	Extracted *beside.Extracted `json:"extracted,omitempty"`
	Psql      string            `json:"psql,omitempty"`    // how a person looks into the copy
	Running   bool              `json:"running,omitempty"` // the copy's server
}

// End completes the answer.
func (a *ClusterAnswer) End(err error) {
	var end Answer
	end.End(err)
	a.Over = end.Over
	a.Error = end.Error
	a.Remedy = end.Remedy
	a.Code = end.Code
}

// Err is the error of the answer, or nil.
func (a *ClusterAnswer) Err() error {
	end := Answer{Error: a.Error, Remedy: a.Remedy, Code: a.Code}
	return end.Err()
}

// WriteClusterAnswer stores a as WriteAnswer does.
func WriteClusterAnswer(dir, id string, a ClusterAnswer) error { return writeAnswer(dir, id, a) }

// ReadClusterAnswer loads the answer of an ID; fault.NotFound while there is none.
func ReadClusterAnswer(dir, id string) (a ClusterAnswer, err error) {
	file, err := answerPath(dir, id)
	if err != nil {
		return a, err
	}
	body, _, err := load(file, maxAnswer)
	if err != nil {
		return a, err
	}
	if err := decodeAnswer(body, &a); err != nil {
		return ClusterAnswer{}, err
	}
	return a, nil
}
