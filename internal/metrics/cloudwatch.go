// Amazon CloudWatch ("PutMetricData", Amazon CloudWatch API Reference).
//
// Rules: it has no arithmetic with the time of now, so ages are sent, as they are at the moment; silence is what an
// alarm there treats missing data as. BackupSuccess is 1 or 0 for each run, and is sent without dimensions too, as the
// shell script that pgbtui grew from did, so that alarms on it go on.

package metrics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// CloudWatch is one namespace of one region.
type CloudWatch struct {
	Namespace  string
	Access     s3.Access
	Dimensions map[string]string // besides Instance, Job and Database
	Host       string            // Instance of what is no job's
	Now        func() time.Time
}

// What CloudWatch allows ("PutMetricData", "Dimension").
const (
	mostData       = 500 // of one request; 1,000 are allowed, and 1 MB
	longestValue   = 1024
	cloudwatchTime = 10 * time.Second
	cloudwatchTry  = 2
)

// Name is what messages call it.
func (c CloudWatch) Name() string { return "CloudWatch " + c.Namespace }

// Send puts what the groups say.
func (c CloudWatch) Send(ctx context.Context, groups []Group) error {
	data := c.data(groups)
	if len(data) == 0 {
		return nil
	}
	cfg, err := s3.LoadConfig(ctx, c.Access)
	if err != nil {
		return fault.New(fault.Config, "metrics: load the AWS configuration for "+c.Name(),
			"Correct the AWS_* variables, the profile or the shared configuration file.", err)
	}
	client := cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) { o.RetryMaxAttempts = cloudwatchTry })
	for part := range slices.Chunk(data, mostData) {
		if err := c.put(ctx, client, part); err != nil {
			code, remedy := refusal(err)
			return fault.New(code, "metrics: put to "+c.Name(), remedy, err)
		}
	}
	return nil
}

func (c CloudWatch) put(ctx context.Context, client *cloudwatch.Client, data []types.MetricDatum) error {
	ctx, cancel := context.WithTimeout(ctx, cloudwatchTime)
	defer cancel()
	_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: &c.Namespace, MetricData: data})
	var said smithy.APIError
	if errors.As(err, &said) {
		return &answer{code: said.ErrorCode(), text: said.ErrorMessage()}
	}
	return err
}

// answer is what CloudWatch answered, without the request that the SDK's error carries.
type answer struct {
	code string
	text string
}

func (a *answer) Error() string { return fmt.Sprintf("%s: %.*s", a.code, answerLimit, a.text) }

func refusal(err error) (fault.Code, string) {
	var said *answer
	switch {
	case !errors.As(err, &said):
		return fault.Unavailable, "Check metrics.cloudwatch.region, and that CloudWatch can be reached from this host."
	case strings.Contains(said.code, "AccessDenied"), strings.Contains(said.code, "NotAuthorized"):
		return fault.NotPermitted, "Give this key the right cloudwatch:PutMetricData, as docs/iam.md#metrics has it."
	case strings.Contains(said.code, "Token"), strings.Contains(said.code, "Signature"),
		strings.Contains(said.code, "Credential"):
		return fault.NotPermitted, "Check the key that the unit has, or metrics.cloudwatch.credentials_file."
	}
	return fault.Failed, ""
}

// data is what the groups say, in CloudWatch's terms.
func (c CloudWatch) data(groups []Group) (all []types.MetricDatum) {
	for _, g := range groups {
		switch g.Part {
		case PartRun:
			all = append(all, c.ofRun(g)...)
		case PartSets:
			all = append(all, c.ofSets(g)...)
		case PartHost:
			all = append(all, c.ofHost(g)...)
		}
	}
	return all
}

func (c CloudWatch) ofRun(g Group) (all []types.MetricDatum) {
	for _, s := range g.Samples {
		if s.Metric != lastExitCode {
			continue
		}
		success := 0.0
		if code := fault.Code(s.Value); code == fault.OK || code == fault.Warnings {
			success = 1
		}
		alone := c.datum("BackupSuccess", success, types.StandardUnitCount)
		all = append(all, alone, c.datum("BackupSuccess", success, types.StandardUnitCount, c.dimensions(s)...))
	}
	return all
}

func (c CloudWatch) ofSets(g Group) (all []types.MetricDatum) {
	age := func(s Sample) float64 { return max(0, seconds(c.Now())-s.Value) }
	took := -1.0
	var of Sample
	for _, s := range unique(g.Samples) {
		dimensions := c.dimensions(s)
		switch s.Metric {
		case lastSuccess:
			all = append(all, c.datum("BackupAge", age(s), types.StandardUnitSeconds, dimensions...))
		case storedBytes:
			all = append(all, c.datum("BackupBytes", s.Value, types.StandardUnitBytes, dimensions...))
		case stageDuration:
			took = max(0, took) + s.Value
			of = s
		case provenAt:
			dimensions = append(dimensions, dimension("Level", labelOf(s, "level")))
			all = append(all, c.datum("ProofAge", age(s), types.StandardUnitSeconds, dimensions...))
		}
	}
	if took >= 0 {
		all = append(all, c.datum("BackupDuration", took, types.StandardUnitSeconds, c.dimensions(of)...))
	}
	return all
}

// ofHost has what is known of clusters, and counts problems, of each job and of the host itself, also where there is
// none: an alarm ends by a 0.
func (c CloudWatch) ofHost(g Group) (all []types.MetricDatum) {
	problems := map[string]float64{"": 0}
	of := map[string]Sample{"": {Labels: []Label{{Name: "backup_instance", Value: c.Host}}}}
	for _, s := range unique(g.Samples) {
		job := strings.Trim(labelOf(s, "backup_job")+"\x00"+labelOf(s, "database"), "\x00")
		switch s.Metric {
		case jobInfo:
			of[job] = s
			problems[job] += 0
		case clusterLoss:
			all = append(all, c.datum("ClusterLoss", s.Value, types.StandardUnitSeconds, c.ofCluster(s)...))
		case baseBackupAt:
			age := max(0, seconds(c.Now())-s.Value)
			kind := dimension("Kind", labelOf(s, "kind"))
			all = append(all, c.datum("BaseBackupAge", age, types.StandardUnitSeconds, append(c.ofCluster(s), kind)...))
		case problem:
			problems[job]++
			if _, known := of[job]; !known {
				of[job] = s
			}
		}
	}
	for _, job := range slices.Sorted(maps.Keys(problems)) {
		all = append(all, c.datum("Problems", problems[job], types.StandardUnitCount, c.dimensions(of[job])...))
	}
	return all
}

// ofCluster are whose a sample of a cluster is.
func (c CloudWatch) ofCluster(s Sample) []types.Dimension {
	return append(c.dimensions(s), dimension("Cluster", labelOf(s, "cluster")))
}

func (c CloudWatch) datum(
	name string, value float64, unit types.StandardUnit, dimensions ...types.Dimension,
) types.MetricDatum {
	return types.MetricDatum{
		MetricName: &name, Value: &value, Unit: unit, Timestamp: aws.Time(c.Now().UTC()), Dimensions: dimensions,
	}
}

// dimensions are whose a sample is.
func (c CloudWatch) dimensions(s Sample) (all []types.Dimension) {
	for _, d := range [][2]string{{"Instance", "backup_instance"}, {"Job", "backup_job"}, {"Database", "database"}} {
		if value := labelOf(s, d[1]); value != "" {
			all = append(all, dimension(d[0], value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Dimensions)) {
		all = append(all, dimension(name, c.Dimensions[name]))
	}
	return all
}

// dimension has its value as it is where CloudWatch takes that: printable ASCII.
func dimension(name, value string) types.Dimension {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) || strings.HasPrefix(value, ":") ||
		strings.TrimSpace(value) == "" {
		value = backup.EncodeName(value)
	}
	if len(value) > longestValue {
		value = value[:longestValue]
	}
	return types.Dimension{Name: &name, Value: &value}
}

func labelOf(s Sample, name string) string {
	for _, l := range s.Labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}
