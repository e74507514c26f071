package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
)

// `aws policy`: the IAM policy that a key needs, for the buckets, folders and keys of this configuration. What the
// policy alone does not make right is a note on standard error, so that the output can be given to AWS as it is.

type jsonAWSPolicy struct {
	Schema int        `json:"schema"`
	Roles  []string   `json:"roles"`
	Policy iam.Policy `json:"policy"`
	Notes  []string   `json:"notes"`
}

type awsPolicyOptions struct {
	*streams
	config func() (*config.Config, error)
	job    string
	roles  []string
}

func newAWSPolicyCommand(p *program) *cobra.Command {
	o := &awsPolicyOptions{streams: p.streams, config: p.config}
	cmd := &cobra.Command{
		Use: "policy --role ROLE", Short: "Print the IAM policy that a key needs", Args: noArgs,
		Long: `Print the IAM policy that a key needs to do the work of a role, for the buckets, folders and KMS keys of this
configuration and nothing more. Roles: writer (backups), prover (verifications, drills, restores by units), keeper
(deletes by the rules), restorer (people and monitoring), copier (copies sets to the places of "copies"), doctor (reads
how the bucket is set up, besides another role), bucket (the settings of the bucket), metrics (sends to CloudWatch,
besides another role). Several roles make one policy for one key; with --from they are for a copy's place.
docs/iam.md says who has which key.

Nothing is asked of AWS, and nothing is changed there:

  pgbtui aws policy --role writer > writer.json
  aws iam put-user-policy --user-name backup-writer --policy-name backups --policy-document file://writer.json`,
		RunE: func(*cobra.Command, []string) error { return runAWSPolicy(o) },
	}
	cmd.Flags().StringSliceVar(&o.roles, "role", nil,
		"writer, prover, keeper, restorer, copier, doctor, bucket or metrics; may be given several times")
	cmd.Flags().StringVar(&o.job, "job", "", "only for this `job`")
	fromFlag(cmd, p.settings)
	// It fails for a flag that is not there alone.
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(roleNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func roleNames() (names []string) {
	for _, r := range iam.Roles() {
		names = append(names, string(r))
	}
	return names
}

func runAWSPolicy(o *awsPolicyOptions) error {
	roles, err := chosenRoles(o.roles)
	if err != nil {
		return err
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := c.Named(o.job)
	if err != nil {
		return err
	}
	if slices.Contains(roles, iam.Metrics) && c.Metrics.CloudWatch.Namespace == "" {
		return fault.New(fault.Config, "no metrics are sent to CloudWatch", "Set metrics.cloudwatch.namespace first.", nil)
	}
	if copies := func(j config.Job) bool { return len(j.Copies) > 0 }; slices.Contains(roles, iam.Copier) &&
		!slices.ContainsFunc(jobs, copies) {
		return fault.New(fault.Config, "these jobs have no copies", "Name a place under `copies:` first, and give --role "+
			"copier without --from: see docs/copies.md.", nil)
	}
	out := jsonAWSPolicy{
		Schema: jsonSchema, Roles: []string{}, Policy: iam.For(roles, jobs, c.Metrics), Notes: policyNotes(roles, jobs),
	}
	for _, r := range roles {
		out.Roles = append(out.Roles, string(r))
	}
	if o.json {
		return o.printJSON(out)
	}
	for _, note := range out.Notes {
		o.notef("note: %s", note)
	}
	text, err := json.MarshalIndent(out.Policy, "", "  ")
	if err != nil {
		return fmt.Errorf("print the policy: %w", err)
	}
	o.printf("%s\n", text)
	return nil
}

func chosenRoles(names []string) ([]iam.Role, error) {
	if len(names) == 0 {
		return nil, usageText("aws policy needs --role: " + strings.Join(roleNames(), ", "))
	}
	var roles []iam.Role
	for _, name := range names {
		role := iam.Role(name)
		if !slices.Contains(iam.Roles(), role) {
			return nil, usageText(fmt.Sprintf("no role %q: there are %s", name, strings.Join(roleNames(), ", ")))
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles, nil
}

// policyNotes say what the policy does not make right by itself.
func policyNotes(roles []iam.Role, jobs []config.Job) []string {
	notes := []string{}
	for _, j := range jobs {
		if j.S3.Endpoint != "" {
			notes = append(notes, fmt.Sprintf(
				"job %q: its store is %s, not AWS: it may not understand such policies",
				j.Name, j.S3.Endpoint))
		}
		writes, keeps := slices.Contains(roles, iam.Writer), slices.Contains(roles, iam.Keeper)
		if writes && !keeps && len(j.Keep.Rules()) > 0 && j.Keep.By == config.PruneByBackup {
			notes = append(notes, fmt.Sprintf("job %q deletes by its rules in each run, which the writer may not: "+
				"add --role keeper, or set keep.by: timer", j.Name))
		}
	}
	return notes
}
