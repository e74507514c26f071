// What came of a restore, on its run's page: the comparison of rows, what is kept, what to do next and
// the way back. It is what the unit wrote down; the exact commands are quoted for a shell.

package ui

import (
	"cmp"
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type resultMsg struct {
	result *RestoreResult
	err    error
}

// readResult asks for what the unit says, once it has ended.
func (v *runView) readResult() tea.Cmd {
	r, ok := v.runOf(v.unit)
	p := v.Sources.Planner
	if !ok || r.Action != "restore" || r.State.Live() || p == nil || v.result != nil && v.result.Over {
		return nil
	}
	return v.results.ask(v.ctx, v.update, func(ctx context.Context) tea.Msg {
		result, err := p.Result(ctx, r.Unit)
		return resultMsg{result, err}
	})
}

// undoKey puts back what this run replaced.
func (v *runView) undoKey() []binding {
	r, _ := v.runOf(v.unit)
	if r.Action != "restore" {
		return nil
	}
	database, kept := v.result.kept()
	none := ""
	switch {
	case r.State.Live():
		none = "it continues; X cancels it"
	case kept == "":
		none = "this run replaced nothing"
	}
	return []binding{{
		keys: []string{"U"}, short: "put back", help: "put back what was live before; that page asks first",
		off: cmp.Or(v.denied(), none),
		run: func() tea.Cmd { return askUndo(v.shared, RestoreRequest{Swap: database, With: kept}, v) },
	}}
}

// resultLines say how a restore that is over ended, and what to do next.
func (v *runView) resultLines(r UnitRun, w int) []string {
	if r.Action != "restore" || r.State.Live() {
		return nil
	}
	lines := []string{v.section("RESULT", "", w)}
	res := v.result
	switch {
	case v.resultErr != nil:
		lines = append(lines, v.trouble(v.resultErr, w)...)
	case res == nil:
		lines = append(lines, v.faint.Render("   its unit has left no result; the journal has it (w)"))
	case res.Err != nil:
		lines = append(lines, v.list("✗ ", errorLine(res.Err), w, v.bad.Render)...)
	case res.Restored != nil:
		lines = append(lines, v.restoredLines(res, w)...)
	case res.Swapped != nil:
		lines = append(lines,
			v.list("✓ ", clean(res.Swapped.Database)+" is what "+clean(res.Swapped.With)+" was", w, v.good.Render)...)
	default:
		lines = append(lines, v.bad.Render("   ✗ it did not finish"))
	}
	lines = append(append(lines, v.keptLines(w)...), v.noteLines(w)...)
	lines = append(lines, "", v.section("NEXT", "", w))
	for _, next := range nextSteps(v.shared, r, res) {
		lines = append(lines, fact(v.theme, next[0], next[1], w)...)
	}
	return append(lines, "")
}

func (v *runView) restoredLines(res *RestoreResult, w int) []string {
	d := res.Restored
	lines := v.list("! ", "rows were not compared", w, v.warn.Render)
	if d.Compared {
		lines = v.list("✓ ",
			fmt.Sprintf("rows compared: %s, %s rows, all as dumped", plural(d.Tables, "table"), count(d.Rows)), w,
			v.good.Render)
	}
	if p := d.Portion; p != nil {
		lines = append(lines, fact(v.theme, "Fetched", readable.Size(d.Fetched)+" of "+readable.Size(p.StoredBytes), w)...)
		lines = append(lines, fact(v.theme, "Chosen", itemsText(p.Chosen), w)...)
	}
	return lines
}

func (v *runView) noteLines(w int) (lines []string) {
	if v.result == nil || v.result.Restored == nil {
		return nil
	}
	for _, n := range v.result.Restored.Notes {
		lines = append(lines, fact(v.theme, "Note", clean(n), w)...)
	}
	return lines
}

func (v *runView) keptLines(w int) []string {
	_, kept := v.result.kept()
	if kept == "" {
		return nil
	}
	disconnected := ""
	if ended := v.result.ended(); ended > 0 {
		disconnected = ", " + plural(ended, "connection") + " ended"
	}
	return fact(v.theme, "Kept", clean(kept)+" is what was live; nothing was dropped"+disconnected, w)
}

// list is a marked text over several lines.
func (v *runView) list(mark, text string, w int, style func(...string) string) (out []string) {
	for _, l := range v.wrap(mark+text, w-5) {
		out = append(out, "   "+style(l))
	}
	return out
}

// nextSteps are exact commands, each with what it is for.
func nextSteps(sh *shared, r UnitRun, res *RestoreResult) [][2]string {
	if database, kept := res.kept(); kept != "" {
		return [][2]string{
			{"Go back", "U here, or: " + swapLine(sh, RestoreRequest{Swap: database, With: kept})},
			{"When sure", "dropdb -- " + printable.ShellWord(kept)},
		}
	}
	good := res != nil && res.Restored != nil
	why := [2]string{"Why", "journalctl -u " + printable.ShellWord(r.Unit)}
	untouched := [2]string{"", "The live database " + orUnknown(r.Database) + " was not touched."}
	rowsOnly := res != nil && res.Request.DataOnly
	switch {
	case r.Replaces:
		return [][2]string{why, {"", "The lines above say which database is live, and what is left."}}
	case good && rowsOnly:
		return [][2]string{{"Look at it", "PGDATABASE=" + printable.ShellWord(r.Target) + " psql"}}
	case good, res == nil && (r.State == RunOK || r.State == RunWarn):
		return [][2]string{
			{"Look at it", "PGDATABASE=" + printable.ShellWord(r.Target) + " psql"},
			{"Undo", "dropdb -- " + printable.ShellWord(r.Target)},
			untouched,
		}
	case rowsOnly:
		return [][2]string{why, {"", "All rows come or none: " + orUnknown(r.Target) + " is as it was."}}
	}
	return [][2]string{why, {"Clean up", "dropdb --if-exists -- " + printable.ShellWord(r.Target)}, untouched}
}
