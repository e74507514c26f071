package systemd

import (
	"context"
	"fmt"
	"os"
	"strings"
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
	l := boot(t, lab.Options{})
	inside := func(user, cases string) { runInside(t, l, user, cases) }
	inside("root", "Install")
	addUsers(t, l)
	skipJob(t, l)
	inside("ops", "Operator")
	withoutUnits(t, l)
	inside("stranger", "Stranger")
	inside("pgbtui", "Stranger")
	inside("root", "Root")
	inside("root", "Uninstall")
}

// TestUnitsInNewerSystemd is what operators and strangers may and may not, and that every job runs,
// on the systems after the machine's own.
func TestUnitsInNewerSystemd(t *testing.T) {
	for _, system := range lab.Newer() {
		t.Run(system.String(), func(t *testing.T) {
			t.Parallel()
			l := boot(t, lab.Options{System: system, NoPostgreSQL: true})
			l.Run(t, "root", "sh", "-c", "id postgres || useradd --system --user-group postgres") // restores run as that
			runInside(t, l, "root", "Units")
			addUsers(t, l)
			skipJob(t, l)
			runInside(t, l, "ops", "Operator")
			withoutUnits(t, l)
			runInside(t, l, "stranger", "Stranger")
			runInside(t, l, "root", "RootCanDo")
		})
	}
}

func boot(t *testing.T, options lab.Options) *lab.Lab {
	t.Helper()
	l := lab.Start(t, options)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{DefaultBinary, labTests} {
		if err := l.Copy(self, target, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func runInside(t *testing.T, l *lab.Lab, user, cases string) {
	t.Run(cases+" as "+user, func(t *testing.T) {
		t.Log(l.Run(t, user, "env", inLab+"="+user, labTests, "-test.v", "-test.run=^TestUnitsInARealSystemd$/^"+cases))
	})
}

func skipJob(t *testing.T, l *lab.Lab) {
	t.Helper()
	if err := l.WriteFile(unitDir+"/postgres-backup@"+skippedJob+".service.d/c.conf", "[Unit]\nConditionPathExists=/nonexistent\n", 0o644); err != nil {
		t.Fatal(err)
	}
	l.Run(t, "root", "systemctl", "daemon-reload")
}

// withoutUnits has an operator try to take over units whose files are gone, while the rule is still
// there: somebody removed them by hand.
func withoutUnits(t *testing.T, l *lab.Lab) {
	move := "mv %s/postgres-*.service %s/postgres-*.timer %s/; systemctl daemon-reload"
	const away = "/var/away"
	timers := strings.Fields(l.Run(t, "root", "sh", "-c", "systemctl list-units --plain --no-legend --state=active 'postgres-*.timer' | cut -d' ' -f1"))
	l.Run(t, "root", "mkdir", away)
	l.Run(t, "root", "sh", "-euc", fmt.Sprintf(move, unitDir, unitDir, away))
	runInside(t, l, "ops", "OperatorTakesNoUnitOver")
	l.Run(t, "root", "sh", "-euc", fmt.Sprintf(move, away, away, unitDir))
	// A timer whose file was gone has failed.
	l.Run(t, "root", "sh", "-c", "systemctl reset-failed 'postgres-*'; systemctl start "+strings.Join(timers, " "))
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
		{"UnitsAloneInstallTwice", unitsAlone},
		{"OperatorSeesHowARunEnds", operatorSeesHowARunEnds},
		{"OperatorFollowsAndStopsARun", operatorFollowsAndStopsARun},
		{"OperatorNeedNotWaitForTheRetry", operatorNeedNotWaitForTheRetry},
		{"OperatorIsNotStoppedByTheStartLimit", operatorIsNotStoppedByTheStartLimit},
		{"OperatorMayNotTouchOtherUnits", operatorMayNotTouchOtherUnits},
		{"OperatorSeesTheTimers", operatorSeesTheTimers},
		{"OperatorRunsJobsOfAnyName", operatorRunsJobsOfAnyName},
		{"OperatorIsRefusedOptionsAsInstances", operatorIsRefusedOptionsAsInstances},
		{"OperatorTakesNoUnitOver", operatorTakesNoUnitOver},
		{"StrangerIsToldWhatIsMissing", strangerIsToldWhatIsMissing},
		{"RootCanDoWhatOperatorsTry", rootCanDoWhatOperatorsTry},
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
	for user, groups := range map[string][]string{"ops": {OperatorGroup, "systemd-journal"}, "stranger": nil} {
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
