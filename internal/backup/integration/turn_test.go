package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// ended is a run on its own.
type ended struct {
	result *dump.Result
	err    error
}

func (w *world) goes(t *testing.T) <-chan ended {
	out := make(chan ended, 1)
	go func() {
		result, err := w.try(t.Context())
		out <- ended{result, err}
	}()
	return out
}

func TestRunsOfTwoJobsOfOneDatabaseTakeTurns(t *testing.T) {
	hourly, weekly := twoJobs(t)
	var second <-chan ended
	waited := false
	hourly.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		second = weekly.goes(t)
		for end := time.Now().Add(time.Minute); time.Now().Before(end) && !waited; time.Sleep(20 * time.Millisecond) {
			waited = strings.Contains(weekly.log.text(), "waiting for the turn of this run")
		}
		return nil
	})
	first := hourly.run(t)
	if !waited {
		t.Fatalf("nothing says that the second waits: %s", weekly.log.text())
	}
	then := <-second
	if then.err != nil {
		t.Fatal(then.err)
	}
	if then.result.Manifest.FinishedAt.Before(first.Manifest.FinishedAt) || then.result.Manifest.Job != "weekly" {
		t.Errorf("%+v was before %+v", then.result.Manifest, first.Manifest)
	}
	locks := 0
	for _, stage := range then.result.Manifest.Stages {
		if stage.Stage == "lock" {
			locks++
		}
	}
	if locks != 1 {
		t.Errorf("%d stages of waiting", locks)
	}
	if good := hourly.goodSets(t); len(good) != 2 {
		t.Errorf("%q", good)
	}
	hourly.noLitter(t, hourly.keys(t))
}

func TestARunWaitsForItsTurnNoLongerThanItMay(t *testing.T) {
	hourly, weekly := twoJobs(t)
	weekly.job.RunWait = time.Second
	var second ended
	hourly.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		second = <-weekly.goes(t)
		return nil
	})
	hourly.run(t)
	wantCode(t, second.err, fault.Temporary)
	if !errors.Is(second.err, lease.ErrHeld) {
		t.Error(second.err)
	}
}
