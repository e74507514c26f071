package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Sentences for people. Rules: into a file or a pipe, a sentence is one line; on a terminal it is broken between words,
// and goes on below its own beginning. A command is never broken, so that it can be copied; the terminal breaks it.

// leastColumns is the narrowest terminal for which anything is broken.
const leastColumns = 40

// deepest is how far behind a label a sentence may begin, and go on.
const deepest = 24

// sayf is printf for whole lines, broken where the terminal ends.
func (s *streams) sayf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if columns := s.columns(false); columns >= leastColumns {
		text = folded(text, columns)
	}
	s.printf("%s", text)
}

func folded(text string, columns int) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if ansi.StringWidth(line) > columns {
			lines[i] = foldLine(line, columns)
		}
	}
	return strings.Join(lines, "")
}

func foldLine(line string, columns int) string {
	body, newline := strings.CutSuffix(line, "\n")
	begin := hangingAt(body)
	indent := ansi.StringWidth(body[:begin])
	out := body[:begin] + strings.Join(brokenAt(body[begin:], columns-indent), "\n"+strings.Repeat(" ", indent))
	if newline {
		out += "\n"
	}
	return out
}

// hangingAt is where the sentence begins behind a label, which two blanks or more divide from it.
func hangingAt(line string) int {
	head := line[:min(deepest, len(line))]
	if i := strings.LastIndex(head, "  "); i >= 0 {
		return i + 2
	}
	return len(head) - len(strings.TrimLeft(head, " "))
}

// brokenAt breaks a text between words into lines of so many cells.
func brokenAt(text string, width int) []string {
	lines := []string{""}
	for i, word := range words(text) {
		last := &lines[len(lines)-1]
		switch {
		case i == 0:
			*last = word
		case ansi.StringWidth(*last)+1+ansi.StringWidth(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// words are what stands between blanks. A command is one: what stands between backquotes, and what begins with a
// program's name, up to the end of its sentence.
func words(text string) (all []string) {
	command := false
	for _, word := range strings.Split(text, " ") {
		if command {
			all[len(all)-1] += " " + word
		} else {
			all = append(all, word)
		}
		whole := all[len(all)-1]
		switch {
		case strings.Count(whole, "`")%2 == 1:
			command = true
		case strings.Contains(whole, "`"):
			command = false
		default:
			named, _, _ := strings.Cut(strings.TrimLeft(whole, "("), " ")
			command = slices.Contains(programs, named) && !strings.ContainsAny(word[max(0, len(word)-1):], ",;.)")
		}
	}
	return all
}

// programs begin commands that are printed without quotes.
var programs = []string{"sudo", "systemctl", "journalctl", "dropdb", "psql"}
