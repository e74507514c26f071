package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A mistake on the command line ends with code 64 and changes nothing. The message quotes the word that is wrong and
// offers the nearest one that exists; main.go adds the help command of the verb that was typed.
//
// Flags that exclude each other are checked by hand, not by cobra's flag groups: their errors cannot be given a code
// (they would end with 1), and their text names every flag of the group but not why two of them do not go together.

// typingErrors is how many letters a word may differ from the one that is offered instead.
const typingErrors = 2

func usage(err error) error { return fault.New(fault.Usage, "", "", err) }

func usageText(text string) error { return fault.New(fault.Usage, text, "", nil) }

// withHelp names the help of the command that was typed wrongly, unless the error has a better remedy.
func withHelp(cmd *cobra.Command, err error) error {
	if fault.CodeOf(err) != fault.Usage || fault.Remedy(err) != "" {
		return err
	}
	return fault.New(fault.Usage, "", fmt.Sprintf("`%s --help` shows how it is used.", cmd.CommandPath()), err)
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownWord(cmd, args[0])
	}
	return nil
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageText(cmd.CommandPath() + " needs " + what)
		}
		return nil
	}
}

// unknownWord is the error for a word that is neither a command nor an argument of cmd.
func unknownWord(cmd *cobra.Command, word string) error {
	return usageText("unknown command or argument " + strconv.Quote(word) + " for " + cmd.CommandPath() +
		didYouMean(word, commandNames(cmd)))
}

func commandNames(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// unknownFlag offers the flag that looks like the one that was typed.
func unknownFlag(cmd *cobra.Command, err error) error {
	word, unknown := strings.CutPrefix(err.Error(), "unknown flag: ")
	if !unknown {
		return usage(err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return usageText(err.Error() + didYouMean(word, names))
}

// didYouMean is the end of a message, or "" when no name looks like word.
func didYouMean(word string, names []string) string {
	// Its search for similar names is what is wanted here.
	known := &cobra.Command{SuggestionsMinimumDistance: typingErrors}
	for _, name := range names {
		known.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	similar := known.SuggestionsFor(word)
	if len(similar) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(similar, " or ") + "?"
}

// strictExtras makes cobra's own verbs fail for what they do not know; by default they print a
// help text and succeed.
func strictExtras(root *cobra.Command) {
	root.SetHelpCommand(&cobra.Command{
		Use: "help [VERB]", Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usageText("there is no help about " + strconv.Quote(strings.Join(args, " ")))
			}
			return about.Help()
		},
	})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = noArgs
			c.RunE = func(*cobra.Command, []string) error {
				return usageText("completion needs the name of a shell: bash, zsh, fish or powershell")
			}
		}
	}
}

// one is exactly(1) for what never begins with a hyphen: the IDs of sets and the names of units, which
// come from the names of units that people type. "pgbtui drill -- --help" must not end as a success.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := exactly(1, what)(cmd, args); err != nil {
			return err
		}
		if strings.HasPrefix(args[0], "-") {
			return usageText(cmd.CommandPath() + " wants " + what + ", not " + strconv.Quote(args[0]))
		}
		return nil
	}
}
