// Files for node_exporter's textfile collector (prometheus/node_exporter, README, "Textfile Collector").
//
// Rules: a file is written beside its place under a name that is not read, and renamed. It is for everybody to
// read, since node_exporter runs as a user of its own. Each part of each job has a file of its own.

package metrics

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const (
	filePrefix = "pgbtui_"
	fileSuffix = ".prom"
	tempPrefix = ".pgbtui_"
	fileMode   = 0o644
	// tempAge is how old an unfinished file is of a process that was killed.
	tempAge = time.Hour
)

// Textfile is a directory that node_exporter reads.
type Textfile struct{ Dir string }

// Name is what messages call it.
func (t Textfile) Name() string { return "textfile " + t.Dir }

// Send replaces the groups' files.
func (t Textfile) Send(_ context.Context, groups []Group) error {
	var bad []error
	for _, g := range groups {
		if err := t.replace(fileName(g), encode(g.Samples)); err != nil {
			code, remedy := advice(err)
			bad = append(bad, fault.New(code, "metrics: write "+filepath.Join(t.Dir, fileName(g)), remedy, err))
		}
	}
	return errors.Join(bad...)
}

func advice(err error) (fault.Code, string) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.NotFound, "Make the directory that metrics.textfile names, or install prometheus-node-exporter."
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fault.NotPermitted, "Let users pgbtui and pgbtui-watch write there: sudo setfacl -m " +
			"user:pgbtui:rwx,user:pgbtui-watch:rwx DIRECTORY; docs/monitoring.md#textfile has the rest."
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.NoSpace, "Make space there."
	}
	return fault.Failed, ""
}

// fileName is the group's; no two jobs share one, whatever they are called.
func fileName(g Group) string {
	if g.Part == PartHost {
		return filePrefix + string(g.Part) + fileSuffix
	}
	return filePrefix + string(g.Part) + "_" + backup.EncodeName(g.Job) + fileSuffix
}

func (t Textfile) replace(name string, text []byte) error {
	temp, err := os.CreateTemp(t.Dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	if err == nil {
		err = temp.Chmod(fileMode) // whatever the umask of the unit is
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), filepath.Join(t.Dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// Sweep removes the files of jobs that are not among these any more, and what killed writers left: a job that was
// taken out of the configuration must not be late for ever.
func (t Textfile) Sweep(jobs []string, now time.Time) error {
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return fmt.Errorf("metrics: look for old files: %w", err)
	}
	var kept []string
	for _, job := range jobs {
		kept = append(kept, fileName(Group{Part: PartSets, Job: job}), fileName(Group{Part: PartRun, Job: job}))
	}
	var bad []error
	for _, e := range entries {
		if t.old(e, kept, now) {
			bad = append(bad, os.Remove(filepath.Join(t.Dir, e.Name())))
		}
	}
	return errors.Join(bad...)
}

func (t Textfile) old(e fs.DirEntry, kept []string, now time.Time) bool {
	name := e.Name()
	if strings.HasPrefix(name, tempPrefix) {
		info, err := e.Info()
		return err == nil && now.Sub(info.ModTime()) > tempAge
	}
	ours := strings.HasPrefix(name, filePrefix+string(PartSets)+"_") ||
		strings.HasPrefix(name, filePrefix+string(PartRun)+"_")
	return ours && strings.HasSuffix(name, fileSuffix) && !slices.Contains(kept, name)
}

// encode is samples in the text format ("Exposition formats", Prometheus's documentation).
func encode(samples []Sample) []byte {
	var b strings.Builder
	help := map[string]string{}
	for _, m := range Catalogue() {
		help[m.Name] = m.Help
	}
	before := ""
	for _, s := range unique(samples) {
		if s.Metric != before {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", s.Metric, help[s.Metric], s.Metric)
			before = s.Metric
		}
		b.WriteString(series(s) + " " + strconv.FormatFloat(s.Value, 'f', -1, 64) + "\n")
	}
	return []byte(b.String())
}

// labelValue escapes what would end a value or its line.
var labelValue = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// series is a sample's name and labels as they are written.
func series(s Sample) string {
	if len(s.Labels) == 0 {
		return s.Metric
	}
	var labels []string
	for _, l := range s.Labels {
		value := labelValue.Replace(strings.ToValidUTF8(l.Value, "\ufffd"))
		labels = append(labels, l.Name+`="`+value+`"`)
	}
	return s.Metric + "{" + strings.Join(labels, ",") + "}"
}
