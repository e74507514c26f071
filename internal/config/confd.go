package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Jobs in files of their own: conf.d/*.yaml beside the configuration. Rules:
//
//   - such a file holds `jobs:` and nothing else: what is for all jobs stands in one place
//   - files are read in the order of their names, and a job has one place: a second one is an error that names both
//   - nobody's job is left out silently: a name that looks like a file of jobs and is not read is an error

// jobsDir is the folder of them, beside the configuration's file.
const jobsDir = "conf.d"

// maxJobFiles bounds how many are read.
const maxJobFiles = 1000

// strictJobs is the shape of such a file, with typed jobs.
type strictJobs struct {
	Jobs map[string]*fileSettings `yaml:"jobs"`
}

// readJobFiles reads the folder beside a configuration's file. A folder that is not there has none.
func readJobFiles(file string) ([]*document, error) {
	dir := filepath.Join(filepath.Dir(file), jobsDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Config, "config: read "+dir, readRemedy(err), err)
	}
	if err := refuseWritableFolder(dir); err != nil {
		return nil, err
	}
	var read []*document
	for _, entry := range entries { // sorted by name
		path := filepath.Join(dir, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), "."): // editors leave such files
			continue
		case filepath.Ext(path) == ".yml":
			return nil, fault.New(fault.Config, "config: "+path+" would not be read: only names that end in .yaml are",
				"Rename it to end in .yaml, or in something else if it is not to be read.", nil)
		case filepath.Ext(path) != ".yaml":
			continue
		case len(read) == maxJobFiles:
			return nil, fault.New(fault.Config, fmt.Sprintf("config: more than %d files in %s", maxJobFiles, dir),
				"Put several jobs into one file.", nil)
		}
		one, err := readJobFile(path)
		if err != nil {
			return nil, err
		}
		read = append(read, one)
	}
	return read, nil
}

func readJobFile(path string) (*document, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.New(fault.Config, "config: read "+path, "Correct the link, or remove it.", err)
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, fault.New(fault.Config, "config: "+path+" is no file", "Remove it, or put a file there.", nil)
	}
	if err := refuseWritable(path); err != nil {
		return nil, err
	}
	raw, err := bounded.ReadFile(path, bounded.File)
	if err != nil {
		return nil, fault.New(fault.Config, "config: read "+path, readRemedy(err), err)
	}
	return parseJobFile(path, raw)
}

func parseJobFile(file string, raw []byte) (*document, error) {
	d := &document{file: file, onlyJobs: true}
	strict := yaml.NewDecoder(bytes.NewReader(raw))
	strict.KnownFields(true)
	if err := strict.Decode(&strictJobs{}); err != nil && !errors.Is(err, io.EOF) {
		return nil, d.yamlError(err)
	}
	if err := strict.Decode(&strictJobs{}); !errors.Is(err, io.EOF) {
		return nil, moreThanOne(file)
	}
	return d, d.parse(raw)
}

// refuseTwice fails where a job stands in two files.
func refuseTwice(documents []*document) error {
	first := map[string]*document{}
	for _, d := range documents {
		for _, name := range d.jobNames() {
			before, there := first[name]
			if !there {
				first[name] = d
				continue
			}
			return fault.New(fault.Config, fmt.Sprintf("config: %s:%d: job %q is also in %s:%d",
				d.file, d.line("jobs", name), name, before.file, before.line("jobs", name)),
				"Take one of the two out, or give it another name.", nil)
		}
	}
	return nil
}

// jobNames are the jobs of a file, sorted.
func (d *document) jobNames() []string {
	var names []string
	for name := range d.settings.Jobs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// documents are the configuration's file, where there is one, and those beside it.
func (l loader) documents() []*document {
	if l.doc == nil {
		return l.beside
	}
	return append([]*document{l.doc}, l.beside...)
}

// documentOf is the file that holds a job; of what is for all jobs, and of a job that is in none, the configuration's.
func documentOf(documents []*document, job string) *document {
	for _, d := range documents {
		if _, holds := d.settings.Jobs[job]; holds && job != "" {
			return d
		}
	}
	if len(documents) == 0 || documents[0].onlyJobs {
		return nil
	}
	return documents[0]
}
