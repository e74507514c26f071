package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// filePlace is where sets are stored: the job's place, or a copy's.
type filePlace struct {
	Bucket          string `yaml:"bucket"`
	Prefix          string `yaml:"prefix"`
	Region          string `yaml:"region"`
	Endpoint        string `yaml:"endpoint"`
	PathStyle       bool   `yaml:"path_style"`
	CredentialsFile string `yaml:"credentials_file"`
	Profile         string `yaml:"profile"`
	SSE             string `yaml:"sse"`
	KMSKeyID        string `yaml:"kms_key_id"`
	StorageClass    string `yaml:"storage_class"`
	AllowPlainHTTP  bool   `yaml:"allow_plain_http"`
	ExpectedOwner   string `yaml:"expected_bucket_owner"`
	MaxParts        int    `yaml:"max_parts"`
	EqualParts      bool   `yaml:"equal_parts"`
}

// fileRoot is the file's shape: settings for all jobs, and jobs that override them.
type fileRoot struct {
	Label        string               `yaml:"label"`
	ReadOnly     bool                 `yaml:"read_only"`
	Signing      fileSigning          `yaml:"signing"`
	Watch        fileWatch            `yaml:"watch"`
	Metrics      fileMetrics          `yaml:"metrics"`
	Cost         fileCost             `yaml:"cost"`
	Jobs         map[string]yaml.Node `yaml:"jobs"`
	Clusters     map[string]yaml.Node `yaml:"clusters"`
	fileSettings `yaml:",inline"`
}

// strictRoot is the same shape with typed jobs: decoding into it finds unknown keys everywhere.
type strictRoot struct {
	Label        string                   `yaml:"label"`
	ReadOnly     bool                     `yaml:"read_only"`
	Signing      fileSigning              `yaml:"signing"`
	Watch        fileWatch                `yaml:"watch"`
	Metrics      fileMetrics              `yaml:"metrics"`
	Cost         fileCost                 `yaml:"cost"`
	Jobs         map[string]*fileSettings `yaml:"jobs"`
	Clusters     map[string]*fileCluster  `yaml:"clusters"`
	fileSettings `yaml:",inline"`
}

type fileSettings struct {
	Instance string   `yaml:"instance"`
	Database string   `yaml:"database"`
	Formerly []string `yaml:"formerly"`

	Databases names `yaml:"databases"`
	Exclude   names `yaml:"exclude"`

	Schemas        names        `yaml:"schemas"`
	ExcludeSchemas names        `yaml:"exclude_schemas"`
	PerSchema      []fileSchema `yaml:"per_schema"`

	ExcludeTables    names `yaml:"exclude_tables"`
	ExcludeTableData names `yaml:"exclude_table_data"`

	Postgres struct {
		Host   string `yaml:"host"`
		Port   string `yaml:"port"`
		User   string `yaml:"user"`
		BinDir string `yaml:"bin_dir"`
	} `yaml:"postgres"`
	S3 struct {
		filePlace `yaml:",inline"`

		Bandwidth  Bandwidth      `yaml:"bandwidth"`
		ObjectLock fileObjectLock `yaml:"object_lock"`
		Transition fileTransition `yaml:"transition"`
	} `yaml:"s3"`
	Copies     []fileCopy `yaml:"copies"`
	Encryption struct {
		Recipients   []string `yaml:"recipients"`
		IdentityFile string   `yaml:"identity_file"`
	} `yaml:"encryption"`
	Schedule    calendars     `yaml:"schedule"`
	Jitter      jitter        `yaml:"jitter"`
	Verify      fileTimed     `yaml:"verify"`
	Copy        fileTimed     `yaml:"copy"`
	Keep        fileKeep      `yaml:"keep"`
	Alert       fileAlert     `yaml:"alert"`
	Heartbeat   fileHeartbeat `yaml:"heartbeat"`
	Warn        fileWarn      `yaml:"warn"`
	Drill       fileDrill     `yaml:"drill"`
	Compression Compression   `yaml:"compression"`
	Streams     Streams       `yaml:"streams"`
	RPO         duration      `yaml:"rpo"`
	ProofWithin duration      `yaml:"proof_objective"`
	RTO         duration      `yaml:"rto"`
	StallAfter  duration      `yaml:"stall_after"`
	ConnectWait duration      `yaml:"connect_wait"`
	LockWait    duration      `yaml:"lock_wait"`
	RunWait     duration      `yaml:"run_wait"`
	SpoolDir    string        `yaml:"spool_dir"`
}

// duration accepts Go's durations and whole days ("7d").
type duration time.Duration

func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := parseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = duration(v)
	return nil
}

func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 36500 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if v, err := time.ParseDuration(s); err == nil && v > 0 {
		return v, nil
	}
	return 0, fmt.Errorf("%q is not a duration: write it like 90s, 10m, 26h or 7d", s)
}

// document is a parsed file, kept with its nodes so that later errors can name their line.
type document struct {
	file     string
	root     yaml.Node
	settings fileRoot
	onlyJobs bool // a file of conf.d
}

func readDocument(file string) (*document, error) {
	if err := refuseWritable(file); err != nil {
		return nil, err
	}
	raw, err := bounded.ReadFile(file, bounded.File)
	if err != nil {
		return nil, fault.New(fault.Config, "config: read "+file, readRemedy(err), err)
	}
	return parseDocument(file, raw)
}

func readRemedy(err error) string {
	if errors.Is(err, os.ErrNotExist) {
		return "Correct the path, or leave --config out."
	}
	if errors.Is(err, os.ErrPermission) {
		return "Run as root or as a member of group pgbtui, which may read the configuration."
	}
	return ""
}

func parseDocument(file string, raw []byte) (*document, error) {
	d := &document{file: file}
	strict := yaml.NewDecoder(bytes.NewReader(raw))
	strict.KnownFields(true)
	if err := strict.Decode(&strictRoot{}); err != nil && !errors.Is(err, io.EOF) {
		return nil, d.yamlError(err)
	}
	if err := strict.Decode(&strictRoot{}); !errors.Is(err, io.EOF) {
		return nil, moreThanOne(file)
	}
	return d, d.parse(raw)
}

func moreThanOne(file string) error {
	return fault.New(fault.Config, "config: "+file+": more than one YAML document", "Keep one.", nil)
}

// parse keeps the nodes of a text whose keys are known to be right.
func (d *document) parse(raw []byte) error {
	if err := yaml.Unmarshal(raw, &d.root); err != nil {
		return d.yamlError(err)
	}
	if err := d.root.Decode(&d.settings); err != nil && len(d.root.Content) > 0 {
		return d.yamlError(err)
	}
	return d.refuseEmptyKeep()
}

// top decodes the settings for all jobs anew: a job decoded over a copy would write through the
// copy's pointers and slices into its neighbours' settings.
func (d *document) top() (fileSettings, error) {
	var fresh fileRoot
	if d == nil {
		return fileSettings{}, nil
	}
	if err := d.root.Decode(&fresh); err != nil {
		return fileSettings{}, d.yamlError(err)
	}
	return fresh.fileSettings, nil
}

var unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type .*`) // some types are printed whole

// wrongType is the decoder's text for a value of another kind, with the names of Go's types.
var wrongType = regexp.MustCompile("cannot unmarshal !!([a-z]+)((?: `[^`]*`)?) into (.+)")

func wrongTypeText(text string) string {
	m := wrongType.FindStringSubmatch(text)
	value := strings.Trim(m[2], " `")
	if value != "" {
		value = strconv.Quote(value) + " is "
	} else {
		value = "this is "
	}
	return value + yamlKinds[m[1]] + ", where " + wantedKind(m[3]) + " is wanted"
}

// yamlKinds are YAML's kinds of values in words; an unknown one is none of them.
var yamlKinds = map[string]string{
	"seq": "a list", "map": "a section of keys", "str": "text", "int": "a number", "float": "a number with a fraction",
	"bool": "true or false", "null": "nothing", "timestamp": "a date", "binary": "bytes",
}

// wantedKind is a Go type in the same words.
func wantedKind(of string) string {
	switch {
	case of == "string":
		return "text"
	case of == "bool":
		return "true or false"
	case strings.HasPrefix(of, "int") || strings.HasPrefix(of, "uint"):
		return "a whole number"
	case strings.HasPrefix(of, "[]"):
		return "a list"
	}
	return "a section of keys"
}

// yamlError turns the decoder's text into `config: FILE:LINE: …`, one problem a line.
func (d *document) yamlError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	remedy := "`pgbtui config check --help` lists every key."
	for _, m := range unknownKey.FindAllStringSubmatch(text, -1) {
		remedy = cmp.Or(formerKeys[m[2]], remedy)
		if d.onlyJobs {
			remedy = "A file in " + jobsDir + " holds `jobs:` and nothing else beside it; settings for all jobs stand in " +
				filepath.Join(filepath.Dir(filepath.Dir(d.file)), filepath.Base(DefaultFile)) + ". " + remedy
		}
	}
	text = unknownKey.ReplaceAllString(text, `line $1: unknown key "$2"`)
	text = wrongType.ReplaceAllStringFunc(text, wrongTypeText)
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "line "); ok {
			line = d.file + ":" + rest
		} else {
			line = d.file + ": " + line
		}
		lines = append(lines, line)
	}
	return fault.New(fault.Config, "config: "+strings.Join(lines, "; "), remedy, nil)
}

// line finds the line of a key path, or of its deepest existing parent; 0 when there is none.
func (d *document) line(path ...string) int {
	if d == nil || len(d.root.Content) == 0 {
		return 0
	}
	node, line := d.root.Content[0], 0
	for _, key := range path {
		next := child(node, key)
		if next == nil {
			return line
		}
		node, line = next, next.Line
	}
	return line
}

// child is the value of a key, also one that a merge (`<<: *defaults`) brings in.
func child(node *yaml.Node, key string) *yaml.Node {
	node = target(node)
	if node.Kind != yaml.MappingNode {
		return nil
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch node.Content[i].Value {
		case key:
			value := target(node.Content[i+1])
			if value.Kind == yaml.MappingNode {
				value.Line = node.Content[i].Line
			}
			return value
		case "<<":
			merged = node.Content[i+1]
		}
	}
	if merged == nil {
		return nil
	}
	return childOfMerged(target(merged), key)
}

// childOfMerged looks through what is merged: one mapping, or a list of them, of which the first wins.
func childOfMerged(merged *yaml.Node, key string) *yaml.Node {
	if merged.Kind != yaml.SequenceNode {
		return child(merged, key)
	}
	for _, one := range merged.Content {
		if found := child(one, key); found != nil {
			return found
		}
	}
	return nil
}

// target is what an alias stands for.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}
