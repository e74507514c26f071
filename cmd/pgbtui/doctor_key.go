package main

import (
	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// `doctor key`: a challenge for whoever has a copy of the private key, and its answer.

type jsonDoctorKey struct {
	Schema    int    `json:"schema"`
	Job       string `json:"job"`
	Challenge string `json:"challenge,omitempty"`
	Proven    bool   `json:"proven"`
}

type doctorKeyOptions struct {
	*streams
	env    *environment
	config func() (*config.Config, error)
	job    string
	answer string
	dir    string
}

func newDoctorKeyCommand(p *program) *cobra.Command {
	o := &doctorKeyOptions{streams: p.streams, env: p.environment, config: p.config}
	cmd := &cobra.Command{
		Use: "key", Short: "Prove that there is a second copy of the private key", Args: noArgs,
		Long: `Print a challenge: a random word, encrypted as the job's sets are. Whoever has a copy of the private key
decrypts it:

  sudo pgbtui doctor key --job shop > challenge.age
  age -d -i copy-of-the-key.txt challenge.age
  sudo pgbtui doctor key --job shop --answer WORD

The check units.key-copy says when that was done last. The word is kept nowhere; without the key nobody can tell it.`,
		RunE: func(*cobra.Command, []string) error { return runDoctorKey(o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "the `job` whose key it is; without one, the only job")
	cmd.Flags().StringVar(&o.answer, "answer", "", "the `word` that the challenge says")
	cmd.Flags().StringVar(&o.dir, "dir", doctor.KeyCopiesDir, "the `folder` that remembers it")
	return cmd
}

func runDoctorKey(o *doctorKeyOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	job, err := c.Job(o.job)
	if err != nil {
		return err
	}
	recipients := job.Encryption.Recipients
	if len(recipients) == 0 {
		return fault.New(fault.Config, "the job's sets are not encrypted by pgbtui",
			"Set encryption.recipients first (docs/encryption.md).", nil)
	}
	out := jsonDoctorKey{Schema: jsonSchema, Job: job.Name}
	if o.answer != "" {
		if err := doctor.AnswerForKey(o.dir, recipients, o.answer, o.env.now()); err != nil {
			return err
		}
		out.Proven = true
	} else if out.Challenge, err = doctor.AskForKey(o.dir, recipients, o.env.now()); err != nil {
		return err
	}
	if o.json {
		return o.printJSON(out)
	}
	if out.Proven {
		o.printf("somebody has the private key of job %s: remembered\n", job.Name)
		return nil
	}
	o.printf("%s", out.Challenge)
	return nil
}
