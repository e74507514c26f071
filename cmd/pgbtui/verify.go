package main

import (
	"context"
	"math"
	"strconv"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonVerify struct {
	Schema   int          `json:"schema"`
	Proof    backup.Proof `json:"proof"`
	Recorded string       `json:"recorded,omitempty"` // key of the proof object
	Warnings []string     `json:"warnings,omitempty"`
}

// verifyOptions are how much to read, of which sets.
type verifyOptions struct {
	*streams
	env    *environment
	config func() (*config.Config, error)
	find   *finder
	run    *runner

	of       selection
	identity string
	subset   string
	copies   bool    // those that are to be verified, instead of the main place
	accept   bool    // an unsigned set
	share    float64 // of the dump, 0: everything
	wish     verify.Wish
}

func (o *verifyOptions) several() bool {
	return o.wish.Unproven || o.wish.SinceLast || o.wish.Stalest > 0
}

func newVerifyCommand(p *program) *cobra.Command {
	as := access{duty: dutyOf("verify")}
	o := &verifyOptions{
		streams: p.streams, env: p.environment, config: p.config, find: p.finder(as), run: p.runner(as),
	}
	cmd := &cobra.Command{
		Use:   "verify {ID|latest | --unproven | --since-last | --stalest N}",
		Short: "Read sets back and compare them with what was recorded",
		Long: `Read back everything of a set: stored bytes against their SHA-256, decryption, decompression, a full
decode by pg_restore, and the rows in the stream against those counted when it was written. The result is
recorded beside the set, with what it does not prove.

With --unproven, --since-last or --stalest, several good sets of one job or of all, newest first; a set that
fails does not stop the others. Sets that failed their last verification are left out: name them.

With --read-data-subset, the small objects whole and so many percent of the dump, chosen at random. That
finds bit rot and replaced objects cheaply; it never counts as readable.

Exit 65: a set is damaged. Exit 3: done, but not everything could be checked. Of several, the worst.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.several() {
				return noArgs(cmd, args)
			}
			return o.of.args(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			if o.copies {
				return asRun(verifyRun, eachCopy(cmd.Context(), o.streams, p.settings, o.of.job,
					func(c config.Copy) bool { return c.Verify }, func(string) error { return runVerifySeveral(cmd.Context(), o) }))
			}
			if o.several() {
				return asRun(verifyRun, runVerifySeveral(cmd.Context(), o))
			}
			return asRun(verifyRun, runVerify(cmd.Context(), o))
		},
	}
	flags := cmd.Flags()
	o.of.flags(cmd)
	flags.BoolVar(&o.wish.Unproven, "unproven", false, "every good set that has no such proof yet")
	flags.BoolVar(&o.wish.SinceLast, "since-last", false,
		"the sets finished since the newest such verification of their database")
	flags.IntVar(&o.wish.Stalest, "stalest", 0,
		"the `N` sets of each database that nobody has read for the longest time")
	flags.IntVar(&o.wish.Max, "max", 0,
		"at most this many `sets` of each database; the others wait for the next call")
	flags.StringVar(&o.subset, "read-data-subset", "", "read only this share of the dump, such as `5%`, at random")
	fromFlag(cmd, p.settings)
	flags.BoolVar(&o.copies, "copies", false, "at each copy that says \"verify: true\", instead of the main bucket")
	acceptFlag(cmd, &o.accept)
	identityFlag(cmd, &o.identity)
	return cmd
}

func (o *verifyOptions) check(cmd *cobra.Command) (err error) {
	chosen := 0
	for _, name := range []string{"unproven", "since-last", "stalest"} {
		if cmd.Flags().Changed(name) {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return usageText("verify takes one of --unproven, --since-last and --stalest")
	case cmd.Flags().Changed("stalest") && o.wish.Stalest < 1, cmd.Flags().Changed("max") && o.wish.Max < 1:
		return usageText("--stalest and --max are 1 or more sets")
	case chosen > 0 && o.of.instance+o.of.at != "":
		return usageText("--instance and --at are for one set, without --unproven, --since-last and --stalest")
	case o.accept && chosen > 0:
		return usageText("--accept-unsigned is for one set, by its ID")
	case o.copies && chosen == 0:
		return usageText("--copies goes with --unproven, --since-last or --stalest")
	case o.wish.Max > 0 && !o.wish.Unproven && !o.wish.SinceLast:
		return usageText("--max goes with --unproven and --since-last")
	case cmd.Flags().Changed("read-data-subset"):
		o.share, err = parseShare(o.subset)
	}
	return err
}

// parseShare reads "5%" as 0.05.
func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	if n, err := strconv.ParseFloat(number, 64); percent && err == nil && n > 0 && n <= 100 && !math.IsNaN(n) {
		return n / 100, nil
	}
	return 0, usageText("--read-data-subset is a percentage above 0 and up to 100, such as 5%, not " + strconv.Quote(s))
}

func runVerify(ctx context.Context, o *verifyOptions) error {
	o.of.doubted = true // it answers an earlier failure
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	identities, err := o.env.identities(at.job, o.identity)
	if err != nil {
		return err
	}
	if o.accept {
		at.set.AcceptUnsigned()
	}
	v, err := o.verifyOne(ctx, at, identities)
	if err != nil {
		if v != nil && o.json {
			if err := o.printJSON(verificationJSON(v)); err != nil {
				return err
			}
			return exitWith(fault.CodeOf(err))
		}
		return logged(err)
	}
	if err := printVerification(o.streams, v); err != nil {
		return err
	}
	if len(v.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

// verifyOne reads one set back, whole or a share of it, watched by systemd or a person.
func (o *verifyOptions) verifyOne(
	ctx context.Context, at *located, identities []age.Identity,
) (*verify.Result, error) {
	env, stop, err := o.run.watched(ctx, at.job)
	if err != nil {
		return nil, err
	}
	defer stop()
	env.Bucket = at.bucket
	if o.share > 0 {
		return verify.Sample(ctx, at.job, env, at.set, identities, o.share)
	}
	return verify.Whole(ctx, at.job, env, at.set, identities)
}

func verificationJSON(v *verify.Result) jsonVerify {
	return jsonVerify{Schema: jsonSchema, Proof: v.Proof, Recorded: v.Recorded, Warnings: v.Warnings}
}

func printVerification(to *streams, v *verify.Result) error {
	if to.json {
		return to.printJSON(verificationJSON(v))
	}
	to.sayf("%s is %s: %s read back, %s\n", v.Proof.Set, v.Proof.Level, readable.Size(v.Proof.Bytes), v.Proof.Shown())
	for _, not := range v.Proof.NotProven {
		to.sayf("  does not prove %s\n", not)
	}
	for _, w := range v.Warnings {
		to.sayf("  warning: %s\n", printable.Text(w))
	}
	return nil
}
