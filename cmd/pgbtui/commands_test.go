package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command line of pgbtui in the program's own texts has to be one: remedies, help, questions, what screens
// copy. They are read out of the source, and parsed by the program itself.

// printed is one command line in a text.
type printed struct {
	at    string
	text  string // from "pgbtui" on
	named bool   // in back quotes, or behind sudo: certainly a command line
	whole bool   // in back quotes: the text ends where the command line does
}

var (
	inQuotes  = regexp.MustCompile("`((?:sudo (?:-[ug] [a-z]+ )*)?pgbtui(?: [^`]*)?)`")
	behind    = regexp.MustCompile("sudo (?:-[ug] [a-z]+ )*(pgbtui [^`\"\n]*)")
	anywhere  = regexp.MustCompile("(?:^|[^a-z`./-])(pgbtui [a-z-][^`\"\n]*)")
	sudo      = regexp.MustCompile(`^sudo (-[ug] [a-z]+ )*`)
	separator = regexp.MustCompile(`[,;:)]( |$)|[.]( |$)`)
)

// texts are all strings of the program's source; what is put into them at run time is an X.
func texts(t *testing.T, add func(at, text string)) {
	t.Helper()
	for _, root := range []string{"../../cmd", "../../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				text, is := flat(e)
				if is {
					add(files.Position(e.Pos()).String(), text)
				}
				return !is
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// flat is the text of a literal, or of literals and values that are joined.
func flat(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		left, isLeft := flat(e.X)
		right, isRight := flat(e.Y)
		if e.Op != token.ADD || !isLeft && !isRight {
			return "", false
		}
		if !isLeft {
			left = "X"
		}
		if !isRight {
			right = "X"
		}
		return left + right, true
	}
	return "", false
}

func commandsIn(at, text string) (found []printed) {
	for _, m := range inQuotes.FindAllStringSubmatch(text, -1) {
		found = append(found, printed{at: at, text: sudo.ReplaceAllString(m[1], ""), named: true, whole: true})
	}
	text = inQuotes.ReplaceAllString(text, "")
	for _, m := range behind.FindAllStringSubmatch(text, -1) {
		found = append(found, printed{at: at, text: m[1], named: true})
	}
	text = behind.ReplaceAllString(text, "")
	for _, m := range anywhere.FindAllStringSubmatch(text, -1) {
		found = append(found, printed{at: at, text: m[1]})
	}
	for i := range found {
		if cut := separator.FindStringIndex(found[i].text); cut != nil {
			found[i].text = found[i].text[:cut[0]]
		}
	}
	return found
}

// commandTree are all verbs, as in an empty environment.
func commandTree() *cobra.Command {
	nothing := func(string) string { return "" }
	return newRootCommand(newProgram(outside{out: os.Stdout, err: os.Stderr, getenv: nothing}))
}

func TestEveryCommandLineThatIsPrintedIsOneOfThisProgram(t *testing.T) {
	tried := 0
	texts(t, func(at, text string) {
		for _, c := range commandsIn(at, text) {
			root := commandTree()
			words := strings.Fields(strings.NewReplacer("%s", "X", "%d", "1", "%q", "X", "%v", "X").Replace(c.text))[1:]
			verb, _, err := root.Find(words)
			known := err == nil && verb != root || len(words) > 0 && strings.HasPrefix(words[0], "--")
			if !c.named && !known {
				continue // prose
			}
			tried++
			if err := parses(root, words, c.whole); err != nil {
				t.Errorf("%s: %q: %v", c.at, c.text, err)
			}
		}
	})
	if tried < 60 {
		t.Errorf("only %d command lines were found: this test does not see them any more", tried)
	}
}

// parses gives the words to the verb that they name. Prose may go on behind a line without quotes, so that of such
// a line only the flags are looked at.
func parses(root *cobra.Command, words []string, whole bool) error {
	if len(words) == 0 || words[0] == "X" { // the verb is known at run time only
		return nil
	}
	verb, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if verb == root && !strings.HasPrefix(words[0], "-") {
		return unknownWord(root, words[0])
	}
	open := slices.ContainsFunc(rest, func(w string) bool { return w == "…" || w == "..." })
	rest = slices.DeleteFunc(rest, func(w string) bool { return w == "…" || w == "..." })
	if slices.Contains(rest, "--help") {
		return nil
	}
	verb.InitDefaultHelpFlag()
	if err := verb.ParseFlags(rest); err != nil {
		return err
	}
	if open || !whole || verb.Args == nil {
		return nil
	}
	return verb.Args(verb, verb.Flags().Args())
}

func TestTheSearchForCommandLinesFindsWrongOnes(t *testing.T) {
	for text, wrong := range map[string]bool{
		"run one, `pgbtui --headles`":                 true,
		"look with `pgbtui shwo ID`":                  true,
		"`pgbtui show`":                               true,
		"sudo -u postgres -g pgbtui pgbtui restor X":  true,
		"see sudo pgbtui units install --enabel main": true,
		"pgbtui prune --conform 3 does it":            true,
		"`pgbtui show ID --tables` lists them":        false,
		"sudo pgbtui units install.":                  false,
		"pgbtui backs up, and pgbtui is the console":  false,
		"`sudo pgbtui acknowledge ID --reason TEXT`":  false,
	} {
		failed := false
		for _, c := range commandsIn("here", text) {
			root := commandTree()
			words := strings.Fields(c.text)[1:]
			if verb, _, err := root.Find(words); !c.named && (err != nil || verb == root) {
				continue
			}
			failed = failed || parses(root, words, c.whole) != nil
		}
		if failed != wrong {
			t.Errorf("%q is wrong: %v, want %v", text, failed, wrong)
		}
	}
}

func TestVerbsThatPutSomethingBesideASetTakeAKeyThatMay(t *testing.T) {
	for verb, want := range map[string]duty{
		"hold": writer, "unhold": writer, "acknowledge": writer,
		"verify": prover, "drill": prover, "prune": keeper, "list": "",
	} {
		if got := dutyOf(verb); got != want {
			t.Errorf("%s takes the key of %q, want %q", verb, got, want)
		}
	}
}
