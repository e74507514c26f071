package main

import "github.com/spf13/cobra"

func newAWSCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "aws", Short: "Print what AWS must be told for this configuration", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usageText("aws needs policy") },
	}
	cmd.AddCommand(newAWSPolicyCommand(p))
	return cmd
}
