package systemd

import "strings"

// actions are what the services of each prefix do, in a word.
var actions = map[string]string{
	backupBase: "backup", backupVerifyBase: "verify", backupPruneBase: "prune", backupCopyBase: "copy",
	backupDrillBase: "drill",
	verifyBase:      "verify", drillBase: "drill", restoreBase: "restore", backupDoctorBase: "doctor", alertBase: "alert",
	watchBase:     "watch",
	alertTestBase: "alert test", pitrStatusBase: "cluster status", pitrBase: "cluster restore",
}

// ActionOf is what a unit of ours does, a timer by what it starts: "backup", "verify", "drill",
// "prune", "copy", "restore", "doctor", "alert", "alert test", "watch", "cluster status", "cluster restore"; "" for
// other units. It also knows the globs of
// Patterns.
func ActionOf(unit string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(unit, ".service"), ".timer")
	base, _, _ := strings.Cut(name, "@")
	return actions[base]
}
