// What is left in a gateway of jobs that are no longer configured: it keeps what was pushed for ever.

package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

var errNotThere = errors.New("there is no such page")

// groupsLimit bounds the list of a gateway's groups, which many hosts may share.
const groupsLimit = 32 << 20

// Sweep deletes this host's groups of jobs, and of their databases, that are not among those expected.
func (p Pushgateway) Sweep(ctx context.Context, expected []Who) error {
	groups, err := p.groups(ctx)
	if errors.Is(err, errNotThere) {
		return nil // a gateway from before 0.10 has no such API, and something before it may hide it
	}
	for _, labels := range groups {
		if err == nil && p.stale(labels, expected) {
			part := Part(strings.TrimPrefix(labels["job"], partPrefix))
			err = p.remove(ctx, Group{Part: part, Of: Who{Job: labels["backup_job"], Database: labels["database"]}})
		}
	}
	if err != nil {
		return fault.New(fault.Unavailable, "metrics: sweep the "+p.Name(),
			"Check metrics.pushgateway, and that its API answers this host.", err)
	}
	return nil
}

// stale reports whether a group is this host's, and of a job or database that nobody expects.
func (p Pushgateway) stale(labels map[string]string, expected []Who) bool {
	ofAJob := []string{partPrefix + string(PartSets), partPrefix + string(PartRun)}
	if labels["instance"] != p.Host || !slices.Contains(ofAJob, labels["job"]) || labels["backup_job"] == "" {
		return false
	}
	return !slices.ContainsFunc(expected, func(w Who) bool {
		return valid(w.Job) == labels["backup_job"] && (labels["database"] == "" || valid(w.Database) == labels["database"])
	})
}

// groups are the grouping keys of everything in the gateway (prometheus/pushgateway, README, "Query API").
func (p Pushgateway) groups(ctx context.Context) ([]map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, pushTime)
	defer cancel()
	response, err := p.ask(ctx, http.MethodGet, "/api/v1/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := bounded.ReadAll(response.Body, groupsLimit)
	if err != nil {
		return nil, err
	}
	var list struct {
		Data []struct {
			Labels map[string]string `json:"labels"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, errors.New("its list of groups is no JSON")
	}
	var all []map[string]string
	for _, g := range list.Data {
		all = append(all, g.Labels)
	}
	return all, nil
}

func (p Pushgateway) remove(ctx context.Context, g Group) error {
	ctx, cancel := context.WithTimeout(ctx, pushTime)
	defer cancel()
	response, err := p.ask(ctx, http.MethodDelete, p.path(g))
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// ask calls the gateway; an answer that is no success is an error.
func (p Pushgateway) ask(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(p.URL, "/")+path, nil)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		_ = response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			return nil, errNotThere
		}
		return nil, fmt.Errorf("answered %s", response.Status)
	}
	return response, nil
}
