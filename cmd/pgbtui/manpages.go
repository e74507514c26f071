//go:build manpages

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// The manual pages. Rules: help texts are plain, and what renders pages reads Markdown, so that nothing in them may
// be taken for emphasis, and what is laid out stays so; keys, variables and exit codes come from the pages
// that people read.

// Both are read from the folder that a release is built in: keys and variables, and the exit codes.
const (
	reference = "docs/configuration.md"
	readme    = "README.md"
)

// releaseVerbs are for building a release alone: the program that people install has no use for
// them, nor for the libraries behind them.
func releaseVerbs() []*cobra.Command {
	return []*cobra.Command{{
		Use: "manpages DIRECTORY", Hidden: true, Args: exactly(1, "a directory"),
		RunE: func(cmd *cobra.Command, args []string) error { return manualPages(cmd.Root(), args[0]) },
	}}
}

func manualPages(root *cobra.Command, dir string) error {
	text, err := os.ReadFile(reference)
	if err != nil {
		return fmt.Errorf("read the reference: %w", err)
	}
	codes, err := os.ReadFile(readme)
	if err != nil {
		return fmt.Errorf("read the exit codes: %w", err)
	}
	root.DisableAutoGenTag = true
	literal(root)
	root.Long += commandsSection(root) + filesSection + section("ENVIRONMENT", rows(string(text), "variable")) +
		section("EXIT STATUS", rows(string(codes), "code"))
	if err := doc.GenManTree(root, &doc.GenManHeader{Source: "pgbtui " + version(), Manual: "pgbtui"}, dir); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	return configurationPage(string(text), dir)
}

// configurationPage is pgbtui.yaml(5).
func configurationPage(text, dir string) error {
	page := &cobra.Command{
		Use: "pgbtui.yaml", Short: "configuration of pgbtui", DisableAutoGenTag: true, DisableFlagsInUseLine: true,
		Long: "pgbtui reads /etc/pgbtui/config.yaml, or what --config names, and jobs also from conf.d/\\*.yaml beside it. " +
			"An unknown key is an error with file and line.\n" +
			"All keys but label, read\\_only, signing, watch and jobs may stand at the top, for all jobs, or inside a job. " +
			"**pgbtui config show** prints each setting and where it comes from, **pgbtui config check** tries them.\n" +
			section("KEYS", rows(text, "key")) + section("ENVIRONMENT", rows(text, "variable")) +
			section("EXAMPLE", example(text)),
	}
	var out bytes.Buffer
	header := &doc.GenManHeader{Title: "PGBTUI.YAML", Section: "5", Source: "pgbtui " + version(), Manual: "pgbtui"}
	if err := doc.GenMan(page, header, &out); err != nil {
		return fmt.Errorf("write pgbtui.yaml(5): %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "pgbtui.yaml.5"), out.Bytes(), 0o644) //nolint:gosec // pages are public
}

// literal makes every help text of a command, and of those below it, mean itself.
func literal(cmd *cobra.Command) {
	cmd.Long, cmd.Short = paragraphs(cmd.Long), plain(cmd.Short)
	escape := func(f *pflag.Flag) {
		if !strings.Contains(f.Usage, `\`) { // a flag of the root is met again
			f.Usage = plain(f.Usage)
		}
	}
	cmd.LocalFlags().VisitAll(escape)
	for _, c := range cmd.Commands() {
		literal(c)
	}
}

// paragraphs keeps the lines of what is laid out by blanks, and escapes the rest.
func paragraphs(text string) string {
	parts := strings.Split(text, "\n\n")
	for i, part := range parts {
		if strings.HasPrefix(part, "  ") || strings.Contains(part, "\n  ") {
			parts[i] = "```\n" + strings.Trim(part, "\n") + "\n```"
		} else {
			parts[i] = plain(part)
		}
	}
	return strings.Join(parts, "\n\n")
}

var special = regexp.MustCompile("[_*<>\\[\\]\\\\]")

// plain escapes what Markdown takes for its own, outside of back quotes.
func plain(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = special.ReplaceAllString(parts[i], `\$0`)
	}
	return strings.Join(parts, "`")
}

func section(title, body string) string { return "\n\n# " + title + "\n\n" + body }

func commandsSection(root *cobra.Command) string {
	var b strings.Builder
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(&b, "**%s**\n: %s\n\n", c.CommandPath(), c.Short)
		}
	}
	return section("COMMANDS", b.String())
}

const filesSection = `

# FILES

**/etc/pgbtui/config.yaml**
: the configuration, see pgbtui.yaml(5)

**/etc/pgbtui/conf.d/\*.yaml**
: files that add jobs

**/etc/pgbtui/environment**
: variables of the units, read by the command line too

**/etc/pgbtui/secret**
: keys and passwords of the units, which root alone reads

**/var/lib/pgbtui**
: what the watch told, and what this host committed last; nothing that a recovery needs
`

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// rows are a table of the reference as a list of terms: the first column, and all others behind it.
func rows(text, head string) string {
	var b strings.Builder
	in := false
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "| "+head+" |"):
			in = true
		case !strings.HasPrefix(line, "|"):
			in = false
		case in && !strings.HasPrefix(line, "| ---"):
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			for i := range cells {
				cells[i] = plain(link.ReplaceAllString(strings.ReplaceAll(cells[i], "`", ""), "$1"))
			}
			fmt.Fprintf(&b, "**%s**\n: %s\n\n", cells[0], described(cells[1:]))
		}
	}
	return b.String()
}

// described is what a key means and its default.
func described(cells []string) string {
	if len(cells) == 2 {
		return cells[1] + " (default: " + cells[0] + ")"
	}
	return strings.Join(cells, "; ")
}

// example is the first configuration of the reference.
func example(text string) string {
	_, rest, _ := strings.Cut(text, "```yaml\n")
	body, _, _ := strings.Cut(rest, "```")
	return "```\n" + body + "```\n"
}
