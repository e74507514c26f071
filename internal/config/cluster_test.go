package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

const clusterStore = "s3: {bucket: backups, region: eu-central-1}\ninstance: db1\n"

func TestAClusterTakesItsStoreFromAllJobsAndItsOwnPath(t *testing.T) {
	c, err := load(t, clusterStore+`clusters:
  main: {cluster: 15/main, keep: {full: 4}}
  old:
    data_directory: /srv/pg/old/
    port: 5433
    stanza: Legacy
    rpo: 1h
    s3: {bucket: other, path: /wal/old/, endpoint: "https://store:9000", ca_file: /etc/ssl/own.pem, verify_tls: false}
  theirs: {cluster: 15/theirs, config: /etc/pgbackrest.conf, proof_objective: 14d, rto: 1h, drill: {amcheck: true, at: /srv}}
jobs:
  shop: {}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	main, old, theirs := c.Clusters[0], c.Clusters[1], c.Clusters[2]
	if main.Repository.Path != "pitr/db1/main" || main.Repository.S3.Bucket != "backups" || main.Stanza != "main" ||
		main.Keep.Full != 4 || main.RPO != 10*time.Minute {
		t.Errorf("main is %+v", main)
	}
	if old.Repository.Path != "wal/old" || old.Repository.S3.Bucket != "other" || old.DataDirectory != "/srv/pg/old" ||
		!old.Repository.SkipVerify || old.Keep.Full != 2 || old.RPO != time.Hour || old.Stanza != "Legacy" {
		t.Errorf("old is %+v", old)
	}
	if theirs.ProofWithin != 14*24*time.Hour || theirs.RTO != time.Hour || theirs.Drill != (ClusterDrill{Amcheck: true, At: "/srv"}) {
		t.Errorf("theirs is %+v", theirs)
	}
	if !theirs.OnlyRead() || theirs.Repository != (Repository{}) {
		t.Errorf("theirs is %+v", theirs)
	}
	if _, err := c.Cluster("main"); err != nil {
		t.Error(err)
	}
	if _, err := c.Cluster("gone"); err == nil || !strings.Contains(err.Error(), "there are main, old, theirs") {
		t.Errorf("gone: %v", err)
	}
	if _, err := c.Cluster(""); err == nil || !strings.Contains(err.Error(), "several clusters") {
		t.Errorf("none named: %v", err)
	}
}

func TestAClusterOfWALGHasItsFileAndKeepsNothingUnlessToldTo(t *testing.T) {
	c, err := load(t, `clusters:
  all: {cluster: 15/all, engine: wal-g, config: /var/lib/postgresql/.walg.json}
  some: {cluster: 15/some, engine: wal-g, config: /etc/wal-g.env, keep: {full: 3}}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, some := c.Clusters[0], c.Clusters[1]
	if all.Engine != EngineWALG || !all.OnlyRead() || all.Stanza != "" || all.Keep != (ClusterKeep{}) || some.Keep.Full != 3 {
		t.Errorf("%+v, %+v", all, some)
	}
}

func TestAConfigurationOfClustersAloneNeedsNoJob(t *testing.T) {
	c, err := load(t, "clusters: {main: {cluster: 15/main, config: /etc/pgbackrest.conf}}\n", nil)
	if err != nil || len(c.Clusters) != 1 || len(c.Jobs) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if one, err := c.Cluster(""); err != nil || one.Name != "main" {
		t.Errorf("the only one: %+v, %v", one, err)
	}
}

func TestAClusterThatCannotWorkIsRefusedAtItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"m: {}":                    "nothing says which server",
		"Main: {cluster: 15/main}": "not a name for a cluster",
		"m: {cluster: main}":       "not a cluster's version and name",
		"m: {cluster: 15/main, data_directory: /x}":                                                         "both `cluster` and `data_directory`",
		"m: {cluster: 15/main, port: 5433}":                                                                 "a port beside `cluster`",
		"m: {data_directory: x}":                                                                            "not the whole path of a folder",
		"m: {data_directory: '/x/%i'}":                                                                      "not the whole path of a folder",
		"m: {data_directory: /x, port: eins}":                                                               "not a port",
		"m: {data_directory: /x, host: db.example.org}":                                                     "not the folder of a socket",
		"m: {cluster: 15/main, engine: wal-g}":                                                              "which pgbtui does not set up",
		"m: {cluster: 15/main, engine: wal-g, config: /x, stanza: m}":                                       "not a setting of wal-g",
		"m: {cluster: 15/main, engine: wal-g, config: /x, keep: {diff: 1}}":                                 "not a setting of wal-g",
		"m: {cluster: 15/main, engine: wal-g, config: /x, keep: {full: -1}}":                                "not a number of backups",
		"m: {cluster: 15/main, engine: wal-g, config: /x, s3: {bucket: abc}}":                               "cannot be set beside `config`",
		"m: {cluster: 15/main, engine: wal-g, config: /x}\n  n: {cluster: 15/n, engine: wal-g, config: /x}": "is that of cluster",
		"m: {cluster: 15/main, engine: barman}":                                                             `"barman" is not supported`,
		"m: {cluster: 15/main, stanza: 'a b'}":                                                              "not a stanza's name",
		"m: {cluster: 15/main, keep: {full: -1}}":                                                           "not a number of backups",
		"m: {cluster: 15/main, drill: {at: srv}}":                                                           "not the whole path of a folder",
		"m: {cluster: 15/main, keep: {days: 1}}":                                                            `unknown key "days"`,
		"m: {cluster: 15/main, config: etc/x}":                                                              "not the whole path of a file",
		"m: {cluster: 15/main, config: /x, keep: {full: 1}}":                                                "cannot be set beside `config`",
		"m: {cluster: 15/main, config: /x, s3: {bucket: abc}}":                                              "cannot be set beside `config`",
		"m: {cluster: 15/main, s3: {bucket: A_b}}":                                                          "not a bucket's name",
		"m: {cluster: 15/main, s3: {path: a//b}}":                                                           "cannot be the engine's folder",
		"m: {cluster: 15/main, s3: {path: ../b}}":                                                           "cannot be the engine's folder",
		"m: {cluster: 15/main, instance: 'über'}":                                                           "cannot be the engine's folder",
		"m: {cluster: 15/main, s3: {endpoint: 'http://store'}}":                                             "unencrypted",
		"m: {cluster: 15/main, s3: {endpoint: 'https://store/x'}}":                                          "not the address of a store",
		"m: {cluster: 15/main, s3: {path: postgresql/pitr}}":                                                "where the sets of job",
		"m: {cluster: 15/main, s3: {path: postgresql}}":                                                     "where the sets of job",
		"m: {cluster: 15/main}\n  n: {cluster: 15/main}":                                                    "the same server as cluster",
		"m: {cluster: 15/main, s3: {path: p}}\n  n: {cluster: 15/n, s3: {path: p/q}}":                       "the place of cluster",
	} {
		_, err := load(t, clusterStore+"clusters:\n  "+text+"\njobs:\n  shop: {}\n", nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "config.yaml:") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := load(t, "instance: db1\nclusters: {m: {cluster: 15/main}}\n", nil); err == nil || !strings.Contains(err.Error(), "no bucket") {
		t.Errorf("no bucket: %v", err)
	}
	if _, err := load(t, "s3: {bucket: abc}\nclusters: {m: {cluster: 15/main}}\n", nil); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Errorf("no region: %v", err)
	}
}

func TestSetsAtTheBucketsRootAndAClusterInItAreRefused(t *testing.T) {
	for _, prefix := range []string{"/", "pitr", "pitr/db1", "pitr/db1/m/archive"} {
		_, err := load(t, "s3: {bucket: abc, region: r}\ninstance: db1\nclusters: {m: {cluster: 15/main}}\njobs: {shop: {s3: {prefix: "+prefix+"}}}\n", nil)
		if err == nil || !strings.Contains(err.Error(), "where the sets of job") {
			t.Errorf("%s: %v", prefix, err)
		}
	}
}

func TestCopiesOfSetsAroundAClusterAreRefused(t *testing.T) {
	_, err := load(t, "s3: {bucket: abc, region: r}\ninstance: db1\n"+
		"clusters: {m: {cluster: 15/main, s3: {bucket: second}}}\n"+
		"jobs: {shop: {copies: [{name: far, s3: {bucket: second, prefix: pitr}}]}}\n", nil)
	if err == nil || !strings.Contains(err.Error(), "where the sets of job") {
		t.Errorf("a copy around a cluster: %v", err)
	}
}

func TestTheReferenceHasEveryKeyOfACluster(t *testing.T) {
	reference, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range fileKeys(reflect.TypeFor[fileCluster](), "") {
		if !strings.Contains(string(reference), "\n| `"+key+"` |") {
			t.Errorf("docs/configuration.md has no row for %s of a cluster", key)
		}
	}
}
