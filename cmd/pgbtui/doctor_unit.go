package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// doctor from the unit in which backups run: postgres-backup-doctor@JOB.service looks as their user, with their key and
// in their sandbox, and tells what it saw in a file of its folder. Rules: the file is read only where it names the
// run that was started; what cannot be had from the unit is said, and is no failure of what was seen from here.

// answer writes what the unit saw. It is the unit's whole answer: what was found is no failure of the unit.
func (o *doctorOptions) writeAnswer(name string, out jsonDoctor) error {
	dir := o.env.getenv("STATE_DIRECTORY")
	if dir == "" {
		return usageText("--answer is for postgres-backup-doctor@.service")
	}
	for i := range out.Reports {
		out.Reports[i].Invocation = o.env.getenv("INVOCATION_ID")
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("doctor: write the answer: %w", err)
	}
	file := filepath.Join(dir, systemd.DoctorAnswerName(name))
	half := file + ".half"
	err = os.WriteFile(half, body, 0o600)
	if err == nil {
		err = os.Chmod(half, 0o640) //nolint:gosec // operators read it through the folder's group
	}
	if err == nil {
		err = os.Rename(half, file) // whole or not at all: somebody may be reading
	}
	if err != nil {
		return fault.New(fault.Failed, "doctor: write the answer", "Look at the unit's folder.", err)
	}
	return nil
}

// fromUnit starts the job's unit, waits, and reads what it saw.
func (o *doctorOptions) fromUnit(ctx context.Context, c *config.Config, job config.Job) ([]doctor.Report, error) {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = bus.Close() }()
	name := c.UnitName(job)
	unit := systemd.BackupDoctorService(name)
	run, err := bus.Start(ctx, unit)
	if err != nil && !errors.Is(err, systemd.ErrAlreadyRunning) {
		return nil, err
	}
	state, end, err := bus.Wait(ctx, run, nil)
	if err != nil {
		return nil, err
	}
	if end.State != systemd.RunOK {
		return nil, fault.New(fault.Failed, fmt.Sprintf("%s ended otherwise than well (%s)", unit, end.Reason),
			"Read why with `journalctl -u "+unit+"`.", nil)
	}
	out, err := readDoctorAnswer(systemd.DoctorAnswer(name))
	if err != nil {
		return nil, err
	}
	if len(out.Reports) == 0 || out.Reports[0].Invocation != state.InvocationID {
		return nil, fault.New(fault.Failed, unit+" left no answer of this run", "Read why with `journalctl -u "+unit+"`.",
			nil)
	}
	return out.Reports, nil
}

// readDoctorAnswer reads a plain file that the unit's user wrote.
func readDoctorAnswer(file string) (out jsonDoctor, err error) {
	body, err := bounded.ReadPlain(file, maxAnswer)
	if errors.Is(err, fs.ErrPermission) {
		return out, fault.New(fault.NotPermitted, "doctor: read the unit's answer",
			"Become a member of group "+systemd.OperatorGroup+", then log in again.", err)
	}
	if err == nil {
		err = json.Unmarshal(body, &out)
	}
	if err != nil {
		return out, fault.New(fault.Failed, "doctor: read the unit's answer", "Run the unit again.", err)
	}
	return out, nil
}

// maxAnswer bounds what the unit tells: a hundred checks for each of many databases.
const maxAnswer = 16 << 20

// mergeUnit takes what the unit saw into what was seen from here.
func (o *doctorOptions) mergeUnit(ctx context.Context, c *config.Config, job config.Job,
	ours []doctor.Report,
) []doctor.Report {
	theirs, err := o.fromUnit(ctx, c, job)
	if err == nil && unreached(job, ours) {
		// The server has no role for whoever looks from here, root for one. The unit knows which databases there are.
		var names []string
		for i := range theirs {
			names = append(names, theirs[i].Database)
		}
		ours = o.examineParts(ctx, job, names)
	}
	for i := range ours {
		if err != nil {
			ours[i].UnitError = err.Error()
			continue
		}
		at := slices.IndexFunc(theirs, func(r doctor.Report) bool { return r.Database == ours[i].Database })
		if at < 0 {
			continue
		}
		unit := theirs[at]
		unit.Only(o.only)
		ours[i].Merge(unit)
	}
	return ours
}

// unreached reports whether it is not known from here which databases a job has.
func unreached(job config.Job, ours []doctor.Report) bool {
	return job.Several() && len(ours) == 1 && ours[0].Database == ""
}

// asksUnit reports whether the unit is to look, too: it reads the units' own configuration, and has no part in the
// units themselves.
func (o *doctorOptions) asksUnit(c *config.Config) bool {
	return !o.noUnit && o.env.configFile == "" && !c.ReadOnly && doctor.SeenFromUnit(o.only) && unitsAreHere()
}

// unitsAreHere reports whether the units are installed on this host.
func unitsAreHere() bool {
	_, err := os.Stat("/etc/systemd/system/" + systemd.BackupDoctorService(""))
	return err == nil
}
