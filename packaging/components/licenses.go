package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// license matches the files that a module's licence asks to be passed on.
var license = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents)([-._].*)?$`)

// licenses are the texts of every module of info and of Go itself, each under its name. A module
// without one is an error: it could not be passed on.
func licenses(ctx context.Context, info *debug.BuildInfo) ([]byte, error) {
	folders, err := moduleFolders(ctx, info)
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	all.WriteString("pgbtui is linked with the following software, whose authors ask for these notices.\n")
	for _, f := range folders {
		texts, err := licenseTexts(f.path)
		if err != nil {
			return nil, fmt.Errorf("read the licences of %s: %w", f.module, err)
		}
		if len(texts) == 0 {
			return nil, fmt.Errorf("%s has no licence below %s", f.module, f.path)
		}
		fmt.Fprintf(&all, "\n\n%s\n%s\n", f.module, strings.Repeat("=", len(f.module)))
		for _, text := range texts {
			fmt.Fprintf(&all, "\n%s\n", text)
		}
	}
	return all.Bytes(), nil
}

type folder struct{ module, path string }

// moduleFolders are where the Go command keeps the source of each module, Go's own first.
func moduleFolders(ctx context.Context, info *debug.BuildInfo) ([]folder, error) {
	goroot, err := output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	args := []string{"list", "-m", "-f", "{{.Path}} {{.Version}}\t{{.Dir}}"}
	for _, m := range info.Deps {
		args = append(args, m.Path)
	}
	list, err := output(ctx, "go", args...)
	if err != nil {
		return nil, err
	}
	all := []folder{{"Go " + info.GoVersion, strings.TrimSpace(goroot)}}
	for line := range strings.Lines(list) {
		module, path, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		all = append(all, folder{module, path})
	}
	return all, nil
}

// licenseTexts are the licences in a folder and, but for Go's own source, below it: some modules
// hold code of others. What is there twice is said once.
func licenseTexts(dir string) (texts []string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := root.FS()
	_, err = fs.Stat(files, "src/runtime")
	isGo := err == nil
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (isGo || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.Type().IsRegular() || !license.MatchString(d.Name()) || strings.HasSuffix(d.Name(), ".go"):
			return nil
		}
		raw, err := fs.ReadFile(files, path)
		text := strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n"))
		if err == nil && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		return err
	})
	return texts, err
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w", name, args[0], err)
	}
	return string(out), nil
}
