package systemd

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

//go:embed units/*.tmpl
var templates embed.FS

// Where the files go, below the root.
const (
	unitDir      = "/etc/systemd/system"
	sysusersFile = "/etc/sysusers.d/pgbtui.conf"
	tmpfilesFile = "/etc/tmpfiles.d/pgbtui.conf"
	polkitFile   = "/etc/polkit-1/rules.d/50-pgbtui.rules"
	configDir    = "/etc/pgbtui"
	envFile      = configDir + "/environment"
)

// DefaultBinary is the program that the units run unless told otherwise.
const DefaultBinary = "/usr/local/bin/pgbtui"

// marker is in the first line of every file of ours, and in no other.
const marker = `Written by "pgbtui units install"`

// File is one file that belongs to the units.
type File struct {
	Path string // absolute, below the root
	Mode fs.FileMode
	Text string
}

// subject is what a file is about.
type subject int

const (
	theHost     subject = iota
	theInstance         // what stands after the @: a set, a request, a unit
	aJob                // the same, a job
	theOnlyJob
)

// Files renders everything that Install writes, for a program at the path binary.
func Files(binary string) ([]File, error) {
	if !safeBinary.MatchString(binary) {
		return nil, fault.New(fault.Usage, fmt.Sprintf("systemd: render units for %q", binary),
			"Give the program's absolute path, without blanks or special characters.", nil)
	}
	parsed, err := template.ParseFS(templates, "units/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("systemd: parse unit templates: %w", err)
	}
	sources := []struct {
		path, name string
		of         subject
	}{
		{sysusersFile, "sysusers", theHost},
		{tmpfilesFile, "tmpfiles", theHost},
		{polkitFile, "polkit", theHost},
		{unitDir + "/" + alertBase + "@.service", "alert.service", theInstance},
		{unitDir + "/" + backupBase + ".service", "backup.service", theOnlyJob},
		{unitDir + "/" + backupBase + ".timer", "backup.timer", theOnlyJob},
		{unitDir + "/" + backupBase + "@.service", "backup.service", aJob},
		{unitDir + "/" + backupBase + "@.timer", "backup.timer", aJob},
		{unitDir + "/" + backupVerifyBase + ".service", "backupverify.service", theOnlyJob},
		{unitDir + "/" + backupVerifyBase + ".timer", "backupverify.timer", theOnlyJob},
		{unitDir + "/" + backupVerifyBase + "@.service", "backupverify.service", aJob},
		{unitDir + "/" + backupVerifyBase + "@.timer", "backupverify.timer", aJob},
		{unitDir + "/" + backupPruneBase + ".service", "prune.service", theOnlyJob},
		{unitDir + "/" + backupPruneBase + ".timer", "prune.timer", theOnlyJob},
		{unitDir + "/" + backupPruneBase + "@.service", "prune.service", aJob},
		{unitDir + "/" + backupPruneBase + "@.timer", "prune.timer", aJob},
		{unitDir + "/" + backupCopyBase + ".service", "copy.service", theOnlyJob},
		{unitDir + "/" + backupCopyBase + ".timer", "copy.timer", theOnlyJob},
		{unitDir + "/" + backupCopyBase + "@.service", "copy.service", aJob},
		{unitDir + "/" + backupCopyBase + "@.timer", "copy.timer", aJob},
		{unitDir + "/" + backupDoctorBase + ".service", "doctor.service", theOnlyJob},
		{unitDir + "/" + backupDoctorBase + "@.service", "doctor.service", aJob},
		{unitDir + "/" + AlertTestService, "alerttest.service", theHost},
		{unitDir + "/" + AlertTestTimer, "alerttest.timer", theHost},
		{unitDir + "/" + watchBase + ".service", "watch.service", theHost},
		{unitDir + "/" + watchBase + ".timer", "watch.timer", theHost},
		{unitDir + "/" + ClusterStatusService, "pitrstatus.service", theHost},
		{unitDir + "/" + ClusterStatusTimer, "pitrstatus.timer", theHost},
		{unitDir + "/" + pitrSweepBase + ".service", "pitrsweep.service", theHost},
		{unitDir + "/" + pitrSweepBase + ".timer", "pitrsweep.timer", theHost},
		{unitDir + "/" + verifyBase + "@.service", "verify.service", theInstance},
		{unitDir + "/" + backupDrillBase + ".service", "drill.service", theOnlyJob},
		{unitDir + "/" + backupDrillBase + ".timer", "drill.timer", theOnlyJob},
		{unitDir + "/" + backupDrillBase + "@.service", "drill.service", aJob},
		{unitDir + "/" + backupDrillBase + "@.timer", "drill.timer", aJob},
		{unitDir + "/" + drillBase + "@.service", "drill.service", theInstance},
		{unitDir + "/" + DrillServerSocket, "drillserver.socket", theHost},
		{unitDir + "/" + drillServerBase + "@.service", "drillserver.service", theInstance},
		{unitDir + "/" + restoreBase + "@.service", "restore.service", theInstance},
		{unitDir + "/" + pitrBase + "@.service", "pitr.service", theInstance},
		{unitDir + "/" + restoreResumeBase + ".service", "restoreresume.service", theHost},
	}
	operators := &rule{JobInstance: jobInstance, LiteralInstance: literalInstance}
	for _, source := range sources {
		operators.add(source.path, source.of)
	}
	files := make([]File, 0, len(sources))
	for _, source := range sources {
		var text bytes.Buffer
		data := struct {
			Binary  string
			Job     bool // the instance is a job
			OnlyJob bool // no instance: the job is the only one
			NoRetry string
			Secrets []Secret
			Rule    *rule
		}{
			Binary: binary, Job: source.of == aJob, OnlyJob: source.of == theOnlyJob,
			NoRetry: noRetry(), Secrets: secretsOf(source.name), Rule: operators,
		}
		if err := parsed.ExecuteTemplate(&text, source.name+".tmpl", data); err != nil {
			return nil, fmt.Errorf("systemd: render %s: %w", source.path, err)
		}
		files = append(files, File{Path: source.path, Mode: 0o644, Text: tidy(text.String())})
	}
	return files, nil
}

var blankLines = regexp.MustCompile(`\n{3,}`)

func tidy(text string) string {
	return strings.TrimRight(blankLines.ReplaceAllString(text, "\n\n"), "\n") + "\n"
}

// safeBinary needs no quoting in ExecStart= and holds no specifier.
var safeBinary = regexp.MustCompile(`^(/[A-Za-z0-9._+-]+)+$`)

// Print writes every file with its path above it, for a person or a configuration tool.
func Print(w io.Writer, binary string) error {
	files, err := Files(binary)
	if err != nil {
		return err
	}
	for i, file := range files {
		gap := "\n"
		if i == 0 {
			gap = ""
		}
		if _, err := fmt.Fprintf(w, "%s# ---- %s\n%s", gap, file.Path, file.Text); err != nil {
			return fmt.Errorf("systemd: print units: %w", err)
		}
	}
	return nil
}

// codes is the whole table of internal/fault; a test holds the two equal.
func codes() []fault.Code {
	return []fault.Code{
		fault.OK, fault.Failed, fault.Warnings, fault.Refused, fault.Usage, fault.Integrity, fault.NotFound,
		fault.Unavailable, fault.NoSpace, fault.Temporary, fault.NotPermitted, fault.Config,
		fault.Interrupted, fault.Terminated,
	}
}

// noRetry is the value of RestartPreventExitStatus=: every failure that running again, unchanged, cannot mend.
func noRetry() string {
	var list []string
	for _, code := range codes() {
		if code != fault.OK && code != fault.Warnings && !code.Retryable() {
			list = append(list, strconv.Itoa(int(code)))
		}
	}
	return strings.Join(list, " ")
}

// WroteFile reports whether Install wrote the unit file at path. One that cannot be read is not
// known to be ours.
func WroteFile(path string) bool {
	text, err := bounded.ReadFile(path, bounded.File)
	return err == nil && isOurs(text)
}

// isOurs reports whether text was written by Install.
func isOurs(text []byte) bool { return isMarked(text, marker) }

func isMarked(text []byte, mark string) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.Contains(line, []byte(mark))
}
