package main

import (
	"errors"
	"os/user"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/setup"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// oldKey is the answer for a key that was in the old unit's environment.
const oldKey = "that of the old unit"

// takeOver reads the unit of a backup script, and answers what it can. Rules: nothing of the script is run, and nothing
// that it stored is touched; its timer goes on until a backup of ours is proven.
func (r *initRun) takeOver(unit string) error {
	old, err := systemd.ReadOldUnit(unit)
	if r.here != nil && (fault.CodeOf(err) == fault.NotFound || fault.CodeOf(err) == fault.Refused) {
		r.tell("%s was taken over before.\n", printable.Text(unit))
		return nil
	}
	if err != nil {
		return err
	}
	r.old = &old
	v := old.Variables
	if v["DB_NAME"] == "" {
		return fault.New(fault.Config, "init: the script of "+unit+" does not say which database it backs up",
			"Leave --from-unit out and answer the questions; switch the old timer off yourself when a backup has been restored "+
				"in a drill.",
			errors.New("DB_NAME is neither in the unit nor in "+old.Script))
	}
	r.tell("%s backs up database %s to %s, by %s.\n", printable.Text(unit), printable.Text(v["DB_NAME"]),
		printable.Text(v["S3_BUCKET"]), printable.Text(old.Script))
	said := setup.Answers{
		Databases: []string{v["DB_NAME"]}, Bucket: v["S3_BUCKET"], Region: v["AWS_REGION"],
		Endpoint: v["AWS_ENDPOINT_URL"], KeepDays: v["RETENTION_DAYS"],
	}
	if said.Region == "" {
		said.Region = v["AWS_DEFAULT_REGION"]
	}
	if old.Prefix != "" && said.Bucket != "" {
		said.Bucket += "/" + old.Prefix
	}
	said.Schedule = strings.Join(old.Calendar, "; ")
	r.settled.Jitter = setup.Jitter(old.Delay)
	r.tell("If other hosts run such a script with this bucket, move them soon, too: once there are backups of pgbtui, " +
		"their script ends with an error and deletes nothing (README).\n")
	if err := r.takeOldKey(&said); err != nil {
		return err
	}
	r.answers = r.answers.Or(said)
	return nil
}

// takeOldKey takes the key that the script used: of its environment, or of its user's home.
func (r *initRun) takeOldKey(said *setup.Answers) error {
	v := r.old.Variables
	if r.answers.KeyFile != "" {
		return nil
	}
	if id, secret := v["AWS_ACCESS_KEY_ID"], v["AWS_SECRET_ACCESS_KEY"]; id != "" && secret != "" {
		r.tell("Its key of the store, from its environment, is taken over.\n")
		said.KeyFile = oldKey
		return r.takeKey(typedKey(id, secret))
	}
	if account, err := user.Lookup(r.old.User); err == nil {
		file := filepath.Join(account.HomeDir, ".aws/credentials")
		if _, err := readKeyFile(file); err == nil {
			r.tell("Its key of the store, in %s, is taken over.\n", printable.Text(file))
			said.KeyFile = file
			return nil
		}
	}
	if !r.interview.open {
		said.KeyFile = setup.Role
	}
	return nil
}
