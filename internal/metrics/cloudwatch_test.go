package metrics

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// cloud stands in CloudWatch's place: it checks each request's signature and keeps what was put.
type cloud struct {
	url      string
	requests int
	data     map[string]string // "Metric Dim=value,…" → "value unit"
	bad      []string
	answer   func(http.ResponseWriter) // instead of taking it; nil: takes it
}

var cloudKey = s3server.Credential{AccessKey: "AKIACLOUD", SecretKey: "canary/secret"}

func newCloud(t *testing.T) (*cloud, CloudWatch) {
	t.Helper()
	c := &cloud{data: map[string]string{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_CLOUDWATCH": server.URL, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	file := filepath.Join(t.TempDir(), "key")
	text := "[default]\naws_access_key_id = " + cloudKey.AccessKey + "\naws_secret_access_key = " + cloudKey.SecretKey + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return c, CloudWatch{
		Namespace: "Database/Backups", Access: s3.Access{Region: "eu-central-1", CredentialsFile: file}, Host: "db1",
		Dimensions: map[string]string{"Team": "data"}, Now: func() time.Time { return backuptest.Epoch },
	}
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.requests++
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = s3server.Signed(r, body, cloudKey, "eu-central-1", "monitoring")
	}
	if err == nil {
		err = c.take(r, body)
	}
	if err != nil {
		c.bad = append(c.bad, err.Error())
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	if c.answer != nil {
		c.answer(w)
		return
	}
	_, _ = w.Write(cbor.Encode(cbor.Map{}))
}

func (c *cloud) take(r *http.Request, body []byte) error {
	if !strings.HasSuffix(r.URL.Path, "/operation/PutMetricData") || r.Method != http.MethodPost {
		return fmt.Errorf("%s %s", r.Method, r.URL.Path)
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(unpacked); err != nil {
			return err
		}
	}
	value, err := cbor.Decode(body)
	if err != nil {
		return fmt.Errorf("%w: %.100q", err, body)
	}
	request := value.(cbor.Map)
	if request["Namespace"] != cbor.String("Database/Backups") {
		return fmt.Errorf("namespace %v", request["Namespace"])
	}
	for _, one := range request["MetricData"].(cbor.List) {
		datum := one.(cbor.Map)
		at, err := cbor.AsTime(datum["Timestamp"])
		if err != nil || !at.Equal(backuptest.Epoch) {
			return fmt.Errorf("at %v: %w", at, err)
		}
		name := string(datum["MetricName"].(cbor.String))
		var dimensions []string
		given, _ := datum["Dimensions"].(cbor.List)
		for _, d := range given {
			dimensions = append(dimensions, fmt.Sprintf("%s=%s", d.(cbor.Map)["Name"], d.(cbor.Map)["Value"]))
		}
		number, err := cbor.AsFloat64(datum["Value"])
		if err != nil {
			return err
		}
		key := strings.TrimSpace(name + " " + strings.Join(dimensions, ","))
		if _, twice := c.data[key]; twice {
			return fmt.Errorf("%s was put twice", key)
		}
		c.data[key] = fmt.Sprintf("%g %s", number, datum["Unit"])
	}
	return nil
}

func (c *cloud) has(t *testing.T, want map[string]string) {
	t.Helper()
	if len(c.bad) > 0 || !maps.Equal(c.data, want) {
		t.Errorf("%q\ngot  %q\nwant %q", c.bad, c.data, want)
	}
}

func TestCloudWatchGetsAgesAndTheArticlesMetricSigned(t *testing.T) {
	c, to := newCloud(t)
	job := config.Job{Name: "nightly", Database: "d", Instance: "i"}
	who := WhoOf(job)
	host := Group{Part: PartHost, Samples: append(Expected(who, Objective{RPO: time.Hour}),
		Problem(who, "proof", "warning"), Problem(who, "timer", "critical"), Watched(at))}
	groups := []Group{Run(who, at, 3), host, Sets(job, []backup.Set{
		backuptest.Old(1, backuptest.By("nightly"), measured, backuptest.Proven(backup.LevelRestored, true)),
	}, nil)}
	if err := to.Send(t.Context(), groups); err != nil {
		t.Fatal(err)
	}
	own := " Instance=i,Job=nightly,Database=d,Team=data"
	c.has(t, map[string]string{
		"BackupSuccess": "1 Count", "BackupSuccess" + own: "1 Count", "Problems" + own: "2 Count",
		"Problems Instance=db1,Team=data": "0 Count", "BackupAge" + own: "86400 Seconds", "BackupBytes" + own: "750 Bytes",
		"BackupDuration" + own:               "13.5 Seconds",
		"ProofAge" + own + ",Level=readable": "86400 Seconds", "ProofAge" + own + ",Level=restored": "86400 Seconds",
	})
}

func TestDatabasesOfOneJobHaveTheirOwnMetrics(t *testing.T) {
	c, to := newCloud(t)
	to.Dimensions = nil
	hr, shop := Who{Job: "all", Database: "hr", Instance: "i"}, Who{Job: "all", Database: "shop", Instance: "i"}
	host := Group{Part: PartHost, Samples: append(Expected(hr, Objective{RPO: 1}), Expected(shop, Objective{RPO: 1})...)}
	host.Samples = append(host.Samples, Problem(shop, "backup", "critical"))
	if err := to.Send(t.Context(), []Group{host, Run(Who{Job: "all", Instance: "i"}, at, 0)}); err != nil {
		t.Fatal(err)
	}
	c.has(t, map[string]string{
		"Problems Instance=db1": "0 Count", "Problems Instance=i,Job=all,Database=hr": "0 Count",
		"Problems Instance=i,Job=all,Database=shop": "1 Count",
		"BackupSuccess": "1 Count", "BackupSuccess Instance=i,Job=all": "1 Count",
	})
}

func TestAFailedRunIsZeroAndANameThatCloudWatchRefusesIsEncoded(t *testing.T) {
	c, to := newCloud(t)
	to.Dimensions = nil
	if err := to.Send(t.Context(), []Group{Run(Who{Job: "Straße\n", Instance: ":x"}, at, 69)}); err != nil {
		t.Fatal(err)
	}
	c.has(t, map[string]string{"BackupSuccess": "0 Count", "BackupSuccess Instance=%3Ax,Job=Stra%C3%9Fe%0A": "0 Count"})
}

func TestALookAtManyJobsIsSentInPartsThatCloudWatchTakes(t *testing.T) {
	c, to := newCloud(t)
	host := Group{Part: PartHost}
	for i := range 1200 {
		host.Samples = append(host.Samples, Expected(Who{Job: fmt.Sprint("job", i), Instance: "i"}, Objective{RPO: 1})...)
	}
	if err := to.Send(t.Context(), []Group{host}); err != nil {
		t.Fatal(err)
	}
	if len(c.bad) > 0 || len(c.data) != 1201 || c.requests != 3 {
		t.Errorf("%q, %d data in %d requests", c.bad, len(c.data), c.requests)
	}
}

func TestARefusalOfCloudWatchSaysWhatToDoAndNoSecret(t *testing.T) {
	c, to := newCloud(t)
	refuse := func(status int, code, message string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws#" + code), "message": cbor.String(message)}))
		}
	}
	for _, one := range []struct {
		answer func(http.ResponseWriter)
		code   fault.Code
		text   string
		remedy string
	}{
		{refuse(403, "AccessDeniedException", "not authorized to perform: cloudwatch:PutMetricData"), fault.NotPermitted, "AccessDenied", "docs/iam.md#metrics"},
		{refuse(403, "InvalidClientTokenId", "the token is not valid "+strings.Repeat("x", 5000)), fault.NotPermitted, "InvalidClientTokenId", "key"},
		{refuse(400, "InvalidParameterValue", "no"), fault.Failed, "InvalidParameterValue: no", ""},
		{func(w http.ResponseWriter) { w.WriteHeader(500) }, fault.Unavailable, "500", "reached"},
	} {
		c.answer = one.answer
		err := to.Send(t.Context(), []Group{Run(Who{Job: "a"}, at, 0)})
		text := fmt.Sprint(err)
		if fault.CodeOf(err) != one.code || !strings.Contains(text, one.text) || !strings.Contains(fault.Remedy(err), one.remedy) || strings.Contains(text, "canary") || len(text) > 700 {
			t.Errorf("%d %s (%s)", fault.CodeOf(err), text, fault.Remedy(err))
		}
	}
	t.Setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:1")
	if err := to.Send(t.Context(), []Group{Run(Who{Job: "a"}, at, 0)}); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(fault.Remedy(err), "region") {
		t.Errorf("%v", err)
	}
	to.Access.CredentialsFile = "/nonexistent"
	if err := to.Send(t.Context(), []Group{Run(Who{Job: "a"}, at, 0)}); err == nil {
		t.Error("sent without a key")
	}
}

func TestThisTestsOwnCloudWatchRefusesAnotherKey(t *testing.T) {
	c, to := newCloud(t)
	text := "[default]\naws_access_key_id = " + cloudKey.AccessKey + "\naws_secret_access_key = another\n"
	if err := os.WriteFile(to.Access.CredentialsFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := to.Send(t.Context(), []Group{Run(Who{Job: "a"}, at, 0)}); err != nil || len(c.bad) != 1 || len(c.data) != 0 {
		t.Errorf("%v, %q, %q", err, c.bad, c.data)
	}
}

func TestNothingIsSentWhereThereIsNothingToSay(t *testing.T) {
	c, to := newCloud(t)
	if err := to.Send(t.Context(), nil); err != nil || c.requests != 0 {
		t.Errorf("%v, %d requests", err, c.requests)
	}
	if err := to.Send(t.Context(), []Group{Sets(config.Job{Name: "a"}, nil, nil)}); err != nil || c.requests != 0 {
		t.Errorf("%v, %d requests", err, c.requests)
	}
}
