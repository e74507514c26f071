package main

import "github.com/spf13/cobra"

func newAWSCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "aws", Short: "Rights and bucket settings for this configuration", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usageText("aws needs policy or bucket") },
	}
	cmd.AddCommand(newAWSPolicyCommand(p), newAWSBucketCommand(p))
	return cmd
}
