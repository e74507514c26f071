package systemd

import (
	"context"
	"os"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// TestUnitsInARealSystemd boots a lab and puts this test binary into it, once as the program that
// the units run (see TestMain) and once as itself: there, it runs the cases of insideCases.
func TestUnitsInARealSystemd(t *testing.T) {
	if os.Getenv(inLab) != "" {
		for _, c := range insideCases() {
			t.Run(c.name, c.test)
		}
		return
	}
	l := lab.Start(t, lab.Options{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{DefaultBinary, labTests} {
		if err := l.Copy(self, target, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(user, cases string) {
		t.Run(cases+" as "+user, func(t *testing.T) {
			t.Log(l.Run(t, user, "env", inLab+"="+user, labTests, "-test.v", "-test.run=^TestUnitsInARealSystemd$/^"+cases))
		})
	}
	run("root", "Install")
	addUsers(t, l)
	if err := l.WriteFile(unitDir+"/postgres-backup@"+skippedJob+".service.d/c.conf", "[Unit]\nConditionPathExists=/nonexistent\n", 0o644); err != nil {
		t.Fatal(err)
	}
	l.Run(t, "root", "systemctl", "daemon-reload")
	run("ops", "Operator")
	run("stranger", "Stranger")
	run("pgbtui", "Stranger")
	run("root", "Root")
	run("root", "Uninstall")
}

const (
	inLab      = "PGBTUI_IN_LAB" // the user, inside
	labTests   = "/usr/local/lib/systemd.test"
	skippedJob = "skipped" // has a condition that is not met
)

type insideCase struct {
	name string
	test func(*testing.T)
}

// insideCases are selected by the first word of their name.
func insideCases() []insideCase {
	return []insideCase{
		{"InstallTwice", installTwice},
		{"OperatorSeesHowARunEnds", operatorSeesHowARunEnds},
		{"OperatorFollowsAndStopsARun", operatorFollowsAndStopsARun},
		{"OperatorNeedNotWaitForTheRetry", operatorNeedNotWaitForTheRetry},
		{"OperatorIsNotStoppedByTheStartLimit", operatorIsNotStoppedByTheStartLimit},
		{"OperatorMayNotTouchOtherUnits", operatorMayNotTouchOtherUnits},
		{"OperatorSeesTheTimers", operatorSeesTheTimers},
		{"StrangerIsToldWhatIsMissing", strangerIsToldWhatIsMissing},
		{"RootVerificationHasTwoSteps", rootVerificationHasTwoSteps},
		{"RootRetentionIsItsOwnAlert", rootRetentionIsItsOwnAlert},
		{"RootTimerCatchesUpAMissedRunOnce", rootTimerCatchesUpAMissedRunOnce},
		{"RootStoppingARunLeavesItsTimer", rootStoppingARunLeavesItsTimer},
		{"RootLongRunsLiveWhileTheyMove", rootLongRunsLiveWhileTheyMove},
		{"RootAlertKnowsWhatFailed", rootAlertKnowsWhatFailed},
		{"RootEnvironmentReachesTheRunUnchanged", rootEnvironmentReachesTheRunUnchanged},
		{"RootWatchSurvivesARestartOfTheBus", rootWatchSurvivesARestartOfTheBus},
		{"UninstallLeavesARunGoing", uninstall},
	}
}

func addUsers(t *testing.T, l *lab.Lab) {
	t.Helper()
	for user, groups := range map[string][]string{"ops": {OperatorGroup}, "stranger": nil} {
		if err := l.AddUser(t.Context(), user, groups...); err != nil {
			t.Fatal(err)
		}
	}
}

func inside(t *testing.T) (*Bus, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	bus, err := Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); bus.Close() })
	return bus, ctx
}
