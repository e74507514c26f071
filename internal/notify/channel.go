// Channels: where alerts go, each named by one address.
//
// Rules: an address is a secret as a whole. A channel is shown by its kind and number, with the host only for
// kinds whose host is no part of the secret; of an error only words that are written here are shown, never
// the sending library's text, which quotes addresses.

package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Channel is one place that takes messages.
type Channel struct {
	Label        string // for people: "channel 2 (ntfy://ntfy.sh)"
	CriticalOnly bool

	address string
	pause   time.Duration // before the second try; 0: firstPause
}

// Message is what is sent. Title is one line, and Text says the same again.
type Message struct{ Title, Text string }

// NewChannel is the n-th channel. An address that no kind of channel takes is an error that does not
// show it. http and https addresses get Slack's JSON, which Mattermost and others take too.
func NewChannel(n int, address string, criticalOnly bool) (Channel, error) {
	what := fmt.Sprintf("notify: read the address of channel %d", n)
	remedy := "Give an address of a kind that docs/alerts.md#channels lists."
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme == "" {
		return Channel{}, fault.New(fault.Config, what, remedy, errors.New("not a URL"))
	}
	kind, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	switch {
	case isWeb(kind) && u.Host == "":
		return Channel{}, fault.New(fault.Config, what, remedy, errors.New("no host"))
	case kind == "logger", !isWeb(kind) && !slices.Contains((&router.ServiceRouter{}).ListServices(), kind):
		return Channel{}, fault.New(fault.Config, what, remedy,
			errors.New("the word before the colon is not a kind of channel"))
	}
	return Channel{
		Label: fmt.Sprintf("channel %d (%s)", n, shown(u)), CriticalOnly: criticalOnly, address: strings.TrimSpace(address),
	}, nil
}

func isWeb(kind string) bool { return kind == "http" || kind == "https" }

// Same reports whether two channels have the same address.
func (c Channel) Same(other Channel) bool { return c.address == other.address }

// shown is an address without its secrets. Of many kinds the host is a token or a key.
func shown(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	public := []string{
		"http", "https", "generic", "generic+http", "generic+https", "smtp", "ntfy", "gotify", "mattermost", "rocketchat",
		"matrix", "zulip",
	}
	if !slices.Contains(public, scheme) || u.Host == "" {
		return scheme
	}
	return scheme + "://" + printable.OneLine(u.Host)
}

// Send delivers a message with a few tries, within ctx.
func (c Channel) Send(ctx context.Context, m Message) error {
	u, err := url.Parse(c.address)
	if err != nil {
		return fault.New(fault.Config, "notify: "+c.Label, "", errors.New("not a URL"))
	}
	pause := c.pause
	if pause == 0 {
		pause = firstPause
	}
	if isWeb(u.Scheme) {
		s := slackSender()
		s.pause = pause
		return s.post(ctx, c.address, m.Text)
	}
	for try := 1; ; try++ {
		again, err := c.once(ctx, u.Scheme, m)
		if err == nil {
			return nil
		}
		err = fault.New(fault.Unavailable, "notify: send by "+c.Label, "Try it with `pgbtui alert test`.", err)
		// Several hosts that fail at once must not come back at once.
		if !again || try == attempts || !sleep(ctx, pause/2+rand.N(pause)) { //nolint:gosec // a pause, not a secret
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// titled are the kinds that show a title apart from the text. Others refuse one, or repeat it.
var titled = []string{"smtp", "ntfy", "gotify", "pushover", "pushbullet", "opsgenie", "bark"}

// once tries one time. The library knows no context: a try that takes too long is left behind, and
// ends with this program.
func (c Channel) once(ctx context.Context, scheme string, m Message) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil {
				done <- errors.New("the message could not be built")
			}
		}()
		service, err := (&router.ServiceRouter{}).Locate(c.address)
		if err != nil {
			done <- errAddress
			return
		}
		params := types.Params{}
		if kind, _, _ := strings.Cut(scheme, "+"); slices.Contains(titled, kind) {
			params.SetTitle(m.Title)
		}
		done <- service.Send(cut(m.Text, textLimit), &params)
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		return true, errors.New("no answer in time")
	}
	if err == nil {
		return false, nil
	}
	if errors.Is(err, errAddress) {
		return false, errors.New("the address is not complete, or not of its kind")
	}
	status, reason := inWords(err)
	return status == 0 || status == http.StatusTooManyRequests || status >= 500, errors.New(reason)
}

var errAddress = errors.New("notify: unusable address")

// inWords tells what went wrong in words of ours: the library's own may hold the address, as it
// is or escaped. status is the HTTP status, 0 when there was none.
func inWords(err error) (status int, reason string) {
	text := err.Error()
	for code := 300; code < 600; code++ {
		name := http.StatusText(code)
		if name != "" && strings.Contains(text, fmt.Sprintf("%d %s", code, name)) {
			return code, fmt.Sprintf("answered %d %s", code, name)
		}
	}
	var smtp *textproto.Error
	if errors.As(err, &smtp) {
		return 0, fmt.Sprintf("the mail server answered %d", smtp.Code)
	}
	var dns *net.DNSError
	for _, known := range []struct{ sign, words string }{
		{"connection refused", "connection refused"},
		{"no such host", "no such host"},
		{"certificate", "the server's certificate is not valid"},
		{"network is unreachable", "network is unreachable"},
		{"connection reset", "connection reset"},
		{"timeout", "no answer in time"},
		{"deadline exceeded", "no answer in time"},
		{"EOF", "the connection ended early"},
	} {
		if strings.Contains(text, known.sign) {
			return 0, known.words
		}
	}
	if errors.As(err, &dns) {
		return 0, "the host's name cannot be looked up"
	}
	return 0, "it did not accept the message (the reason is not shown, since it may contain the address)"
}

// Outgoing is a message for one channel, and how its delivery went.
type Outgoing struct {
	Channel Channel
	Message Message
	Err     error
}

// Send delivers all at the same time, so that a slow channel holds up no other, and fills in how each
// went.
func Send(ctx context.Context, all []Outgoing) {
	var running sync.WaitGroup
	for i := range all {
		running.Go(func() { all[i].Err = all[i].Channel.Send(ctx, all[i].Message) })
	}
	running.Wait()
}
