// Package installed sees the installed pgbtui at work on a real host: systemd, journald, polkit,
// PostgreSQL, a store, operators at terminals. Everything is done as people and timers do it:
// units, drop-ins, commands and keys; nothing of pgbtui is called as Go code but to read its
// documents.
//
// The subtests share one lab and go from one state of the host to the next, in order: backups by
// the article's units, adopted, by the environment alone, configured by a file, a night, a
// person, a week of faults, and uninstalled.
package installed

import (
	"os"
	"path/filepath"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/lab"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// TestMain lets the test binary be others in the lab: a listener in Slack's place, somebody who has
// the bucket's keys, and code that looks for secrets wherever it runs.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "webhook":
		os.Exit(listen())
	case "prober":
		os.Exit(probe(os.Args[1:]))
	case "forger":
		os.Exit(forge(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func TestInstalled(t *testing.T) {
	need.Program(t, "tmux", "pkill")
	h := newHost(t, lab.Chosen())
	for _, step := range []struct {
		name string
		test func(*host, *testing.T)
	}{
		{"UnitsOfTheArticleAreAdopted", (*host).adoptsTheArticlesUnits},
		{"TheArticlesEnvironmentIsEnough", (*host).needsOnlyTheArticlesEnvironment},
		{"InstallingAndConfiguring", (*host).isConfigured},
		{"TheTimerCatchesUpAMissedNight", (*host).timerCatchesUp},
		{"TheBackupReadsWhatOthersOwn", (*host).readsWhatOthersOwn},
		{"DoctorLooksWhereBackupsRun", (*host).doctorLooksWhereBackupsRun},
		{"OnlyOperatorsStartUnits", (*host).onlyOperatorsStartUnits},
		{"ADrillByItsTimerProvesTheSet", (*host).drillsEveryWeek},
		{"AStoppedOrKilledDrillLeavesNothing", (*host).stoppedDrillLeavesNothing},
		{"AnOperatorReplacesALiveDatabase", (*host).operatorReplaces},
		{"ARequestMeansOneSetAndGivesNoRightsAway", (*host).requestsAreBounded},
		{"AHangUpLeavesTheRunGoing", (*host).survivesAHangUp},
		{"TheConsoleVerifies", (*host).consoleVerifies},
		{"TheConsoleRestores", (*host).consoleRestores},
		{"TheConsoleRestoresOneTable", (*host).consoleRestoresOneTable},
		{"TheConsoleThawsAnArchivedSetAndRestoresIt", (*host).consoleThaws},
		{"TheConsoleReplacesALiveDatabaseAndPutsItBack", (*host).consoleReplaces},
		{"TheConsoleSaysWhatIsMissing", (*host).consoleSaysWhatIsMissing},
		{"TheConsoleOutlivesTheStore", (*host).consoleOutlivesTheStore},
		{"AStoppedRunIsCancelled", (*host).stoppedRunIsCancelled},
		{"AKilledRunIsTriedAgainAndThenTold", (*host).killedRunIsTold},
		{"ARestartOfPostgreSQLCostsOneTry", (*host).survivesPostgresRestart},
		{"ADatabaseThatComesLateIsWaitedFor", (*host).waitsForALateDatabase},
		{"AStoreThatIsGoneCostsOneTry", (*host).survivesStoreOutage},
		{"WrongKeysAreToldAtOnce", (*host).wrongKeysAreTold},
		{"AWrongConfigurationIsToldAtOnce", (*host).wrongConfigurationIsTold},
		{"TheWatchNoticesADisabledTimer", (*host).watchNoticesADisabledTimer},
		{"TheWatchNoticesWhatNeverRan", (*host).watchNoticesWhatNeverRan},
		{"TheWatchNoticesWhatSystemdCallsSuccess", (*host).watchNoticesWhatSystemdCallsSuccess},
		{"NeitherAWrongStampNorStartsByHandHoldTheNightUp", (*host).nothingHoldsTheNightUp},
		{"DeathsBeforeTheProgramAreTold", (*host).deathsBeforeTheProgramAreTold},
		{"AStartThatIsRefusedIsTold", (*host).aRefusedStartIsTold},
		{"TheKeeperDeletesWhatTheWriterMayNot", (*host).keeperDeletes},
		{"AForgedSetIsShownAndNotRestored", (*host).forgedSetIsNotRestored},
		{"NoSecretIsAnywhere", (*host).keepsSecrets},
		{"UninstallingLeavesConfigurationAndBackups", (*host).uninstalls},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(h, t) }) {
			t.FailNow() // the next one starts where this one should have ended
		}
	}
}
