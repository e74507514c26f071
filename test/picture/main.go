// Command picture turns a terminal's screen, as `tmux capture-pane -e -p` prints it, into an SVG
// for the README: standard input to standard output. It knows the 16 palette colours, bold,
// faint and reverse, which is all that the console uses.
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Geometry of a cell in SVG units, and the two colours of an unstyled one.
const (
	cellWidth, cellHeight = 8.4, 18.0
	margin                = 12.0
	foreground            = 7
	background            = 0
)

// palette is the 16 colours, in the order of SGR 30–37 and 90–97.
var palette = [16]string{
	"#16181d", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d0d4dc",
	"#6b7280", "#ff7b86", "#b5e890", "#ffd68a", "#82c4ff", "#dd9bf0", "#7fdbe8", "#ffffff",
}

type style struct {
	fg, bg               int
	bold, faint, reverse bool
}

func main() {
	if err := draw(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func draw(in io.Reader, out io.Writer) error {
	var lines []string
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	columns := 0
	for _, line := range lines {
		columns = max(columns, ansi.StringWidth(line))
	}
	width, height := float64(columns)*cellWidth+2*margin, float64(len(lines))*cellHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %.1f" width="%.0f" height="%.0f" role="img" aria-label="pgbtui on a terminal">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="6" fill="%s"/>`+"\n", palette[background])
	b.WriteString(`<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" xml:space="preserve">` + "\n")
	now := style{fg: foreground, bg: background}
	for row, line := range lines {
		now = drawLine(&b, row, line, now)
	}
	b.WriteString("</g>\n</svg>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// drawLine draws runs of equal style and returns the style at its end.
func drawLine(b *strings.Builder, row int, line string, now style) style {
	column := 0
	var run strings.Builder
	flush := func() {
		text := run.String()
		run.Reset()
		cells := ansi.StringWidth(text)
		drawRun(b, row, column, cells, text, now)
		column += cells
	}
	for line != "" {
		if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			if end < 0 {
				break
			}
			flush()
			if rest[end] == 'm' {
				now = now.apply(rest[:end])
			}
			line = rest[end+1:]
			continue
		}
		next := strings.IndexByte(line[1:], '\x1b') + 1
		if next == 0 {
			next = len(line)
		}
		run.WriteString(line[:next])
		line = line[next:]
	}
	flush()
	return now
}

func drawRun(b *strings.Builder, row, column, cells int, text string, s style) {
	fg, bg := s.fg, s.bg
	if s.reverse {
		fg, bg = bg, fg
	}
	x, y, width := margin+float64(column)*cellWidth, margin+float64(row)*cellHeight, float64(cells)*cellWidth
	if bg != background && cells > 0 {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, width, cellHeight, palette[bg])
	}
	// Renderers disagree about blanks at the ends of a text: none are drawn.
	bare := strings.TrimLeft(text, " ")
	x += float64(len(text)-len(bare)) * cellWidth
	bare = strings.TrimRight(bare, " ")
	if bare == "" {
		return
	}
	width = float64(ansi.StringWidth(bare)) * cellWidth
	attributes := ""
	if s.bold {
		attributes += ` font-weight="bold"`
	}
	if s.faint {
		attributes += ` opacity="0.6"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s"%s>%s</text>`+"\n",
		x, y+13.5, width, palette[fg], attributes, html.EscapeString(bare))
}

// apply follows one SGR sequence's parameters.
func (s style) apply(parameters string) style {
	for _, p := range strings.Split(parameters, ";") {
		n, _ := strconv.Atoi(p) // empty is 0
		switch {
		case n == 0:
			s = style{fg: foreground, bg: background}
		case n == 1:
			s.bold = true
		case n == 2:
			s.faint = true
		case n == 22:
			s.bold, s.faint = false, false
		case n == 7:
			s.reverse = true
		case n == 27:
			s.reverse = false
		case n == 39:
			s.fg = foreground
		case n == 49:
			s.bg = background
		case n >= 30 && n <= 37:
			s.fg = n - 30
		case n >= 90 && n <= 97:
			s.fg = n - 82
		case n >= 40 && n <= 47:
			s.bg = n - 40
		case n >= 100 && n <= 107:
			s.bg = n - 92
		}
	}
	return s
}
