package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Metrics says which monitoring systems are told of jobs, and how. It stands at the top of the file alone: one look
// of the watch is about all jobs.
type Metrics struct {
	Textfile    string // directory that node_exporter reads; "": none
	Pushgateway string // its URL, a secret where it holds a password; "": none
	CloudWatch  CloudWatch
}

// CloudWatch is Amazon's. Without a namespace nothing is sent there.
type CloudWatch struct {
	Namespace       string
	Region          string            // default: that of the sets at the top of the file
	Dimensions      map[string]string // besides Instance and Job
	CredentialsFile string            // AWS shared credentials file; default: the key of the unit, else the SDK's chain
	Profile         string
}

type fileMetrics struct {
	Textfile    string `yaml:"textfile"`
	Pushgateway string `yaml:"pushgateway"`
	CloudWatch  struct {
		Namespace       string            `yaml:"namespace"`
		Region          string            `yaml:"region"`
		Dimensions      map[string]string `yaml:"dimensions"`
		CredentialsFile string            `yaml:"credentials_file"`
		Profile         string            `yaml:"profile"`
	} `yaml:"cloudwatch"`
}

func (l loader) metrics(f fileMetrics) (Metrics, error) {
	if f.Textfile != "" && !filepath.IsAbs(f.Textfile) {
		return Metrics{}, l.problem("", fmt.Sprintf("%q is not an absolute path", f.Textfile),
			"Give the directory's whole path, such as /var/lib/prometheus/node-exporter.", "metrics", "textfile")
	}
	if f.Pushgateway != "" {
		if u, err := url.Parse(f.Pushgateway); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return Metrics{}, l.problem("", "not a URL (not shown, it may hold a password)",
				"Write it as http://host:9091.", "metrics", "pushgateway")
		}
	}
	cloudwatch, err := l.cloudwatch(f)
	return Metrics{Textfile: f.Textfile, Pushgateway: f.Pushgateway, CloudWatch: cloudwatch}, err
}

// What CloudWatch takes as a namespace and as the name of a dimension ("PutMetricData", "Dimension").
var (
	cloudwatchNamespace = regexp.MustCompile(`^[0-9A-Za-z._/#-][0-9A-Za-z._/#: -]{0,254}$`)
	cloudwatchName      = regexp.MustCompile(`^[!-9;-~][ -~]{0,254}$`)
)

// mostDimensions leaves room for ours: 30 are allowed.
const mostDimensions = 26

func (l loader) cloudwatch(f fileMetrics) (CloudWatch, error) {
	c := CloudWatch{
		Namespace: f.CloudWatch.Namespace, Dimensions: f.CloudWatch.Dimensions, Profile: f.CloudWatch.Profile,
		CredentialsFile: f.CloudWatch.CredentialsFile,
		Region: cmp.Or(f.CloudWatch.Region, l.env("AWS_REGION"), l.env("AWS_DEFAULT_REGION"),
			l.doc.settings.S3.Region),
	}
	bad := func(what, remedy, key string) (CloudWatch, error) {
		return c, l.problem("", what, remedy, "metrics", "cloudwatch", key)
	}
	written := f.CloudWatch.Region + c.Profile + c.CredentialsFile
	switch {
	case c.Namespace == "" && written == "" && len(c.Dimensions) == 0:
		return CloudWatch{}, nil
	case c.Namespace == "":
		return bad("there is none, so nothing would be sent", "Write namespace: Database/Backups, or another.", "namespace")
	case !cloudwatchNamespace.MatchString(c.Namespace) || strings.HasPrefix(c.Namespace, "AWS/"):
		return bad(fmt.Sprintf("%.60q is not a namespace that CloudWatch accepts", c.Namespace),
			"Give letters, digits and . - _ / #, not AWS/ at the beginning: Database/Backups.", "namespace")
	case c.CredentialsFile != "" && !filepath.IsAbs(c.CredentialsFile):
		return bad(fmt.Sprintf("%q is not an absolute path", c.CredentialsFile),
			"Give the whole path of the file, from / on.", "credentials_file")
	case len(c.Dimensions) > mostDimensions:
		return bad(fmt.Sprintf("%d are more than CloudWatch accepts", len(c.Dimensions)),
			fmt.Sprintf("Give at most %d.", mostDimensions), "dimensions")
	}
	for name, value := range c.Dimensions {
		own := slices.Contains([]string{"Instance", "Job", "Database", "Level"}, name)
		if own || !cloudwatchName.MatchString(name) || strings.TrimSpace(value) == "" {
			return bad(fmt.Sprintf("%.60q: %.60q is not a dimension that can be sent", name, value),
				"Give a name of printable ASCII other than Instance, Job, Database and Level, and a value.", "dimensions")
		}
	}
	return c, nil
}

// secret reports whether an address here holds a password.
func (m Metrics) secret() bool {
	u, err := url.Parse(m.Pushgateway)
	return err == nil && u.User != nil
}

func ofCloudWatch(value func(CloudWatch) string) func(*Config, Job) string {
	return func(c *Config, _ Job) string { return value(c.Metrics.CloudWatch) }
}

func dimensionsText(c CloudWatch) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(c.Dimensions)) {
		said = append(said, name+"="+c.Dimensions[name])
	}
	return list(said)
}

func metricRows() []settingRow {
	return []settingRow{
		{
			key: "metrics.pushgateway", topOnly: true,
			value: func(c *Config, _ Job) string { return withoutPassword(c.Metrics.Pushgateway) },
		},
		{
			key: "metrics.cloudwatch.namespace", value: ofCloudWatch(func(c CloudWatch) string { return c.Namespace }),
			topOnly: true,
		},
		{key: "metrics.cloudwatch.region", value: ofCloudWatch(func(c CloudWatch) string { return c.Region }), topOnly: true},
		{key: "metrics.cloudwatch.dimensions", value: ofCloudWatch(dimensionsText), topOnly: true},
		{
			key: "metrics.cloudwatch.credentials_file", topOnly: true,
			value: ofCloudWatch(func(c CloudWatch) string { return c.CredentialsFile }),
		},
		{
			key: "metrics.cloudwatch.profile", value: ofCloudWatch(func(c CloudWatch) string { return c.Profile }),
			topOnly: true,
		},
		{key: "metrics.textfile", value: func(c *Config, _ Job) string { return c.Metrics.Textfile }, topOnly: true},
	}
}
