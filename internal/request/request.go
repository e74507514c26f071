// Package request carries an operator's wish to the unit that grants it: a small file in a folder
// that group pgbtui may write to, read by postgres-restore@ID.service, or by postgres-pitr@ID.service where it is about
// a cluster.
//
// Rules: the file says what is wanted, never how (no commands, no paths); what is read was
// written by somebody else, so links, pipes, strange sizes and unknown keys are refused.
package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// DefaultDir is made by the installed tmpfiles entry, owned by group pgbtui.
const DefaultDir = "/var/lib/pgbtui/requests"

// Restore asks for one of four: a set restored into a new database (To), rows of it into an existing one
// (To with DataOnly), a set in the place of a live one (Replace), or a database that stands beside a live
// one put in its place (Swap). With Check the unit only looks whether that can work, and answers.
//
// The set is named by its whole address and by what the operator saw of it: somebody else may have stored
// one under the same ID, or since then another in its place.
type Restore struct {
	Check    bool   `json:"check,omitempty"`
	Set      string `json:"set"`              // its ID
	Instance string `json:"instance"`         // "" for sets of the old script, which belong to none
	Database string `json:"database"`         // of the source
	Schema   string `json:"schema,omitempty"` // of a tenant's set
	Job      string `json:"job,omitempty"`

	From string `json:"from,omitempty"` // the copy that the set is read from; "" is the main place

	ManifestSHA256 string `json:"manifestSha256,omitempty"` // hex, of its bytes; sets of the old script have none

	Swap string `json:"swap,omitempty"` // the live database; needs no set
	With string `json:"with,omitempty"` // goes with Swap; "" is the newest that a restore replaced

	// What is to be done with the set. Confirm and Terminate count for a swap, too.
	restore.Request

	By string    `json:"by,omitempty"` // for the journal, unverified; Owner is what counts where it can be seen
	At time.Time `json:"at"`

	Owner uint32 `json:"-"` // the file's; set by Read. In a unit with PrivateUsers= it is OverflowUID
}

// Backup is the restore that is asked for, as one for somebody who is no superuser.
func (r Restore) Backup() restore.Request {
	wanted := r.Request
	wanted.ForOperator = true
	return wanted
}

// BackupSwap is the swap that is asked for.
func (r Restore) BackupSwap() restore.UndoRequest {
	return restore.UndoRequest{Database: r.Swap, With: r.With, Confirm: r.Confirm, Terminate: r.Terminate}
}

// OverflowUID stands for owners that a user namespace does not know (user_namespaces(7)).
const OverflowUID = 65534

// Live is the existing database that is to be changed, or "".
func (r Restore) Live() string {
	if r.DataOnly && r.Swap == "" {
		return r.To
	}
	return r.Replace + r.Swap
}

// NewCheckID makes an ID for a request that only checks out of one for any. Such a run changes nothing,
// and is not shown among those that do.
func NewCheckID(id string) string { return checkPrefix + id }

// IsCheckID recognises the IDs of NewCheckID.
func IsCheckID(id string) bool { return strings.HasPrefix(id, checkPrefix) }

const checkPrefix = "check-"

var validID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`) })

// maxBytes of a request file.
const maxBytes = 256 << 10

// Write stores r as dir/id.json, readable by the folder's group.
func Write(dir, id string, r Restore) error { return write(dir, id, r) }

func write(dir, id string, wish any) error {
	body, err := json.Marshal(wish)
	if err != nil {
		return fmt.Errorf("request: write: %w", err)
	}
	file, err := path(dir, id)
	if err != nil {
		return err
	}
	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY | syscall.O_NOFOLLOW
	f, err := os.OpenFile(file, flags, 0o640) //nolint:gosec // the unit reads it through the folder's group
	if err != nil {
		return classify(dir, err)
	}
	_, err = f.Write(body)
	// Whatever the operator's umask is, the unit reads it through the folder's group.
	return errors.Join(err, f.Chmod(0o640), f.Close())
}

func classify(dir string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fault.New(fault.NotPermitted, "request: write",
			"Become a member of group pgbtui: `usermod -aG pgbtui USER`, then log in again.", err)
	case errors.Is(err, os.ErrNotExist):
		return fault.New(fault.Config, "request: there is no folder "+dir, "Run `sudo pgbtui units install`.", err)
	}
	return fmt.Errorf("request: write: %w", err)
}

func path(dir, id string) (string, error) {
	if !validID().MatchString(id) {
		return "", fault.New(fault.Usage, fmt.Sprintf("request: %q is not the ID of a request", id), "", nil)
	}
	return filepath.Join(dir, id+".json"), nil
}

// Take is Read for the one who carries the request out, once. It is removed first: started again, its unit
// must not put an old set in the place of what was written since, nor the same rows in twice.
func Take(dir, id string) (Restore, error) {
	r, err := Read(dir, id)
	if err != nil {
		return r, err
	}
	return r, once(dir, id)
}

// once removes a request that is about to be carried out.
func once(dir, id string) error {
	if err := os.Remove(filepath.Join(dir, id+".json")); err != nil {
		return fault.New(fault.Refused, "request: remove "+id+", which must not be carried out twice",
			"Let the unit's user write to "+dir+".", err)
	}
	return nil
}

// Read loads the request of an ID. Anything but a plain small file with known keys is refused.
func Read(dir, id string) (Restore, error) {
	body, owner, err := loadWish(dir, id)
	if err != nil {
		return Restore{}, err
	}
	r, err := parse(body)
	if err != nil {
		return r, err
	}
	r.Owner = owner
	return r, nil
}

// loadWish reads the file of a request, and says whose it is.
func loadWish(dir, id string) (body []byte, owner uint32, err error) {
	file, err := path(dir, id)
	if err != nil {
		return nil, 0, err
	}
	body, info, err := load(file, maxBytes)
	if err != nil {
		return nil, 0, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = stat.Uid
	}
	return body, owner, nil
}

// load reads a plain file of at most limit bytes that somebody else wrote.
func load(file string, limit int64) ([]byte, os.FileInfo, error) {
	name := filepath.Base(file)
	// O_NONBLOCK: a planted pipe must not hold the unit.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, fault.New(fault.NotFound, "request: no "+name, "Ask for the restore again.", err)
	}
	if err != nil {
		return nil, nil, fault.New(fault.NotPermitted, "request: open "+name, "", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return nil, nil, fault.New(fault.Refused, "request: "+file+" is not a small regular file", "Remove it.", err)
	}
	body, err := bounded.ReadAll(f, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("request: read: %w", err)
	}
	return body, info, nil
}

// decode reads one document without a key that is not known.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fault.New(fault.Refused, "request: not readable", "Ask for the restore again.", err)
	}
	return nil
}

func parse(body []byte) (Restore, error) {
	var r Restore
	if err := decode(body, &r); err != nil {
		return r, err
	}
	if wrong := r.wrong(); wrong != "" {
		return r, fault.New(fault.Refused, "request: "+wrong, "Ask for the restore again.", nil)
	}
	return r, nil
}

// wrong is what is contradictory or missing, or "".
func (r Restore) wrong() string {
	targets := 0
	for _, t := range []string{r.To, r.Replace, r.Swap} {
		if t != "" {
			targets++
		}
	}
	switch {
	case targets != 1:
		return "not exactly one of to, replace and swap"
	case (r.Set == "") != (r.Swap != ""):
		return "set is missing, or given with swap"
	case !r.Check && r.Confirm != r.Live():
		return "the live database's name was not confirmed, or a confirmation was given for a new one"
	case r.Check && r.Live() == "" && r.Confirm != "", r.Replace+r.Swap == "" && r.Terminate, r.Swap == "" && r.With != "":
		return "confirm, terminate or with without what they go with"
	case r.Jobs < 0 || r.Jobs > 64:
		return "jobs is not 0 to 64"
	case r.Swap != "":
		return ""
	}
	return r.wrongSet()
}

var validDigest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })

// wrongSet is what is missing for a set to be the one that the operator saw, or "".
func (r Restore) wrongSet() string {
	switch legacy := backup.IsLegacyID(r.Set); {
	case !backup.IsID(r.Set):
		return "set is not the whole ID of one"
	case r.Database == "" || (r.Instance == "") != legacy:
		return "the set's address is not whole: it takes instance, database and ID"
	case !validDigest().MatchString(r.ManifestSHA256) && (!legacy || r.ManifestSHA256 != ""):
		return "manifestSha256 is not the digest of the set's manifest"
	}
	return ""
}
