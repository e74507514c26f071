package doctor_test

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// provoked are the results that the tests of this package have seen, by check.
var provoked sync.Map

// record notes findings; whatever examines a patient or a machine goes through it.
func record(all []doctor.Finding) []doctor.Finding {
	for _, f := range all {
		provoked.Store(f.ID+" "+string(f.Result), true)
	}
	return all
}

// byWord are the results of checks whose ID or result is no constant where they are made.
func byWord() map[string][]doctor.Result {
	all := map[string][]doctor.Result{
		"bucket.lifecycle":    {doctor.OK, doctor.Warn, doctor.Fail, doctor.Unknown},
		"bucket.policy":       {doctor.OK, doctor.Warn, doctor.Fail, doctor.Unknown},
		"units.start-limit":   {doctor.OK, doctor.Warn, doctor.Fail, doctor.Unknown},
		"s3.writer.delete":    {doctor.OK, doctor.Warn, doctor.Fail, doctor.Unknown},
		"bucket.uploads":      {doctor.Unknown},
		"bucket.old-versions": {doctor.Unknown},
	}
	for _, check := range []string{"s3.conditional-writes", "s3.checksums", "s3.upload-list"} {
		all[check] = []doctor.Result{doctor.OK, doctor.Warn, doctor.Unknown}
	}
	for _, c := range doctor.Catalogue() {
		parts := strings.Split(c.ID, ".")
		if len(parts) == 3 && parts[0] == "s3" && all[c.ID] == nil {
			all[c.ID] = []doctor.Result{doctor.OK, doctor.Fail, doctor.Unknown}
		}
	}
	return all
}

// possible are the results that the source can give each check: what its functions pass to the log, where both are
// written as constants, and byWord.
func possible() (map[string]bool, error) {
	all := map[string]bool{}
	for id, results := range byWord() {
		for _, r := range results {
			all[id+" "+string(r)] = true
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				resultsOf(fn, all)
			}
		}
	}
	return all, nil
}

// resultsOf adds what one function reports.
func resultsOf(fn *ast.FuncDecl, all map[string]bool) {
	constants := map[string]string{}
	ast.Inspect(fn, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			for i, name := range v.Names {
				if i < len(v.Values) {
					constants[name.Name] = text(v.Values[i])
				}
			}
		}
		return true
	})
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id := text(call.Args[0])
		if name, ok := call.Args[0].(*ast.Ident); ok {
			id = constants[name.Name]
		}
		if !doctor.KnownCheck(id) || !strings.Contains(id, ".") {
			return true
		}
		for _, r := range resultsOfCall(method.Sel.Name, call.Args[1]) {
			all[id+" "+string(r)] = true
		}
		return true
	})
}

func text(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(l.Value)
	return s
}

// resultsOfCall are the results that a method of the log reports; second is its second argument.
func resultsOfCall(method string, second ast.Expr) []doctor.Result {
	named := map[string]doctor.Result{"OK": doctor.OK, "Warn": doctor.Warn, "Fail": doctor.Fail, "Unknown": doctor.Unknown}
	switch method {
	case "ok":
		return []doctor.Result{doctor.OK}
	case "unknown", "closed":
		return []doctor.Result{doctor.Unknown}
	case "judge":
		return []doctor.Result{doctor.OK, doctor.Fail}
	case "failed":
		if r, ok := named[fmt.Sprint(second)]; ok {
			return []doctor.Result{r}
		}
	case "add":
		fields, ok := second.(*ast.CompositeLit)
		if !ok {
			return nil
		}
		for _, e := range fields.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok || fmt.Sprint(kv.Key) != "result" {
				continue
			}
			if r, ok := named[fmt.Sprint(kv.Value)]; ok {
				return []doctor.Result{r}
			}
		}
	}
	return nil
}

// TestMain runs the tests, and then asks whether they provoked every result of every check.
func TestMain(m *testing.M) {
	code := m.Run()
	filtered := flag.Lookup("test.run").Value.String()+flag.Lookup("test.skip").Value.String() != ""
	listing := flag.Lookup("test.list").Value.String() != ""
	if code == 0 && !filtered && !listing && need.Everything() {
		missing, err := unprovoked()
		for _, one := range missing {
			err = errors.Join(err, errors.New("no test provokes "+one))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// unprovoked are the results that a check can have and no test saw.
func unprovoked() (missing []string, err error) {
	want, err := possible()
	if err != nil {
		return nil, err
	}
	if len(want) < 2*len(doctor.Catalogue()) {
		return nil, fmt.Errorf("%d results of %d checks: the source is not read right", len(want), len(doctor.Catalogue()))
	}
	for one := range want {
		if _, seen := provoked.Load(one); !seen {
			missing = append(missing, one)
		}
	}
	slices.Sort(missing)
	return missing, nil
}
