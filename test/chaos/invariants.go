package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// state is what lies in the bucket when no run goes on.
type state struct {
	committed  []string // sets with a manifest, each read back and decoded
	unfinished []string // sets without
	uploads    int
	leaseHeld  bool
}

// Limits that hold in every state.
const (
	backendsGone = 10 * time.Second
	// maxRSS is 256 MiB and the buffers of three parts, see docs/architecture.md.
	maxRSS = (256 + 3*8) << 20
)

// look reads everything back and asserts what must hold whenever no run goes on: every manifest's
// set is whole, nothing of the program lives on, nothing is on its disk, and no secret anywhere.
func (w *World) look(ctx context.Context, cell *Cell) (found state) {
	sets, err := w.sets(ctx)
	if err != nil {
		cell.violated("the bucket cannot be read: %v", err)
	}
	for i := range sets {
		if sets[i].manifest == nil {
			found.unfinished = append(found.unfinished, sets[i].id)
			continue
		}
		found.committed = append(found.committed, sets[i].id)
		if problem := w.provenWhole(ctx, &sets[i]); problem != "" {
			cell.violated("FALSE GREEN: a manifest without its backup: %s", problem)
			continue
		}
		cell.Sets++
	}
	open, err := w.bucket.Uploads(ctx, "")
	if err != nil {
		cell.violated("open uploads cannot be listed: %v", err)
	}
	found.uploads = len(open)
	found.leaseHeld = w.leaseHeld(ctx)
	w.nothingLives(ctx, cell)
	w.noLeaks(cell, sets)
	return found
}

func (w *World) leaseHeld(ctx context.Context) bool {
	raw, err := w.read(ctx, w.folder()+"lease.json")
	if err != nil {
		return false // never taken
	}
	var lease struct {
		Released bool `json:"released"`
	}
	return json.Unmarshal(raw, &lease) != nil || !lease.Released
}

// nothingLives: no sessions, no processes, no spool, no more memory than promised.
func (w *World) nothingLives(ctx context.Context, cell *Cell) {
	var left []string
	var sessions int64
	for deadline := time.Now().Add(backendsGone); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		left, sessions = w.seen.alive(), w.sessions(ctx, "true")
		if len(left) == 0 && sessions == 0 {
			break
		}
	}
	if len(left) > 0 || sessions != 0 {
		cell.violated("10 s later: %d sessions, processes %q", sessions, left)
	}
	if files, err := os.ReadDir(filepath.Join(w.dir, spoolName)); len(files) > 0 || err != nil {
		cell.violated("left in the spool: %v, %v", files, err)
	}
	if cell.PeakRSS > maxRSS {
		cell.violated("%d MiB resident", cell.PeakRSS>>20)
	}
}

// noLeaks looks for the planted secrets in arguments, environments, output, keys, bodies and
// metadata.
func (w *World) noLeaks(cell *Cell, sets []set) {
	places := map[string]string{"what programs were started with": w.seen.startedWith(), "the output": w.said()}
	for _, s := range sets {
		for _, o := range s.objects {
			places[s.id+"/"+o.key] = o.key + "\n" + string(o.body)
		}
	}
	for i, r := range w.store.Requests() {
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Meta") {
				places[fmt.Sprintf("metadata of request %d", i)] = strings.Join(values, "\n")
			}
		}
	}
	for where, text := range places {
		for _, secret := range w.lab.secrets() {
			if strings.Contains(text, secret) {
				cell.Leaks++
				cell.violated("LEAK: %q in %s", secret, where)
			}
		}
	}
}

func (l *Lab) secrets() []string {
	key := l.key.String()
	return []string{secretAccessKey, secretSecretKey, secretToken, secretPassword, secretWebhook, key, key[20:40]}
}
