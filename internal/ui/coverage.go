// The databases that no job backs up, beside those that jobs do: a row of the overview each, and one problem a server.

package ui

import (
	"fmt"
	"slices"
	"strings"
)

// kindUncovered is what package watch calls it.
const kindUncovered = "uncovered"

// uncoveredRows are the databases that no row stands for yet.
func (sh *shared) uncoveredRows(all []database) (rows []database) {
	for _, u := range sh.cover.value {
		if slices.ContainsFunc(all, func(d database) bool { return d.name == u.Database }) {
			continue
		}
		rows = append(rows, database{name: u.Database, title: u.Database, known: true, mark: markWarn})
	}
	return rows
}

// uncoveredProblems are one a server, however many databases there are.
func (sh *shared) uncoveredProblems() (all []hostProblem) {
	names := map[string][]string{}
	var servers []string
	for _, u := range sh.cover.value {
		if len(names[u.Server]) == 0 {
			servers = append(servers, u.Server)
		}
		names[u.Server] = append(names[u.Server], clean(u.Database))
	}
	for _, server := range servers {
		all = append(all, hostProblem{subject: clean(server), problem: problem{
			kind: kindUncovered, mark: markWarn, what: "no job backs up " + uncoveredText(names[server]),
			remedy: "Add a job, or name it in exclude at the top of the configuration. pgbtui jobs lists them.",
		}})
	}
	return all
}

// uncoveredNamed is how many databases one sentence names.
const uncoveredNamed = 3

func uncoveredText(names []string) string {
	text := strings.Join(names[:min(uncoveredNamed, len(names))], ", ")
	switch more := len(names) - uncoveredNamed; {
	case len(names) == 1:
		return "database " + text
	case more > 0:
		return fmt.Sprintf("%d databases: %s and %d more", len(names), text, more)
	}
	return fmt.Sprintf("%d databases: %s", len(names), text)
}
