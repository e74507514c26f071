// Package walg is WAL-G as an engine of a cluster that somebody has set up: its calls, and what its storage holds.
// Rules:
//
//   - its settings are somebody else's and are only read; none of this program's own variables reaches it, since they
//     would count more than its file
//   - what it prints is typed, bounded and checked: whoever writes to the bucket decides what stands in it
//   - it deletes only behind a backup that was made here, and only where the configuration says how many are kept
package walg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// WALG runs WAL-G for one cluster.
type WALG struct {
	Cluster config.Cluster
	Server  pitr.Server
	Bin     string // "": wal-g on PATH
}

// New is the one of a cluster whose server was found. It talks to nobody.
func New(c config.Cluster, server pitr.Server) *WALG { return &WALG{Cluster: c, Server: server} }

// Engine is what everything else knows of it.
func (e *WALG) Engine() *pitr.Engine {
	return &pitr.Engine{Cluster: e.Cluster, Server: e.Server, Words: words, Reader: e, Maker: e, Restorer: e}
}

var words = pitr.Words{
	Name: "WAL-G", Listing: "wal-g backup-list",
	OtherServer: "Correct `data_directory` or `config`; after a major upgrade give WAL-G another prefix.",
	Dropped: "Look at archive_command: the exit code that PostgreSQL sees has to be that of `wal-g wal-push`; and look " +
		"who takes segments out of the storage.",
	Loses: "somebody deleted them, or a `wal-g delete` did",
	BadPages: func(label string) string {
		return "Look which in the metadata of " + label + "."
	},
}

func (e *WALG) program() string { return cmp.Or(e.Bin, "wal-g") }

// mostOutput bounds an answer that is taken into memory as a whole.
const mostOutput = 64 << 20

// Output runs a command of the engine, and returns what it prints.
func (e *WALG) Output(ctx context.Context, args ...string) (out []byte, err error) {
	err = e.run(ctx, call{args: args, read: func(r io.Reader) (err error) {
		out, err = bounded.ReadAll(r, mostOutput)
		return err
	}})
	return out, err
}

// call is a run of the engine.
type call struct {
	args    []string
	env     []string // counts more than the settings
	read    func(io.Reader) error
	onLine  func(string)
	largest int64 // bytes of any file that it writes; 0: as it likes
}

func (e *WALG) run(ctx context.Context, c call) error {
	as, err := e.Server.Owner()
	if err != nil {
		return err
	}
	s, err := e.settings()
	if err != nil {
		return err
	}
	what := "pitr: wal-g " + verbOf(c.args)
	return pitr.Run(ctx, pitr.Command{
		Program: e.program(), Args: append(append([]string{}, s.options...), c.args...),
		Env: append(append(pitr.Environment(), s.env...), append(e.login(), c.env...)...), As: as,
		Read: c.read, OnLine: c.onLine, Largest: c.largest,
		Failed: func(end *pitr.ExitError) error { return meaningOf(what, end) },
	})
}

// login is how the engine reaches the server. It has no time limit for statements: a checkpoint may take long.
func (e *WALG) login() []string {
	env := []string{"PGDATABASE=postgres", "PGAPPNAME=pgbtui"}
	if e.Server.Host != "" {
		env = append(env, "PGHOST="+e.Server.Host)
	}
	if e.Server.Port != "" {
		env = append(env, "PGPORT="+e.Server.Port)
	}
	return env
}

// verbOf is the command, with what it is about.
func verbOf(args []string) string {
	if len(args) > 1 && args[0] == "st" {
		return args[0] + " " + args[1]
	}
	return args[0]
}

// exitNoFile is what wal-fetch ends with where the storage does not have the file (EX_IOERR).
const exitNoFile = 74

// alone keeps wal-fetch from fetching more segments than it was asked for, in processes that outlive it.
const alone = "WALG_DOWNLOAD_CONCURRENCY=1"

// Get is wal-fetch.
func (e *WALG) Get(ctx context.Context, name, file string, largest int64) error {
	err := e.run(ctx, call{args: []string{"wal-fetch", name, file}, env: []string{alone}, largest: largest})
	var end *pitr.ExitError
	if errors.As(err, &end) && end.Code == exitNoFile {
		return fmt.Errorf("%w: %w", pitr.ErrNotKept, err)
	}
	return err
}

// reasons are words in what WAL-G and the storages' libraries say, and what they mean; the first one counts.
var reasons = []struct {
	words  []string
	code   fault.Code
	remedy string
}{
	{
		[]string{"accessdenied", "invalidaccesskeyid", "signaturedoesnotmatch", "status code: 403", "nocredentialproviders"},
		fault.NotPermitted, "Look at the keys in WAL-G's settings, and at what they may do.",
	},
	{
		[]string{"no space left", "disk quota exceeded"},
		fault.NoSpace,
		"Look at the room on the disk that the message names.",
	},
	{
		[]string{"no such host", "connection refused", "i/o timeout", "x509", "requesterror: send request failed"},
		fault.Unavailable, "Check the storage's address in WAL-G's settings, its certificate and the network.",
	},
	{
		[]string{"failed to connect to `", "postgres cluster", "sqlstate"},
		fault.Unavailable,
		"Start PostgreSQL, and let the owner of its files log in by the socket (`local all postgres peer`).",
	},
}

// meaningOf turns an exit of WAL-G, which has one code for nearly everything, into a fault by what it says.
func meaningOf(what string, end *pitr.ExitError) error {
	said := strings.ToLower(strings.Join(end.Said, " "))
	for _, reason := range reasons {
		for _, word := range reason.words {
			if strings.Contains(said, word) {
				return fault.New(reason.code, what, reason.remedy, end)
			}
		}
	}
	return fault.New(fault.Failed, what, "", end)
}
