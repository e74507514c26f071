package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/backrest"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

func (o *clusterOptions) setupCommand() *cobra.Command {
	const help = `Write pgBackRest's configuration for a cluster (` + backrest.FilesDir + `/CLUSTER.conf, with the key for the
store), make what it needs in the repository, and show the settings that the server needs to archive its WAL. These are
left to you: archive_mode needs a restart. What is there already is kept: a file that pgbtui did not write is refused,
and a server that archives by something else as well. Run it as root; it may be run again.`
	const short = "Write pgBackRest's configuration, and say what the server needs"
	cmd := o.command("setup [CLUSTER]", short, help, runClusterSetup)
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func runClusterSetup(ctx context.Context, o *clusterOptions, name string) error {
	engine, err := o.settable(ctx, name)
	if err != nil {
		return err
	}
	keys, err := clusterKeys(ctx, engine.Cluster)
	if err != nil {
		return err
	}
	plan, err := engine.PlanSetup(ctx, keys)
	if err != nil {
		return err
	}
	consequence := "This makes the stanza " + engine.Cluster.Stanza + " in the repository"
	if plan.Text != "" && !plan.Exists {
		consequence += ", and writes " + plan.File
	}
	if err := o.agreed(ctx, consequence+".", o.yes); err != nil {
		return err
	}
	if err := engine.Apply(ctx, plan); err != nil {
		return err
	}
	return o.printSetup(engine, plan)
}

// settable is the engine of a cluster that pgbtui can set up.
func (o *clusterOptions) settable(ctx context.Context, name string) (*backrest.PgBackRest, error) {
	engine, err := o.one(ctx, name)
	if err != nil {
		return nil, err
	}
	tool, ok := engine.Maker.(*backrest.PgBackRest)
	if !ok {
		return nil, fault.New(fault.Refused, "cluster "+engine.Cluster.Name+": "+engine.Words.Name+" is not set up by pgbtui",
			"Set it up as its own documentation says; its configuration is only read here.", nil)
	}
	return tool, nil
}

// clusterKeys are what the engine signs its requests with: as the SDK finds them for this user, unless they come from
// the instance's role, which the engine asks by itself.
func clusterKeys(ctx context.Context, c config.Cluster) (backrest.Keys, error) {
	if c.OnlyRead() {
		return backrest.Keys{}, nil
	}
	of := c.Repository.S3
	cfg, err := s3.LoadConfig(ctx, s3.Access{Region: of.Region, CredentialsFile: of.CredentialsFile, Profile: of.Profile})
	var found aws.Credentials
	if err == nil {
		found, err = cfg.Credentials.Retrieve(ctx)
	}
	if err != nil {
		return backrest.Keys{}, fault.New(fault.Config, "cluster "+c.Name+": look for a key to the store",
			"Give s3.credentials_file of the cluster: pgBackRest needs a key of its own, or an instance role.",
			errors.New("no credentials"))
	}
	switch {
	case found.Source == "EC2RoleProvider":
		return backrest.Keys{}, nil
	case found.SessionToken != "":
		return backrest.Keys{}, fault.New(fault.Refused, "cluster "+c.Name+": the key to the store is temporary",
			"Give a lasting one as s3.credentials_file of the cluster: the server archives WAL with it day and night.", nil)
	}
	return backrest.Keys{Access: found.AccessKeyID, Secret: found.SecretAccessKey}, nil
}

type jsonClusterSetup struct {
	Schema  int      `json:"schema"`
	Cluster string   `json:"cluster"`
	File    string   `json:"file"`
	Written bool     `json:"written"`
	SQL     []string `json:"sql"`
	Restart bool     `json:"restart"`
}

func (o *clusterOptions) printSetup(engine *backrest.PgBackRest, plan backrest.Setup) error {
	if o.json {
		return o.printJSON(jsonClusterSetup{
			Schema: jsonSchema, Cluster: engine.Cluster.Name, File: plan.File, Written: plan.Text != "" && !plan.Exists,
			SQL: append([]string{}, plan.Changes...), Restart: plan.Restart,
		})
	}
	o.printf("pgBackRest's configuration is %s, and stanza %s is in the repository.\n", plan.File, engine.Cluster.Stanza)
	switch {
	case plan.Unknown != "":
		o.printf("The server's settings are not known: %s\n", plan.Unknown)
	case len(plan.Changes) == 0:
		o.printf("The server archives by it already.\n")
	default:
		o.printf("The server needs, as a superuser:\n\n")
		for _, line := range plan.Changes {
			o.printf("  %s\n", line)
		}
		o.printf("\n")
		if plan.Restart {
			o.printf("Then restart PostgreSQL when its users can bear it; until then no WAL is archived.\n")
		} else {
			o.printf("Then: SELECT pg_reload_conf();\n")
		}
	}
	o.printf("After that: pgbtui cluster check %[1]s, pgbtui cluster backup %[1]s --type full, "+
		"pgbtui cluster status %[1]s\n", engine.Cluster.Name)
	return nil
}
