package postgres

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// What a client program says of a failure can hold people's rows: "Failing row contains (…)", the line that COPY
// was at, the value that is no number, and whatever a function puts into its own exceptions. An error's text
// travels: into evidence beside the set, the journal, mail. So it has what names things and nothing that may
// quote a value. The whole is in ExitError.Lines, for the terminal of whoever restores.
//
// Rules: of a message only its first line goes on; DETAIL, HINT, CONTEXT and statements never do. What the server
// says while rows are loaded goes on when it is one of the messages below, up to where a value may begin.

// withheld stands for a message that may quote rows.
const withheld = "(PostgreSQL's words are not repeated here, they may quote rows)"

// name is an object's name in a message.
const name = `"[^"]*"`

// harmless are messages of the server that name objects and no values; what follows the match is cut off.
// They are the English ones: others are withheld. Compiling them takes milliseconds that no start of the program waits
// for.
var harmless = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(harmlessText) })

var harmlessText = `^(?:` + strings.Join([]string{
	`(?:relation|table|column|constraint|index|type|schema|role|extension|language|sequence|view|trigger|domain|rule|` +
		`policy|collation|tablespace|database|publication|server|event trigger|access method|text search \w+|` +
		`materialized view|foreign-data wrapper|operator class|operator family|conversion|cast|large object|` +
		`statistics object) ` +
		name + `(?: (?:of|for|in|on|from) (?:relation|table|type|schema|domain|access method) ` + name +
		`)? (?:already exists|does not exist|is not [a-z ]+)`,
	`(?:function|procedure|aggregate|operator|type|cast from type|transform)\b[^"':]* ` +
		`(?:already exists|does not exist|is not unique)(?: with same argument types)?`,
	`function ` + name + ` already exists with same argument types`,
	`operator does not exist`,
	`new row for relation ` + name + ` violates check constraint ` + name,
	`value for domain \S+ violates check constraint ` + name,
	`domain \S+ does not allow null values`,
	`(?:insert or )?update (?:or delete )?on table ` + name + ` violates foreign key constraint ` + name,
	`could not create (?:unique index|exclusion constraint) ` + name,
	`(?:duplicate|conflicting) key value violates (?:unique|exclusion) constraint ` + name,
	`null value in column ` + name + `(?: of relation ` + name + `)? violates not-null constraint`,
	`column ` + name + ` of relation ` + name + ` contains null values`,
	`(?:check|partition) constraint (?:` + name + ` )?of (?:relation|table) ` + name + ` is violated by some row`,
	`no partition of relation ` + name + ` found for row`,
	`there is no unique constraint matching given keys for referenced table ` + name,
	`permission denied(?: for [a-z -]+)?(?: ` + name + `)?(?: to [a-z ]+)?`,
	`permission denied for [a-z ]+ \w+`,
	`must be (?:owner of [a-z ]+ \w+|superuser|member of role ` + name + `)(?: to [a-z ]+)?`,
	`extension ` + name + ` (?:is not available|must be installed in schema)`,
	`required extension ` + name + ` is not installed`,
	`could not (?:open extension control file|access file|load library) ` + name,
	`unrecognized configuration parameter ` + name,
	`cannot drop \w+ \S+ because`,
	`syntax error at or near`,
	`division by zero`,
	`out of (?:shared )?memory`,
	`stack depth limit exceeded`,
	`current transaction is aborted`,
	`(?:integer|bigint|smallint|numeric field overflow|value|timestamp|date|interval|date/time field value)` +
		`(?: is)? out of range`,
	`invalid input syntax for (?:type )?[\w ]+`,
	`invalid input value for enum [\w."]+`,
	`value too long for type [\w ()]+`,
	`malformed (?:array|range|multirange|record) literal`,
	`(?:missing|extra) data (?:for|after) (?:column ` + name + `|last expected column)`,
	`invalid byte sequence for encoding ` + name,
	`character with byte sequence [0-9a-fx ]+ in encoding ` + name + ` has no equivalent in encoding ` + name,
	`generation expression is not immutable`,
	`functions in [a-z ]+ must be marked IMMUTABLE`,
	`canceling statement due to [a-z ]+`,
	`terminating connection due to [a-z ]+`,
	`could not (?:read|write|extend|create|open|fsync) (?:block \d+ in )?(?:file|directory) ` + name + `(?:: (?:` +
		`No space left on device|Disk quota exceeded|Input/output error|Read-only file system|Permission denied))?`,
	`(?:invalid page in block|could not (?:read|write|extend|create) (?:block|file))[^"':]*`,
	`deadlock detected`,
	`lock timeout`,
	`event trigger functions? [a-z ]+`,
	`can only create extension in database \S+`,
}, "|") + `)`

// severity ends in two spaces, in every language, and nothing else in a message of a program does.
var severity = regexp.MustCompile(`\p{L}+:  `)

// discreet is what may be told of the lines of a program's standard error. A line without the program's name
// goes on with the message before it. Where no line has it, something else speaks: a loader, a shell.
func discreet(program string, lines []string) (told []string) {
	prefix := program + ": "
	named := slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, prefix) })
	for _, line := range lines {
		switch said := strings.ToLower(strings.TrimPrefix(line, prefix)); {
		case named && !strings.HasPrefix(line, prefix), strings.HasPrefix(said, "detail: command was"):
		case program == loader:
			told = append(told, discreetLine(line))
		default:
			told = append(told, line)
		}
	}
	return told
}

// loader is the program that hands rows to the server; what the server says to the others has names only.
const loader = "pg_restore"

// discreetLine cuts a line at the first thing that may be a value.
func discreetLine(line string) string {
	at := severity.FindStringIndex(line)
	if at == nil {
		return line // the program's own words, about names and files
	}
	return line[:at[1]] + discreetMessage(line[at[1]:])
}

func discreetMessage(message string) string {
	if message = harmless().FindString(message); message == "" {
		return withheld
	}
	return message
}

// refusal is what the server refused in a session, told without values.
type refusal struct {
	text string
	err  error // with the server's words
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.err }

// discreetRefusal withholds the words of errors that are about values or come from people's functions: classes
// 22 and 23 of SQLSTATE, P0 and 38.
func discreetRefusal(err error, pg *pgconn.PgError) error {
	switch pg.Code[:min(2, len(pg.Code))] {
	case "22", "23", "P0", "38":
		return &refusal{text: pg.Severity + ": " + discreetMessage(pg.Message) + " (SQLSTATE " + pg.Code + ")", err: err}
	}
	return err
}

// WithoutRows is an error's text as it may be told, of one that was written down by a version that repeated
// everything: from the server's first message on, it has what names objects and nothing else.
func WithoutRows(text string) string {
	if at := ofASession.FindStringSubmatchIndex(text); at != nil {
		return text[:at[2]] + discreetMessage(text[at[2]:at[3]]) + text[at[3]:at[1]]
	}
	return discreetLine(text)
}

// ofASession is how a refusal about values ends that a session of ours was given, not a client program.
var ofASession = regexp.MustCompile(`(?s)[\p{Lu}\p{Lo}]{2,}: (\S.*) \(SQLSTATE (?:22|23|P0|38)\w{3}\)`)

// entryLine is how pg_restore names what it was at: numbers, kind, name, owner.
var entryLine = regexp.MustCompile(`: from TOC entry \d+; \d+ \d+ (.+)$`)

// Objects are what could not be restored, as pg_restore names them: "TABLE DATA account".
func (e *ExitError) Objects() (objects []string) {
	for _, line := range e.Lines {
		if object := objectOf(line); object != "" {
			objects = append(objects, object)
		}
	}
	return objects
}

// objectOf is the object that a line of pg_restore names, or "".
func objectOf(line string) string {
	found := entryLine.FindStringSubmatch(line)
	if found == nil {
		return ""
	}
	object := found[1]
	for _, nobody := range []string{" -", " (no owner)"} {
		object = strings.TrimSuffix(object, nobody)
	}
	if object == found[1] {
		if owner := strings.LastIndexByte(object, ' '); owner > 0 {
			object = object[:owner]
		}
	}
	return object
}

// AlreadyExists reports whether the server refused an object because there is one of its name.
func (e *ExitError) AlreadyExists() bool {
	for _, line := range e.Lines {
		if alreadyExists.MatchString(line) {
			return true
		}
	}
	return false
}

var alreadyExists = regexp.MustCompile(`already exists`)
