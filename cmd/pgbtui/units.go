package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

func newUnitsCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "units", Short: "Print, install or remove the systemd units, user, group and polkit rule",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usageText("units needs print, install or uninstall") },
	}
	cmd.AddCommand(newUnitsPrintCommand(p), newUnitsInstallCommand(p), newUnitsUninstallCommand(p))
	return cmd
}

type unitsPrintOptions struct {
	*streams
	binary string
	sql    bool
}

func newUnitsPrintCommand(p *program) *cobra.Command {
	o := &unitsPrintOptions{streams: p.streams}
	cmd := &cobra.Command{
		Use: "print", Short: "Print every file that install would write, and change nothing", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runUnitsPrint(o) },
	}
	cmd.Flags().StringVar(&o.binary, "binary", "", "the `path` that units start (default: this program)")
	cmd.Flags().BoolVar(&o.sql, "sql", false, "print the SQL of the database role instead")
	return cmd
}

func runUnitsPrint(o *unitsPrintOptions) error {
	binary := orThisBinary(o.binary)
	switch {
	case o.json:
		return printUnitsJSON(o.streams, binary)
	case o.sql:
		o.printf("%s", systemd.RoleSQL())
		return nil
	}
	return systemd.Print(o.out, binary)
}

type jsonUnits struct {
	Schema int            `json:"schema"`
	Files  []jsonUnitFile `json:"files"`
	SQL    string         `json:"sql"` // of the database role
}

type jsonUnitFile struct {
	Path string `json:"path"`
	Mode string `json:"mode"` // octal
	Text string `json:"text"`
}

func printUnitsJSON(to *streams, binary string) error {
	files, err := systemd.Files(binary)
	if err != nil {
		return err
	}
	out := jsonUnits{Schema: jsonSchema, SQL: systemd.RoleSQL(), Files: []jsonUnitFile{}}
	for _, f := range files {
		out.Files = append(out.Files, jsonUnitFile{Path: f.Path, Mode: fmt.Sprintf("%04o", f.Mode), Text: f.Text})
	}
	return to.printJSON(out)
}

// orThisBinary is the path for ExecStart: where this program is now, with links resolved.
func orThisBinary(binary string) string {
	if binary != "" {
		return binary
	}
	self, err := os.Executable()
	if err != nil {
		return systemd.DefaultBinary
	}
	if resolved, err := filepath.EvalSymlinks(self); err == nil {
		self = resolved
	}
	return self
}

type unitsInstallOptions struct {
	*streams
	units unitsConfig
	plain bool // the single-database form is enabled
	systemd.InstallOptions
}

func newUnitsInstallCommand(p *program) *cobra.Command {
	o := &unitsInstallOptions{streams: p.streams, units: unitsConfig{env: p.environment, config: p.config}}
	cmd := &cobra.Command{
		Use: "install", Short: "Install the units, and with --enable switch their timers on", Args: noArgs,
		Long: `Write the units to /etc/systemd/system, make the system users and the group pgbtui, the directories and
the polkit rule that lets the group start these units. Running it again changes nothing. A unit of the same name
that pgbtui did not write is refused unless --adopt, which keeps it beside and carries its settings over.

--enable switches on what a job needs to stay recoverable: backups every night, a verification every day, and
a drill every week, which restores the newest set into a server of its own and compares it. A drill needs
PostgreSQL's server programs and disk for a second copy of the database; where either is missing, set
` + "`" + `drill: {by: hand}` + "`" + ` in the configuration: then --enable switches the drill's timer off.
Where the job has copies, their timer is switched on too; where the configuration has clusters, that of the look
at them.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runUnitsInstall(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Root, "root", "", "write below this `directory` only, and start nothing")
	cmd.Flags().StringVar(&o.Binary, "binary", "", "the `path` that units start (default: this program)")
	cmd.Flags().BoolVar(&o.Adopt, "adopt", false, "take over units of the same names that somebody else wrote")
	cmd.Flags().StringSliceVar(&o.Enable, "enable", nil,
		"enable and start all timers of these `jobs`: backups, their verification and their drills")
	cmd.Flags().StringSliceVar(&o.EnablePrune, "enable-prune", nil,
		"enable and start the prune timers of these `jobs`, for keep.by: timer")
	cmd.Flags().BoolVar(&o.plain, "enable-plain", false,
		"the same for postgres-backup.timer and its like, the single-database form")
	cmd.Flags().BoolVar(&o.DatabaseRole, "database-role", false,
		"create PostgreSQL's role pgbtui as well, as the system user postgres")
	return cmd
}

func runUnitsInstall(ctx context.Context, o *unitsInstallOptions) error {
	if o.plain {
		o.Enable = append(o.Enable, "")
	}
	o.Binary = orThisBinary(o.Binary)
	jobs, err := o.units.jobs(o.Root, o.Enable)
	if err != nil {
		return err
	}
	for name, job := range jobs {
		if job.Drill.By == config.DrillByHand {
			o.DrillByHand = append(o.DrillByHand, name)
		}
		if len(job.Copies) > 0 {
			o.Copied = append(o.Copied, name)
		}
	}
	slices.Sort(o.DrillByHand)
	slices.Sort(o.Copied)
	o.Clusters = len(jobs) > 0 && o.units.clusters(o.Root)
	o.HandOver = o.units.handOver(o.Root)
	report, err := systemd.Install(ctx, o.InstallOptions)
	return printReport(o.streams, report, err)
}

func newUnitsUninstallCommand(p *program) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "uninstall", Short: "Remove what install wrote; configuration and backups stay", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := systemd.Uninstall(cmd.Context(), dir)
			return printReport(p.streams, report, err)
		},
	}
	cmd.Flags().StringVar(&dir, "root", "", "below this `directory` only")
	return cmd
}

type jsonReport struct {
	Schema int            `json:"schema"`
	Steps  []systemd.Step `json:"steps"`
}

// printReport shows what was done also when a later step failed.
func printReport(to *streams, report *systemd.Report, err error) error {
	if report == nil {
		return err
	}
	if to.json && err == nil {
		return to.printJSON(jsonReport{Schema: jsonSchema, Steps: report.Steps})
	}
	if !to.json {
		if _, writeErr := report.WriteTo(to.text()); writeErr != nil {
			return writeErr
		}
	}
	return err
}
