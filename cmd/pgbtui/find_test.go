package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestARequestTakesNoSetOfAnotherJobThanItNames(t *testing.T) {
	w := newWatched(t, "")
	delete(w.env, "DB_NAME")
	jobs := fmt.Sprintf("instance: db1\ns3: {bucket: %s, region: us-east-1}\n"+
		"jobs: {hourly: {database: %s}, weekly: {database: %s}}\n", w.s3.Bucket, w.db, w.db)
	if err := os.WriteFile(w.config, []byte(jobs), 0o600); err != nil {
		t.Fatal(err)
	}
	w.pg.Exec(t, w.db, sample)
	w.mustRun(t, "--headless", "--job", "weekly")
	var seen struct {
		Set            struct{ ID string }
		ManifestSHA256 string
	}
	if err := json.Unmarshal([]byte(w.mustRun(t, "show", "latest", "--job", "weekly", "--json")), &seen); err != nil {
		t.Fatal(err)
	}
	p := newProgram(outside{out: os.Stdout, err: os.Stderr, getenv: func(k string) string { return w.env[k] }})
	p.configFile = w.config
	defer p.close()
	asked := request.Restore{Set: seen.Set.ID, Instance: "db1", Database: w.db, ManifestSHA256: seen.ManifestSHA256}
	for job, want := range map[string]fault.Code{
		"weekly": fault.OK, "": fault.OK, "hourly": fault.Refused, "not configured": fault.Refused,
	} {
		asked.Job = job
		at, err := p.finder(access{}).locateAsked(t.Context(), asked)
		if fault.CodeOf(err) != want {
			t.Errorf("a request that names job %q: %v", job, err)
		}
		if err == nil && at.job.Name != "weekly" {
			t.Errorf("a request that names job %q is carried out by the settings of %q", job, at.job.Name)
		}
	}
}

func (w *watched) mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, out := w.run(t, args...)
	if code != fault.OK {
		t.Fatalf("%q ended with %d: %s", args, code, out)
	}
	return out
}

// A database's listing can be as large as the memory that a call may have.
func TestASetIsShownFromOneListingOfItsDatabase(t *testing.T) {
	w := newWatched(t, "")
	w.mustRun(t, "--headless")
	for _, args := range [][]string{{"show", "latest"}, {"show", "latest", "--job", w.db}} {
		before := len(w.ours.Requests(s3server.OpListObjectsV2))
		out := w.mustRun(t, append(args, "--json")...)
		lists := 0
		for _, r := range w.ours.Requests(s3server.OpListObjectsV2)[before:] {
			if query, _ := url.ParseQuery(r.Query); strings.HasSuffix(query.Get("prefix"), "/"+w.db+"/") {
				lists++
			}
		}
		if lists != 1 || !strings.Contains(out, `"restoreTime"`) {
			t.Errorf("%q: %d listings of the database, %s", args, lists, out)
		}
	}
}
