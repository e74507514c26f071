// The command lines that do what the restore screens do.

package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// restoreLine is the command for a request.
func restoreLine(sh *shared, r RestoreRequest) string {
	switch {
	case r.Swap != "":
		return swapLine(sh, r)
	case r.Replace != "":
		return restoreWords(sh, r, "--replace", r.Replace, "--confirm", r.Replace)
	case r.DataOnly:
		return restoreWords(sh, r, "--data-only", "--into", r.To, "--confirm", r.To)
	}
	return restoreWords(sh, r, "--to", r.To)
}

func swapLine(sh *shared, r RestoreRequest) string {
	verb, with := "undo", ""
	if r.With != "" {
		verb, with = "swap", " --with="+printable.ShellWord(r.With)
	}
	end := ""
	if r.Terminate {
		end = " --terminate"
	}
	return sh.RestoreCommand + " restore " + verb + with + " --confirm=" + printable.ShellWord(r.Swap) + end +
		operand(r.Swap)
}

// operand is a name behind all options.
func operand(name string) string {
	if strings.HasPrefix(name, "-") {
		return " -- " + printable.ShellWord(name)
	}
	return " " + printable.ShellWord(name)
}

func restoreWords(sh *shared, r RestoreRequest, where ...string) string {
	words := where
	for _, flag := range []struct {
		on   bool
		name string
	}{
		{r.Terminate, "--terminate"},
		{r.Globals, "--globals"},
		{r.NoOwner, "--no-owner"},
		{r.NoTablespaces, "--no-tablespaces"},
		{r.SchemaOnly, "--schema-only"},
	} {
		if flag.on {
			words = append(words, flag.name)
		}
	}
	if r.From != "" {
		words = append(words, "--from", r.From)
	}
	if r.Thaw != "" {
		words = append(words, "--thaw", r.Thaw)
	}
	for _, t := range r.Tables {
		words = append(words, "--table", t)
	}
	for _, s := range r.Schemas {
		words = append(words, "--schema", s)
	}
	for _, old := range slices.Sorted(maps.Keys(r.Roles)) {
		words = append(words, "--role", roleWord(old)+"="+roleWord(r.Roles[old]))
	}
	if r.Jobs > 0 {
		words = append(words, "--jobs", fmt.Sprint(r.Jobs))
	}
	for i, w := range words {
		words[i] = printable.ShellWord(w)
	}
	return sh.RestoreCommand + " restore " + sh.word(&r.Set) + " " + strings.Join(words, " ")
}

// roleWord is a name of a mapping, in double quotes where a plain one would end early.
func roleWord(name string) string {
	if !strings.ContainsAny(name, `="`) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
