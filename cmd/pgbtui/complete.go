package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// What a shell offers when somebody presses Tab. Rules:
//
//   - jobs and instances come from the configuration, sets from what this user's listings kept: no wait
//   - only where nothing was kept is the bucket asked, for a second at the most
//   - what fails offers nothing, and says nothing: the verb itself will
//   - a description is made safe for the terminal; a name that no shell would take as one word is left out

// askedFor bounds how long Tab waits for a bucket.
const askedFor = time.Second

// offeredSets is as many as somebody looks through.
const offeredSets = 100

// completeWords gives every verb the completion of what it takes: --job and --instance by their names, a set where its
// usage says ID.
func (p *program) completeWords(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		p.completeWords(c)
	}
	for name, offer := range map[string]func(*config.Config) []string{"job": jobNames, "instance": instanceNames} {
		if cmd.Flags().Lookup(name) != nil {
			// It fails for a flag that is not there alone.
			_ = cmd.RegisterFlagCompletionFunc(name, p.completeFrom(offer))
		}
	}
	switch takesSet := slices.ContainsFunc(strings.Fields(cmd.Use),
		func(word string) bool { return strings.Contains(word, "ID") }); {
	case cmd.ValidArgsFunction != nil || len(cmd.ValidArgs) > 0:
	case takesSet:
		cmd.ValidArgsFunction = p.completeSet
	case !cmd.HasSubCommands():
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
}

func jobNames(c *config.Config) (names []string) {
	for _, j := range c.Jobs {
		names = append(names, offerOf(j.Name, "database "+cmp.Or(j.Database, severalText(j))+" on "+j.Instance))
	}
	return names
}

func instanceNames(c *config.Config) (names []string) {
	for _, j := range c.Jobs {
		if name := offerOf(j.Instance, ""); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// offerOf is a word and what is said of it, "" for one that cannot be offered.
func offerOf(word, about string) string {
	if word == "" || printable.Text(word) != word || strings.ContainsAny(word, " \t'\"\\$`;&|<>()*?[]#~!{}") {
		return ""
	}
	return cobra.CompletionWithDesc(word, printable.Text(about))
}

func (p *program) completeFrom(offer func(*config.Config) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		c, err := p.readConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(offer(c), typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// beginning are the words that begin as typed.
func beginning(words []string, typed string) []string {
	return slices.DeleteFunc(words, func(word string) bool { return word == "" || !strings.HasPrefix(word, typed) })
}

// completeSet offers the sets that the flags before it leave, the newest first.
func (p *program) completeSet(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	c, err := p.readConfig()
	if len(args) > 0 || err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	if strings.Contains(cmd.Use, backup.Latest) {
		words = append(words, offerOf(backup.Latest, "the newest good set"))
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), askedFor)
	defer cancel()
	job, _ := cmd.Flags().GetString("job")
	instance, _ := cmd.Flags().GetString("instance")
	for _, m := range p.offered(ctx, c, offer{job: job, instance: instance, typed: typed}) {
		about := string(m.Database) + ", " + m.FinishedAt.Local().Format("2006-01-02 15:04") + ", " +
			readable.Size(m.StoredBytes())
		words = append(words, offerOf(m.ID, about))
	}
	return beginning(words, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// offer is what the command line says of the set so far.
type offer struct{ job, instance, typed string }

func covers(job config.Job, m *backup.Manifest) bool {
	_, ok := job.Of(string(m.Database), schemaOf(m))
	return ok
}

// fits reports whether a set may be meant: of the job or instance that is named, else of this host's own.
func (o offer) fits(c *config.Config, m *backup.Manifest) bool {
	if !strings.HasPrefix(m.ID, o.typed) {
		return false
	}
	job, err := c.Job(o.job)
	switch {
	case o.job != "" && (err != nil || !covers(job, m) || m.Job != "" && m.Job != job.Name):
		return false
	case o.instance != "":
		return string(m.Instance) == o.instance
	case o.job != "":
		return string(m.Instance) == job.Instance
	}
	return slices.ContainsFunc(c.All(), func(j config.Job) bool { return j.Instance == string(m.Instance) })
}

func (p *program) offered(ctx context.Context, c *config.Config, o offer) (found []*backup.Manifest) {
	client := client{stores: p.stores, access: access{duty: dutyOf("list"), waitedFor: true}}
	for _, job := range config.Places(c.All()) {
		bucket, err := client.bucket(ctx, job)
		if err != nil {
			continue
		}
		catalogue := client.catalogue(bucket, job)
		manifests := catalogue.Kept()
		if len(manifests) == 0 {
			sets, _ := catalogue.Sets(ctx, backup.Scope{})
			for i := range sets {
				if sets[i].Manifest != nil {
					manifests = append(manifests, sets[i].Manifest)
				}
			}
		}
		found = append(found, slices.DeleteFunc(manifests, func(m *backup.Manifest) bool { return !o.fits(c, m) })...)
	}
	return found[:min(len(found), offeredSets)]
}
