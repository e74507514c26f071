// Prometheus's Pushgateway, for hosts that Prometheus cannot reach (prometheus/pushgateway, README, "API").
//
// Rules: each part of each job is a group of its own, and a push replaces its group as a whole. The address may hold a
// password: it is in no error.

package metrics

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Pushgateway is one gateway. Host tells the groups of several hosts apart.
type Pushgateway struct {
	URL  string
	Host string
}

// pushTime bounds one push. There are two for a run, and some more for a look of the watch.
const pushTime = 10 * time.Second

// answerLimit is how much of a refusal is told.
const answerLimit = 300

// Name is what messages call it.
func (p Pushgateway) Name() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return "Pushgateway"
	}
	return "Pushgateway " + u.Host
}

// Send replaces the groups. After one that could not be sent at all, the others are not tried.
func (p Pushgateway) Send(ctx context.Context, groups []Group) error {
	for _, g := range groups {
		if err := p.push(ctx, g); err != nil {
			return fault.New(fault.Unavailable, "metrics: push to the "+p.Name(),
				"Check metrics.pushgateway, and that the gateway can be reached from this host.", err)
		}
	}
	return nil
}

func (p Pushgateway) push(ctx context.Context, g Group) error {
	ctx, cancel := context.WithTimeout(ctx, pushTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, strings.TrimRight(p.URL, "/")+p.path(g),
		bytes.NewReader(encode(g.Samples)))
	if err != nil {
		return errors.New("not a URL")
	}
	request.Header.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return printable.WithoutURL(err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 == 2 {
		return nil
	}
	said, err := bounded.Head(response.Body, answerLimit)
	if err != nil && !errors.Is(err, io.EOF) {
		said = nil
	}
	return fmt.Errorf("answered %s: %s", response.Status, strings.TrimSpace(string(said)))
}

// path is the grouping key: whose push replaces what. Prometheus's own label `job` is the part. The gateway puts the
// key's labels over those of the samples, so they are the same.
func (p Pushgateway) path(g Group) string {
	job := partPrefix + string(g.Part)
	path := "/metrics/job/" + job + grouping("instance", p.Host)
	for _, l := range []Label{{Name: "backup_job", Value: g.Of.Job}, {Name: "database", Value: g.Of.Database}} {
		if l.Value != "" {
			path += grouping(l.Name, l.Value)
		}
	}
	return path
}

// partPrefix begins the value of the label job.
const partPrefix = "pgbtui_"

// grouping is one label of a path. In base64 it may hold any character.
func grouping(label, value string) string {
	return "/" + label + "@base64/" + base64.RawURLEncoding.EncodeToString([]byte(valid(value)))
}

func valid(value string) string { return strings.ToValidUTF8(value, "\ufffd") }
