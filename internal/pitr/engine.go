package pitr

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Engine is one cluster with the program that keeps its base backups and its WAL. What differs between such programs is
// behind Reader, Maker and Restorer, and in Words; each has a package of its own.
type Engine struct {
	Cluster config.Cluster
	Server  Server
	Words   Words

	Reader
	Maker
	Restorer
}

// Reader reads what the engine keeps.
type Reader interface {
	// Version is the engine's. One that is not installed, or too old: an error with a remedy.
	Version(ctx context.Context) (string, error)
	// Holdings is what lies in the repository. An error is that of the look; a repository that cannot be read is
	// Holdings.Fault.
	Holdings(ctx context.Context, segmentBytes int64) (Holdings, error)
	// Get writes a segment or a timeline's history into a file, for the owner of the server's files, who has to be able
	// to write to the file's folder. It writes no file larger than so many bytes: see Command.Largest. ErrNotKept: the
	// repository does not have it. Engine.Fetch is what everything else calls.
	Get(ctx context.Context, name, file string, largest int64) error
}

// Maker makes and proves. Each line that the engine says goes to onLine, which may be nil.
type Maker interface {
	Backup(ctx context.Context, kind config.BackupKind, onLine func(string)) (Backup, error)
	// Check tries that WAL reaches the repository, and waits for it.
	Check(ctx context.Context) error
	Verify(ctx context.Context) (Verification, error)
}

// Restorer restores files, and lets a server fetch WAL.
type Restorer interface {
	Restore(ctx context.Context, r Restore, onLine func(string)) error
	// FetchCommand are the words of a restore_command before %f and %p, for the server of a restored directory.
	FetchCommand(r Restore) []string
	// Environment is what that server needs for it.
	Environment() []string
}

// Restore says which base backup is restored to where. All folders are of the owner of the server's files.
type Restore struct {
	Label       string
	Data        string // empty, or not there
	Tablespaces string // folder for them, each below it by its name
	Scratch     string // for the engine's own files, such as locks; it goes with the restored directory
}

// ErrNotKept is a file that the repository does not have.
var ErrNotKept = errors.New("it is not in the repository")

// Holdings is what lies in a repository, by its own listing: the first and the last segment that an engine names say
// nothing of those between.
type Holdings struct {
	Fault    error     // why the repository cannot be read; then nothing else is known but Problems
	SystemID string    // of the server that it is of; "": not known
	Version  string    // of that server: "15"
	Backups  []Backup  // the oldest first
	Segments Segments  // of that server
	Problems []Problem // that only this engine has a word for
}

// Whole are the backups that recovery can start from, the oldest first.
func (h Holdings) Whole() (whole []Backup) {
	for _, b := range h.Backups {
		if b.Whole {
			whole = append(whole, b)
		}
	}
	return whole
}

// Backup is one base backup.
type Backup struct {
	Label        string
	Type         string // full, diff, incr
	Prior        string // the backup that it builds on; "" of a full one
	Started      time.Time
	Stopped      time.Time // recovery has to reach beyond it
	StartSegment string    // up to StopSegment all are needed; "" of a backup without WAL
	StopSegment  string
	StartLSN     wal.LSN // from which on WAL is replayed; 0: not known
	StopLSN      wal.LSN // where it is consistent
	SizeBytes    int64   // of the cluster
	StoredBytes  int64   // by this backup; 0: not known
	BadPages     bool    // pages with a wrong checksum were met
	Whole        bool    // it and all that it builds on are there, and it is of the server that the repository is of now
	Annotation   map[string]printable.Name
}

// Verification is what was found when everything was read back.
type Verification struct {
	OK    bool     `json:"ok"`
	Bad   []string `json:"bad"`   // backups that are not valid, by label
	Lines []string `json:"lines"` // what the engine says, line by line
}

// Words are an engine's own, in texts that are the same for all.
type Words struct {
	Name        string                    // "pgBackRest"
	Listing     string                    // the command that lists what there is
	OtherServer string                    // remedy: what to do after a major upgrade
	Dropped     string                    // remedy: why WAL can be lost while the server's archiver is green
	Loses       string                    // who may have taken segments away: "somebody deleted them"
	BadPages    func(label string) string // remedy: where to see which pages
}

// Annotator is a Maker that can write a note beside a backup.
type Annotator interface {
	Annotate(ctx context.Context, label, key, value string) error
}

// Annotator is the engine's; false where it has no place for notes.
func (e *Engine) Annotator() (Annotator, bool) {
	to, ok := e.Maker.(Annotator)
	return to, ok
}

// SQL asks the server, as the owner of its files and by its socket, for one value of JSON.
func (e *Engine) SQL(ctx context.Context, query string, into any) error {
	return e.Server.SQL(ctx, "postgres", query, into)
}

// ScratchDir makes a private folder for WAL, of the owner of the server's files.
func (s Server) ScratchDir() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "pgbtui-wal-")
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(dir, int(s.UID), int(s.GID))
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, fmt.Errorf("pitr: make a folder for WAL: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}
