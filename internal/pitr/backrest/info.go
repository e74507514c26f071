package backrest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Info is what `info --output=json` says of a stanza, as far as it is used.
type Info struct {
	Name    string    `json:"name"`
	Cipher  string    `json:"cipher"`
	Status  Status    `json:"status"`
	Repo    []Repo    `json:"repo"`
	DB      []DB      `json:"db"`
	Archive []Archive `json:"archive"`
	Backup  []Backup  `json:"backup"`
}

// Status is a code with its words.
type Status struct {
	Code    StatusCode     `json:"code"`
	Message printable.Name `json:"message"`
	Lock    struct {
		Backup  Lock `json:"backup"`
		Restore Lock `json:"restore"` // from 2.55 on
	} `json:"lock"`
}

// Lock tells that the engine is at work, and from 2.56 on how far.
type Lock struct {
	Held     bool  `json:"held"`
	Size     int64 `json:"size"`      // bytes; 0: not known
	Complete int64 `json:"size-cplt"` // of them
}

// StatusCode is what state the engine finds a stanza in.
type StatusCode int

// The codes of src/command/info/info.c.
const (
	StatusOK            StatusCode = 0
	StatusNoStanza      StatusCode = 1
	StatusNoBackup      StatusCode = 2
	StatusNoStanzaData  StatusCode = 3
	StatusMixed         StatusCode = 4
	StatusOtherDatabase StatusCode = 5
	StatusNoSuchBackup  StatusCode = 6
	StatusOther         StatusCode = 99
)

// Repo is a repository; there may be several.
type Repo struct {
	Key    int    `json:"key"`
	Cipher string `json:"cipher"`
	Status Status `json:"status"`
}

// DB is a server that the stanza knows or knew: an upgrade makes another.
type DB struct {
	ID       int         `json:"id"`
	RepoKey  int         `json:"repo-key"`
	SystemID json.Number `json:"system-id"`
	Version  string      `json:"version"`
}

// Ref says which server of the stanza, and which repository.
type Ref struct {
	ID      int `json:"id"`
	RepoKey int `json:"repo-key"`
}

// Archive is the WAL of one server: its first and last segment, and nothing of what may lack between.
type Archive struct {
	ID       string `json:"id"` // "15-1"
	Min      string `json:"min"`
	Max      string `json:"max"`
	Database Ref    `json:"database"`
}

// Backup is one base backup.
type Backup struct {
	Label     string   `json:"label"`
	Type      string   `json:"type"`  // full, diff, incr
	Prior     string   `json:"prior"` // the backup that it builds on; "" of a full one
	Reference []string `json:"reference"`
	Error     *bool    `json:"error"` // pages with a wrong checksum were met; nil: not looked at
	Timestamp struct {
		Start int64 `json:"start"` // seconds since 1970
		Stop  int64 `json:"stop"`
	} `json:"timestamp"`
	Archive struct {
		Start string `json:"start"` // segments, of which all are needed
		Stop  string `json:"stop"`
	} `json:"archive"`
	LSN struct {
		Start string `json:"start"`
		Stop  string `json:"stop"`
	} `json:"lsn"`
	Database Ref `json:"database"`
	Info     struct {
		Size       int64 `json:"size"`  // of the cluster
		Delta      int64 `json:"delta"` // of it, copied by this backup
		Repository struct {
			Size  int64 `json:"size"`  // stored, with all that it refers to; 0 with block increments
			Delta int64 `json:"delta"` // stored by this backup
		} `json:"repository"`
	} `json:"info"`
	Annotation map[string]printable.Name `json:"annotation"`
}

// Stopped is when the backup was done: recovery has to reach beyond it.
func (b Backup) Stopped() time.Time { return time.Unix(b.Timestamp.Stop, 0).UTC() }

// Started is when it began.
func (b Backup) Started() time.Time { return time.Unix(b.Timestamp.Start, 0).UTC() }

// BadPages reports whether the engine met pages with a wrong checksum.
func (b Backup) BadPages() bool { return b.Error != nil && *b.Error }

var (
	backupLabel = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}F(_[0-9]{8}-[0-9]{6}[DI])?$`)
	archiveID   = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9])?-[0-9]{1,6}$`)
)

// mostBackups bounds how many backups a repository is believed to hold.
const mostBackups = 20_000

func readInfo(raw []byte, stanza string) (Info, error) {
	var all []Info
	if err := json.Unmarshal(raw, &all); err != nil {
		return Info{}, fault.New(fault.Failed, "pitr: read what pgbackrest info prints", "", err)
	}
	for _, one := range all {
		if one.Name == stanza {
			return one, one.check()
		}
	}
	return Info{Name: stanza, Status: Status{Code: StatusNoStanza, Message: "missing stanza path"}}, nil
}

// check refuses what the engine cannot have written.
func (i *Info) check() error {
	bad := func(what string, value string) error {
		return fault.New(fault.Integrity, fmt.Sprintf("pitr: pgbackrest info: %.80q is not %s", value, what),
			"Somebody has written to the repository who is not the engine: look at what lies below its path in the bucket.", nil)
	}
	if len(i.Backup) > mostBackups {
		return bad("a number of backups", strconv.Itoa(len(i.Backup)))
	}
	for _, a := range i.Archive {
		if !archiveID.MatchString(a.ID) {
			return bad("an archive's name", a.ID)
		}
		for _, segment := range []string{a.Min, a.Max} {
			if _, ok := pitr.ParseSegment(segment); !ok && segment != "" {
				return bad("a WAL segment", segment)
			}
		}
	}
	for n := range i.Backup {
		if what, value := i.Backup[n].check(); what != "" {
			return bad(what, value)
		}
	}
	slices.SortStableFunc(i.Backup, func(a, b Backup) int { return int(a.Timestamp.Stop - b.Timestamp.Stop) })
	return nil
}

func (b Backup) check() (what, value string) {
	for _, label := range append([]string{b.Label, b.Prior}, b.Reference...) {
		if !backupLabel.MatchString(label) && (label != "" || b.Label == "") {
			return "a backup's label", label
		}
	}
	if b.Type != "full" && b.Type != "diff" && b.Type != "incr" {
		return "a kind of backup", b.Type
	}
	for _, segment := range []string{b.Archive.Start, b.Archive.Stop} {
		// of a backup that was made without archiving, there is none
		if _, ok := pitr.ParseSegment(segment); !ok && segment != "" {
			return "a WAL segment", segment
		}
	}
	const future = 4102444800 // 2100
	if b.Timestamp.Start < 0 || b.Timestamp.Stop < b.Timestamp.Start || b.Timestamp.Stop > future {
		return "a time of a backup", strconv.FormatInt(b.Timestamp.Stop, 10)
	}
	if b.Info.Size < 0 || b.Info.Delta < 0 || b.Info.Repository.Size < 0 || b.Info.Repository.Delta < 0 {
		return "a size", strconv.FormatInt(min(b.Info.Size, b.Info.Delta), 10)
	}
	return "", ""
}

// Whole are the backups of one server whose whole chain is there, the oldest first.
func (i Info) Whole(database int) (whole []Backup) {
	there := map[string]bool{}
	for _, b := range i.Backup {
		if b.Database.ID != database {
			continue
		}
		there[b.Label] = true
	}
	for _, b := range i.Backup {
		if !there[b.Label] || b.Prior != "" && !there[b.Prior] ||
			slices.ContainsFunc(b.Reference, func(label string) bool { return !there[label] }) {
			continue
		}
		whole = append(whole, b)
	}
	return whole
}

// Current is the server that the stanza is of now: the newest.
func (i Info) Current() (DB, bool) {
	if len(i.DB) == 0 {
		return DB{}, false
	}
	return slices.MaxFunc(i.DB, func(a, b DB) int { return a.ID - b.ID }), true
}

// Fault is what the status says, as an error; nil where the repository was read, also without a backup in it.
func (i Info) Fault() error {
	const what = "pitr: pgbackrest info"
	message := i.Status.Message.String()
	for _, repo := range i.Repo {
		if repo.Status.Code != StatusOK && repo.Status.Code != StatusNoBackup {
			message = repo.Status.Message.String()
		}
	}
	switch i.Status.Code {
	case StatusOK, StatusNoBackup:
		return nil
	case StatusNoStanza, StatusNoStanzaData:
		return fault.New(fault.NotFound, what+": "+message,
			"Run `pgbtui cluster setup`, which creates what the engine needs in the repository.", nil)
	case StatusOtherDatabase, StatusMixed, StatusNoSuchBackup, StatusOther:
	}
	return meaningOf(what, &pitr.ExitError{Program: "pgbackrest", Code: codeIn(message), Said: []string{message}})
}

var codeText = regexp.MustCompile(`\[(?:([0-9]{3})|([A-Za-z]+)Error)\]`)

// codesByName are those of errors that `info` gives by name.
var codesByName = map[string]int{
	"HostConnect": exitConnect, "Protocol": exitProtocol, "Access": exitAccess, "Crypto": exitCrypto,
	"FileMissing": exitMissing, "FileOpen": exitFileOpen, "Service": exitService, "OptionRequired": exitOptionRequired,
}

// codeIn is the exit code that an error of the engine has in its text, as "[049]" or "[HostConnectError]".
func codeIn(message string) int {
	m := codeText.FindStringSubmatch(message)
	if m == nil {
		return -1
	}
	if code, ok := codesByName[m[2]]; ok {
		return code
	}
	code, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return code
}
