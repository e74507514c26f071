// Heartbeats: a service outside is told when a run starts and how it ends, and alerts when neither comes
// ("HTTP API", Healthchecks.io's documentation; others take the same form).
//
// Rules: the address is a secret as a whole, and in no error. A service that does not answer holds a run up for
// seconds, and fails nothing.

package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Heartbeat is the address of one check.
type Heartbeat struct{ at *url.URL }

const (
	heartbeatTime = 5 * time.Second // of one try
	heartbeatTry  = 2
	// heartbeatBody is how much of a run's last lines is sent, in bytes. 100 kB are kept there.
	heartbeatBody = 10_000
)

// JobPlace in an address is replaced by the job's name, so that one address serves all jobs.
const JobPlace = "{job}"

// NewHeartbeat is for a job.
func NewHeartbeat(address, job string) (Heartbeat, error) {
	u, err := url.Parse(strings.ReplaceAll(strings.TrimSpace(address), JobPlace, url.PathEscape(job)))
	if err != nil || u.Host == "" || !isWeb(u.Scheme) {
		return Heartbeat{}, fault.New(fault.Config, "notify: read the address of the heartbeat",
			"Write it as a URL such as https://hc-ping.com/UUID.", errors.New("not a URL"))
	}
	return Heartbeat{at: u}, nil
}

// Start tells that the run with this ID, a UUID, has begun.
func (h Heartbeat) Start(ctx context.Context, run string) error { return h.send(ctx, "start", run, "") }

// End tells with which exit code it ended, and its last lines.
func (h Heartbeat) End(ctx context.Context, run string, exit int, lines string) error {
	return h.send(ctx, strconv.Itoa(exit), run, tail(lines, heartbeatBody))
}

// tail is the last bytes of a text, from the beginning of a line.
func tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

func (h Heartbeat) send(ctx context.Context, what, run, body string) error {
	u := h.at.JoinPath(what)
	query := u.Query()
	query.Set("rid", run)
	u.RawQuery = query.Encode()
	for try := 1; ; try++ {
		again, err := h.once(ctx, u.String(), body)
		if err == nil {
			return nil
		}
		if !again || try == heartbeatTry || !sleep(ctx, firstPause) {
			return fault.New(fault.Unavailable, "notify: send the heartbeat",
				"Check heartbeat.url, and that it can be reached from this host.", err)
		}
	}
}

func (h Heartbeat) once(ctx context.Context, address, body string) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, heartbeatTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return false, errors.New("not a URL")
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		_, reason := inWords(err)
		return true, errors.New(reason)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, bounded.Reader(response.Body, 1<<10))
	if response.StatusCode/100 == 2 {
		return false, nil
	}
	return response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests, fmt.Errorf("answered %s",
		http.StatusText(response.StatusCode))
}
