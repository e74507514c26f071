package main

import (
	"context"

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

func (p *program) verifyCommand() *cobra.Command {
	var job string
	cmd := &cobra.Command{
		Use: "verify ID|latest", Short: "Read a set back whole and hold it against what was recorded",
		Long: "Read back everything of a set: stored bytes against their SHA-256, decryption, decompression, a full\ndecode by pg_restore, and the rows in the stream against those counted when it was written. The result is\nrecorded beside the set. Exit 65: the set is damaged. Exit 3: done, but not everything could be checked.",
		Args: exactly(1, "the ID of one set, or latest"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.verify(cmd.Context(), args[0], job) },
	}
	cmd.Flags().StringVar(&job, "job", "", "look among the sets of this `job`")
	p.identityFlag(cmd)
	return cmd
}

func (p *program) verify(ctx context.Context, id, jobName string) error {
	at, err := p.locate(ctx, id, jobName)
	if err != nil {
		return p.failedBefore(ctx, verifyRun, err)
	}
	identities, err := p.identities(at.job)
	if err != nil {
		return p.failedBefore(ctx, verifyRun, err)
	}
	env, stop, err := p.runEnv(ctx, at.job)
	if err != nil {
		return err
	}
	defer stop()
	env.Bucket = at.bucket
	v, err := backup.Verify(ctx, at.job, env, at.set, identities)
	if err != nil {
		if v != nil && p.json {
			if err := p.printJSON(jsonVerify{jsonSchema, v.Proof, v.Recorded, v.Warnings}); err != nil {
				return err
			}
			return &outcome{fault.CodeOf(err)}
		}
		return p.logged(err)
	}
	if err := p.printVerification(v); err != nil {
		return err
	}
	if len(v.Warnings) > 0 {
		return &outcome{fault.Warnings}
	}
	return nil
}

func (p *program) printVerification(v *backup.Verification) error {
	if p.json {
		return p.printJSON(jsonVerify{jsonSchema, v.Proof, v.Recorded, v.Warnings})
	}
	p.printf("%s is %s: %s read back, %d tables, %d rows\n", v.Proof.Set, v.Proof.Level, size(v.Proof.Bytes), v.Proof.Tables, v.Proof.Rows)
	for _, not := range v.Proof.NotProven {
		p.printf("  does not prove %s\n", not)
	}
	for _, w := range v.Warnings {
		p.printf("  warning: %s\n", printable.Text(w))
	}
	return nil
}
