package watch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

var clusterConfig = &config.Config{Clusters: []config.Cluster{{Name: "main"}, {Name: "other"}}}

// wellLooked is what a good look writes down of a cluster.
func wellLooked(name string) record.Cluster {
	loss := int64(3)
	return record.Cluster{
		Cluster: name, At: start, OK: true, Loss: &loss, Summary: "any second from a to b UTC",
		Windows: []record.Window{{After: start.Add(-time.Hour), Until: start}},
	}
}

func clusterSnapshot(t *testing.T, now time.Time, host Host, hostErr error, read func() ([]record.Cluster, error)) Snapshot {
	t.Helper()
	return Prober{Clusters: read, Now: now, Host: host, HostErr: hostErr}.Probe(t.Context(), clusterConfig, nil)
}

func both(change func(*record.Cluster)) func() ([]record.Cluster, error) {
	main := wellLooked("main")
	if change != nil {
		change(&main)
	}
	return func() ([]record.Cluster, error) { return []record.Cluster{main, wellLooked("other")}, nil }
}

func problem(kind, what string) record.Problem { return record.Problem{Kind: kind, What: what} }

func TestEachProblemOfAClusterIsOneIncidentToldOnceAndCleared(t *testing.T) {
	to := start
	for name, c := range map[string]struct {
		change   func(*record.Cluster)
		kind     Kind
		severity Severity
	}{
		"a gap that goes on": {func(c *record.Cluster) {
			c.Problems = []record.Problem{problem("gap", "old"), problem("gap", "new")}
			c.Gaps = []record.Gap{{From: start, To: &to}, {From: start}}
		}, "cluster-gap", Critical},
		"a gap that is over": {func(c *record.Cluster) {
			c.Problems = []record.Problem{problem("gap", "old")}
			c.Gaps = []record.Gap{{From: start, To: &to}}
		}, "cluster-gap", Warning},
		"a lag":         {func(c *record.Cluster) { c.Problems = []record.Problem{problem("archive-lag", "late")} }, "cluster-archive-lag", Critical},
		"dropped WAL":   {func(c *record.Cluster) { c.Problems = []record.Problem{problem("dropped-wal", "x")} }, "cluster-dropped-wal", Critical},
		"no backup":     {func(c *record.Cluster) { c.Problems = []record.Problem{problem("no-backup", "x")} }, "cluster-no-backup", Critical},
		"an old backup": {func(c *record.Cluster) { c.Problems = []record.Problem{problem("old-backup", "x")} }, "cluster-old-backup", Critical},
		"bad pages":     {func(c *record.Cluster) { c.Problems = []record.Problem{problem("bad-pages", "x")} }, "cluster-bad-pages", Critical},
		"stopped":       {func(c *record.Cluster) { c.Problems = []record.Problem{problem("stopped", "x")} }, "cluster-stopped", Critical},
		"other server":  {func(c *record.Cluster) { c.Problems = []record.Problem{problem("other-server", "x")} }, "cluster-other-server", Critical},
		"repository":    {func(c *record.Cluster) { c.Problems = []record.Problem{problem("repository", "x")} }, "cluster-repository", Critical},
		"server":        {func(c *record.Cluster) { c.Problems = []record.Problem{problem("server", "x")} }, "cluster-server", Warning},
		"a failed look": {func(c *record.Cluster) { c.Error = &record.Error{Code: 77, Message: "no"} }, KindClusterLook, Critical},
	} {
		bad := clusterSnapshot(t, start, nil, nil, both(c.change))
		found := bad.Findings(nil, start)
		if len(found) != 1 || found[0].Subject != "cluster main" || found[0].Kind != c.kind || found[0].Severity != c.severity {
			t.Errorf("%s: %+v", name, found)
			continue
		}
		known, news := Reconcile(nil, found, Options{Now: start, Unjudged: bad.Unjudged})
		if len(news) != 1 || news[0].Kind != Opened || news[0].title("db1") != "PostgreSQL backup problem: cluster main on db1" {
			t.Errorf("%s: %+v", name, news)
		}
		if known, news = Reconcile(known, found, Options{Now: start.Add(time.Hour), Unjudged: bad.Unjudged}); len(news) > 0 {
			t.Errorf("%s is told again: %+v", name, news)
		}
		later := start.Add(2 * time.Hour)
		good := clusterSnapshot(t, later, nil, nil, both(func(c *record.Cluster) { c.At = later }))
		left := slices.DeleteFunc(good.Findings(nil, later), func(f Finding) bool { return f.Subject != "cluster main" })
		if _, news = Reconcile(known, left, Options{Now: later, Unjudged: good.Unjudged}); len(news) != 1 || news[0].Kind != Cleared {
			t.Errorf("%s is over: %+v", name, news)
		}
	}
}

func TestAnotherGapIsNewsAndALagThatGrowsIsNot(t *testing.T) {
	found := func(kind, what string) []Finding {
		return clusterSnapshot(t, start, nil, nil, both(func(c *record.Cluster) {
			c.Problems = []record.Problem{problem(kind, what)}
		})).Findings(nil, start)
	}
	for kind, want := range map[string]int{"gap": 1, "lost-backup": 1, "bad-pages": 1, "archive-lag": 0, "old-backup": 0} {
		known, _ := Reconcile(nil, found(kind, "one"), Options{Now: start})
		if _, news := Reconcile(known, found(kind, "one; two"), Options{Now: start.Add(time.Hour)}); len(news) != want {
			t.Errorf("%s: %+v", kind, news)
		}
	}
}

// An old look says nothing, neither that something is wrong nor that it is over.
func TestNothingIsSaidOfAClusterByAnOldLook(t *testing.T) {
	gone := func(c *record.Cluster) { c.Problems = []record.Problem{problem("stopped", "x")} }
	was := clusterSnapshot(t, start, nil, nil, both(gone))
	known, _ := Reconcile(nil, was.Findings(nil, start), Options{Now: start})
	late := start.Add(61 * time.Minute)
	for name, read := range map[string]func() ([]record.Cluster, error){
		"old":           both(nil),
		"of the future": both(func(c *record.Cluster) { c.At = late.Add(time.Hour) }),
		"none":          func() ([]record.Cluster, error) { return nil, fault.New(fault.NotFound, "no", "", nil) },
		"unreadable":    func() ([]record.Cluster, error) { return nil, errors.New("schema 9") },
	} {
		s := clusterSnapshot(t, late, nil, nil, read)
		found := s.Findings(nil, late)
		if len(found) == 0 || len(found) > 2 || slices.ContainsFunc(found, func(f Finding) bool { return f.Kind != KindClusterStale }) {
			t.Errorf("%s: %+v", name, found)
		}
		next, _ := Reconcile(known, found, Options{Now: late, Unjudged: s.Unjudged})
		if _, open := Known(next, "cluster main", "cluster-stopped"); !open {
			t.Errorf("%s: what was found before is over", name)
		}
	}
}

func TestWhatTheRepositoryHoldsIsNotJudgedWhereItCannotBeRead(t *testing.T) {
	s := clusterSnapshot(t, start, nil, nil, both(func(c *record.Cluster) { c.Problems = []record.Problem{problem("repository", "x")} }))
	for kind, want := range map[Kind]bool{
		"cluster-gap": true, "cluster-no-backup": true, "cluster-archive-lag": true, "cluster-lost-backup": true,
		"cluster-archiver": false, "cluster-stopped": false, "cluster-repository": false, KindClusterStale: false,
	} {
		if got := s.Unjudged(Incident{Finding: Finding{Subject: "cluster main", Kind: kind}}); got != want {
			t.Errorf("%s: unjudged %v", kind, got)
		}
	}
	if s.Unjudged(Incident{Finding: Finding{Subject: "cluster gone", Kind: "cluster-gap"}}) {
		t.Error("a cluster that is not configured any more keeps its incident")
	}
}

// lookHost is a systemd with the timer and the service of the look.
type lookHost struct {
	fakeHost
	timer systemd.TimerState
	unit  systemd.UnitState
}

func (h lookHost) Timer(_ context.Context, name string) (systemd.Timer, error) {
	return systemd.Timer{Name: name, State: h.timer}, nil
}

func (h lookHost) Unit(_ context.Context, name string) (systemd.UnitState, error) {
	h.unit.Name = name
	return h.unit, nil
}

// One cause, one incident: that nobody looks makes every record old.
func TestALookThatDoesNotHappenIsOneProblem(t *testing.T) {
	late := start.Add(3 * time.Hour)
	off := clusterSnapshot(t, late, lookHost{timer: systemd.TimerOff}, nil, both(nil)).Findings(nil, late)
	if len(off) != 1 || off[0].Subject != systemd.ClusterStatusTimer || off[0].Kind != KindTimer || off[0].Severity != Critical {
		t.Errorf("off: %+v", off)
	}
	failed := systemd.UnitState{
		LoadState: "loaded", ActiveState: "failed", InvocationID: "1",
		Service: systemd.ServiceState{Result: "exit-code", ExitCode: exited, ExitStatus: 77, ExitedAt: late},
	}
	fails := clusterSnapshot(t, late, lookHost{timer: systemd.TimerOn, unit: failed}, nil, both(nil)).Findings(nil, late)
	if len(fails) != 1 || fails[0].Subject != systemd.ClusterStatusService || fails[0].Kind != KindRun {
		t.Errorf("failing: %+v", fails)
	}
	well := clusterSnapshot(t, start, lookHost{timer: systemd.TimerOn}, nil, both(nil)).Findings(nil, start)
	if len(well) > 0 {
		t.Errorf("well: %+v", well)
	}
}

func TestAHostThatOnlyLooksAtOthersJudgesNoCluster(t *testing.T) {
	c := &config.Config{Clusters: clusterConfig.Clusters, ReadOnly: true}
	s := Prober{Clusters: func() ([]record.Cluster, error) { return nil, errors.New("asked") }, Now: start}.Probe(t.Context(), c, nil)
	if found := s.Findings(nil, start); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}
