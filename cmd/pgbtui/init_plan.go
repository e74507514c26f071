package main

import (
	"context"
	"path"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// What init would do, before it does it. No secret is in it.

// jsonInit is what init did, or with --dry-run would do.
type jsonInit struct {
	Schema       int                `json:"schema"`
	DryRun       bool               `json:"dryRun"`
	OK           bool               `json:"ok"` // every database has a proven backup
	File         string             `json:"file"`
	Text         string             `json:"text"`    // of the configuration; "": the one that is there
	Secrets      []string           `json:"secrets"` // files that hold them for the units, new ones
	Jobs         []string           `json:"jobs"`
	Steps        []systemd.Step     `json:"steps"`
	Databases    []jsonInitDatabase `json:"databases"`
	NotProtected []string           `json:"notProtected"` // sentences
	Error        *jsonFault         `json:"error,omitempty"`
}

type jsonInitDatabase struct {
	Database string `json:"database"`
	Job      string `json:"job"`   // "" where no job covers it
	Set      string `json:"set"`   // newest good one; "": none
	Proof    string `json:"proof"` // none, stored, readable, restored
}

// secretLink is a secret that is a link to another.
type secretLink struct{ name, to string }

// secretLinks let the one key do the work of all duties but deleting, for which a key may have no right.
func (r *initRun) secretLinks() []secretLink {
	if r.key.text == "" {
		return nil
	}
	links := []secretLink{{string(prover), string(writer)}, {string(reader), string(writer)}}
	if !r.settled.ByTimer {
		links = append(links, secretLink{string(keeper), string(writer)})
	}
	return links
}

// secretFiles are the secrets that are to be written, by their paths.
func (r *initRun) secretFiles() []string {
	files := []string{}
	if r.key.text != "" {
		files = append(files, writersFile())
	}
	if r.answers.PasswordFile != "" && r.survey != nil && !r.survey.local {
		files = append(files, path.Join(systemd.SecretDir, "database-password"))
	}
	if r.identity != "" {
		files = append(files, identityFile())
	}
	for _, l := range r.secretLinks() {
		files = append(files, path.Join(systemd.SecretDir, l.name))
	}
	return files
}

// jobNames are the jobs whose timers are switched on.
func (r *initRun) jobNames() (names []string) {
	for _, job := range r.config.Jobs {
		names = append(names, job.Name)
	}
	return names
}

func (r *initRun) tellPlan() {
	r.tell("\nThis is what init will do:\n\n")
	if r.text != "" {
		r.tell("  write %s:\n\n", config.DefaultFile)
		for line := range strings.Lines(r.text) {
			r.tell("      %s", line)
		}
		r.tell("\n")
	}
	for _, file := range r.secretFiles() {
		r.tell("  write  %s, which root alone reads\n", file)
	}
	r.tell("  write  units, system users and polkit rule (`pgbtui units print` shows them)\n")
	if r.survey != nil && r.survey.local && !r.survey.OwnRole {
		r.tell("  make   PostgreSQL's role pgbtui (`pgbtui units print --sql` shows the SQL)\n")
	}
	for _, name := range r.jobNames() {
		r.tell("  start  the timers of job %s\n", printable.Text(name))
	}
	r.tell("  make   the first backup and the first drill of each database\n")
	if r.old != nil {
		r.tell("  stop   %s, once a drill has restored a backup\n", r.old.Timer)
	}
}

// agree asks for the last answer.
func (r *initRun) agree(ctx context.Context) error {
	r.tell("\nDo it? y, then enter: ")
	line, err := r.line(ctx, false)
	if err != nil {
		return err
	}
	r.answered++
	if answer := strings.TrimSpace(line); answer == "y" || answer == "yes" {
		return nil
	}
	return fault.New(fault.Refused, "not confirmed", "", nil)
}

// printPlan is the end of a dry run.
func (r *initRun) printPlan() error {
	r.result = jsonInit{
		Schema: jsonSchema, DryRun: true, File: config.DefaultFile, Text: r.text,
		Secrets: r.secretFiles(), Jobs: r.jobNames(),
		Steps: []systemd.Step{}, Databases: r.databasesBefore(), NotProtected: []string{},
	}
	if r.json {
		return r.printJSON(r.result)
	}
	r.tellPlan()
	r.tell("\nNothing was changed: --dry-run.\n")
	return nil
}

// databasesBefore are those that would be backed up.
func (r *initRun) databasesBefore() []jsonInitDatabase {
	all := []jsonInitDatabase{}
	for _, job := range r.config.Jobs {
		names := []string{job.Database}
		if job.Several() {
			names = job.AskedFor()
			if r.surveyOf(job) != nil {
				names = r.taken(job)
			}
		}
		for _, name := range names {
			all = append(all, jsonInitDatabase{Database: name, Job: job.Name, Proof: "none"})
		}
	}
	return all
}
