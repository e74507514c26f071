package main

import (
	"context"
	"math"
	"strconv"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type jsonVerify struct {
	Schema   int          `json:"schema"`
	Proof    backup.Proof `json:"proof"`
	Recorded string       `json:"recorded,omitempty"` // key of the proof object
	Warnings []string     `json:"warnings,omitempty"`
}

// verifyFlags are how much to read, of which sets.
type verifyFlags struct {
	selection
	subset string
	accept bool    // an unsigned set
	share  float64 // of the dump, 0: everything
	wish   backup.Wish
}

func (f verifyFlags) several() bool { return f.wish.Unproven || f.wish.SinceLast || f.wish.Stalest > 0 }

func (p *program) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use: "verify {ID|latest | --unproven | --since-last | --stalest N}", Short: "Read sets back and hold them against what was recorded",
		Long: `Read back everything of a set: stored bytes against their SHA-256, decryption, decompression, a full
decode by pg_restore, and the rows in the stream against those counted when it was written. The result is
recorded beside the set, with what it does not prove.

With --unproven, --since-last or --stalest, several good sets of one job or of all, newest first; a set that
fails does not stop the others. Sets that failed their last verification are left out: name them.

With --read-data-subset, the small objects whole and so many percent of the dump, chosen at random. That
finds what rots or was exchanged, cheaply; it never counts as readable.

Exit 65: a set is damaged. Exit 3: done, but not everything could be checked. Of several, the worst.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.several() {
				return noArgs(cmd, args)
			}
			return f.args(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if f.several() {
				return asRun(verifyRun, p.verifySeveral(cmd.Context(), f))
			}
			return asRun(verifyRun, p.verify(cmd.Context(), f))
		},
	}
	flags := cmd.Flags()
	f.flags(cmd)
	flags.BoolVar(&f.wish.Unproven, "unproven", false, "every good set that has no such proof yet")
	flags.BoolVar(&f.wish.SinceLast, "since-last", false, "the sets finished since the newest such verification of their database")
	flags.IntVar(&f.wish.Stalest, "stalest", 0, "the `N` sets of each database that nobody has read for the longest time")
	flags.IntVar(&f.wish.Max, "max", 0, "at most so many `sets` of each database; the others wait for the next call")
	flags.StringVar(&f.subset, "read-data-subset", "", "read only so much of the dump, as `5%`, at random")
	acceptFlag(cmd, &f.accept)
	identityFlag(cmd, &p.identity)
	return cmd
}

func (f *verifyFlags) check(cmd *cobra.Command) (err error) {
	chosen := 0
	for _, name := range []string{"unproven", "since-last", "stalest"} {
		if cmd.Flags().Changed(name) {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return usageText("verify takes one of --unproven, --since-last and --stalest")
	case cmd.Flags().Changed("stalest") && f.wish.Stalest < 1, cmd.Flags().Changed("max") && f.wish.Max < 1:
		return usageText("--stalest and --max are 1 or more sets")
	case chosen > 0 && f.instance+f.at != "":
		return usageText("--instance and --at are for one set, without --unproven, --since-last and --stalest")
	case f.accept && chosen > 0:
		return usageText("--accept-unsigned is for one set, by its ID")
	case f.wish.Max > 0 && !f.wish.Unproven && !f.wish.SinceLast:
		return usageText("--max goes with --unproven and --since-last")
	case cmd.Flags().Changed("read-data-subset"):
		f.share, err = parseShare(f.subset)
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

func (p *program) verify(ctx context.Context, f verifyFlags) error {
	f.doubted = true // it answers an earlier failure
	at, err := p.locate(ctx, f.selection)
	if err != nil {
		return err
	}
	identities, err := p.identities(at.job, p.identity)
	if err != nil {
		return err
	}
	if f.accept {
		at.set.AcceptUnsigned()
	}
	v, err := p.verifyOne(ctx, at, identities, f.share)
	if err != nil {
		if v != nil && p.json {
			if err := p.printJSON(jsonVerify{jsonSchema, v.Proof, v.Recorded, v.Warnings}); err != nil {
				return err
			}
			return exitWith(fault.CodeOf(err))
		}
		return logged(err)
	}
	if err := p.printVerification(v); err != nil {
		return err
	}
	if len(v.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

// verifyOne reads one set back, whole or a share of it, watched by systemd or a person.
func (p *program) verifyOne(ctx context.Context, at *located, identities []age.Identity, share float64) (*backup.Verification, error) {
	env, stop, err := p.runEnv(ctx, at.job)
	if err != nil {
		return nil, err
	}
	defer stop()
	env.Bucket = at.bucket
	if share > 0 {
		return backup.VerifySample(ctx, at.job, env, at.set, identities, share)
	}
	return backup.Verify(ctx, at.job, env, at.set, identities)
}

func (p *program) printVerification(v *backup.Verification) error {
	if p.json {
		return p.printJSON(jsonVerify{jsonSchema, v.Proof, v.Recorded, v.Warnings})
	}
	p.printf("%s is %s: %s read back, %s\n", v.Proof.Set, v.Proof.Level, size(v.Proof.Bytes), v.Proof.Shown())
	for _, not := range v.Proof.NotProven {
		p.printf("  does not prove %s\n", not)
	}
	for _, w := range v.Warnings {
		p.printf("  warning: %s\n", printable.Text(w))
	}
	return nil
}
