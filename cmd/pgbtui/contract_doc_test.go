package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// documents are all that --json can print, by their names in docs/json.md.
func documents() map[string]any {
	return map[string]any{
		"backup": jsonRun{}, "list": jsonList{}, "show": jsonShow{}, "verify": jsonVerify{},
		"drill": jsonDrill{}, "verify --unproven": jsonVerifySeveral{}, "restore": jsonRestore{},
		"thaw": jsonThaw{}, "restore undo": jsonSwap{},
		"restore --check": jsonChecks{}, "prune": jsonPrune{}, "hold": jsonHeld{}, "status": jsonStatus{},
		"watch": jsonWatch{}, "alert test": jsonAlertTest{}, "units install": jsonReport{},
		"units print": jsonUnits{}, "config check": jsonConfig{}, "doctor": jsonDoctor{}, "doctor key": jsonDoctorKey{}, "config show": jsonSettings{},
		"aws policy":      jsonAWSPolicy{},
		"copy":            jsonCopy{},
		"aws bucket plan": jsonBuckets{},
		"cost":            jsonCost{},
		"cluster status":  jsonClusters{}, "cluster setup": jsonClusterSetup{}, "cluster backup": jsonClusterBackup{},
		"cluster check": jsonClusterCheck{}, "cluster verify": jsonClusterVerify{},
		"cost refresh": jsonRefresh{},
		"jobs":         jsonJobs{},
		"jobs sync":    jsonSync{},
		"init":         jsonInit{},
		"kit":          jsonKit{}, "version": jsonVersion{}, "error": jsonError{},
		"cluster restore": jsonClusterRestore{}, "cluster copies": jsonClusterCopies{}, "cluster look": jsonClusterLook{},
		"cluster extract": jsonClusterExtract{}, "cluster discard": jsonClusterCopyDone{},
		"cluster drill": jsonClusterDrill{}, "cluster sweep": jsonClusterSweep{},
		"backup of several": jsonRunSeveral{}, "prune of several": jsonPruneSeveral{}, "drill of several": jsonDrillSeveral{},
	}
}

// parts are the types that documents are made of.
func parts() map[string]any {
	return map[string]any{
		"backed-up": jsonRunOne{}, "gone": jsonGoneOne{}, "pruned": jsonPrunedOne{}, "drilled": jsonDrilledOne{},
		"estimate": jsonEstimate{}, "drill-facts": backup.DrillFacts{}, "drill-extension": backup.DrillExtension{},
		"fault": jsonFault{}, "set": jsonSet{}, "table": jsonTable{}, "decision": jsonDecision{},
		"hidden": jsonHidden{}, "leftover": jsonLeftover{}, "held": jsonHold{}, "archive": jsonArchive{}, "failure": jsonWrong{},
		"job-state": jsonState{},
		"job":       jsonJob{}, "job-settings": jsonJobSettings{}, "setting": jsonSetting{},
		"watched-job": jsonWatched{}, "watched-cluster": jsonWatchedCluster{}, "problem": jsonProblem{}, "channel": jsonChannel{},
		"init-database": jsonInitDatabase{},
		"finding":       jsonFinding{}, "unit-file": jsonUnitFile{}, "step": systemd.Step{},
		"check":  restore.Check{},
		"unmade": postgres.Unmade{}, "difference": jsonDifference{},
		"portion": restore.Portion{}, "item": restore.Item{},
		"proof": backup.Proof{}, "sample": backup.Sample{}, "verification": jsonVerification{},
		"stage-time": backup.StageTime{}, "manifest": backup.Manifest{}, "server": backup.Server{},
		"previous": backup.Previous{},
		"job-cost": jsonJobCost{}, "class-cost": jsonClassCost{}, "month-cost": jsonMonthCost{},
		"cluster-state": jsonCluster{}, "window": jsonWindow{}, "gap": jsonGap{}, "base-backup": jsonBaseBackup{},
		"past-month": jsonPastCost{},
		"price-list": jsonPriceList{}, "price-change": jsonPriceChange{},
		"cluster-proof": jsonClusterProof{}, "drilled-database": jsonDrilledDatabase{},
		"cluster-problem": jsonClusterProblem{}, "copy-plan": jsonClusterPlan{}, "cluster-copy": jsonClusterCopy{},
		"wal-end": jsonWALEnd{}, "copy-database": jsonClusterDatabase{}, "copy-table": jsonClusterRows{},
		"kit-job": jsonKitJob{}, "kit-place": jsonKitPlace{}, "kit-key": jsonKitKey{}, "kit-set": jsonKitSet{},
		"sync-timer": jsonSyncTimer{}, "timing": jsonTiming{}, "clock-change": jsonClockChange{}, "overlap": jsonOverlap{},
		"removed-job": jsonRemovedJob{},
		"job-row":     jsonJobRow{}, "uncovered": jsonUncovered{},
		"bucket": jsonBucket{}, "bucket-change": jsonBucketChange{}, "bucket-conflict": jsonBucketConflict{},
		"doctor-report": doctor.Report{}, "doctor-finding": doctor.Finding{}, "doctor-look": doctor.Look{},
		"copy-place": jsonCopyPlace{}, "copied": jsonCopied{}, "copy-left-out": jsonCopyLeftOut{}, "copy-failed": jsonCopyFailed{},
		"set-copy": jsonSetCopy{}, "state-copy": jsonStateCopy{},
		"policy": iam.Policy{}, "statement": iam.Statement{},
		"compression": backup.Compression{}, "level-frames": sealed.LevelFrames{},
		"summary": backup.Summary{}, "encryption": backup.Encryption{}, "object": backup.Object{},
		"partial": backup.Partial{},
	}
}

func TestEveryFieldOfTheJSONIsDocumentedAndEveryDocumentedFieldExists(t *testing.T) {
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]any{}
	names := map[reflect.Type]string{}
	for name, v := range parts() {
		known[name], names[reflect.TypeOf(v)] = v, name
	}
	for name, v := range documents() {
		known[name] = v
		names[reflect.TypeOf(v)] = name
	}
	for name, v := range known {
		part := c[name]
		if part == nil {
			t.Errorf("docs/json.md has no `### %s`", name)
			continue
		}
		compareFields(t, name, part, goFields(t, reflect.TypeOf(v), names))
	}
	for name := range c {
		if known[name] == nil {
			t.Errorf("docs/json.md documents %q, which nothing prints", name)
		}
	}
}

func compareFields(t *testing.T, name string, part *docPart, want []docField) {
	t.Helper()
	have := map[string]docField{}
	for _, f := range part.fields {
		have[f.name] = f
	}
	for _, f := range want {
		if got, ok := have[f.name]; !ok {
			t.Errorf("%s: the field %s is not documented: %+v", name, f.name, f)
		} else if got != f {
			t.Errorf("%s: documented is %+v, the program has %+v", name, got, f)
		}
		delete(have, f.name)
	}
	for field := range have {
		t.Errorf("%s: documented is %s, which the program does not have", name, field)
	}
}

// goFields says of a struct what its table must say. Lists that are not left out when empty are
// never null: what is printed is held against that by the scripts.
func goFields(t *testing.T, structure reflect.Type, names map[reflect.Type]string) (fields []docField) {
	t.Helper()
	for i := range structure.NumField() {
		if !structure.Field(i).IsExported() {
			continue
		}
		tag, options, _ := strings.Cut(structure.Field(i).Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			t.Errorf("%s.%s has no name in JSON", structure, structure.Field(i).Name)
			continue
		}
		kind, of := structure.Field(i).Type, ""
		f := docField{name: tag, absent: options == "omitempty"}
		if kind.Kind() == reflect.Pointer {
			kind, f.null = kind.Elem(), !f.absent
		}
		if kind.Kind() == reflect.Slice {
			kind, of = kind.Elem(), "list of "
			f.null = structure == reflect.TypeFor[jsonShow]() && tag == "tables" // the one list that can be unknown
		}
		f.kind = of + goKind(kind, names)
		fields = append(fields, f)
	}
	return fields
}

func goKind(kind reflect.Type, names map[reflect.Type]string) string {
	if kind == reflect.TypeFor[time.Time]() {
		return "time"
	}
	switch kind.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Map:
		return "object"
	}
	return names[kind]
}

func TestEveryExampleOfTheJSONIsWhatItsTableSays(t *testing.T) {
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	for name := range documents() {
		part := c[name]
		if part == nil || part.example == "" {
			t.Errorf("%s has no example", name)
			continue
		}
		if err := c.check(name, []byte(part.example)); err != nil {
			t.Errorf("the example of %s: %v", name, err)
		}
	}
}

func TestTheContractFindsWhatDoesNotFit(t *testing.T) {
	c, err := parseContract("### thing\n| `a` | integer |  |  | x |\n| `b` | list of [part](#part) |  | null: x | x |\n" +
		"| `c` | time |  | absent: x | x |\n### part\n| `d` | string |  |  | x |\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range []string{`{"a":1,"b":null}`, `{"a":1,"b":[{"d":"x"}],"c":"2026-11-22T02:00:00Z"}`} {
		if err := c.check("thing", []byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		`{"a":1}`, `{"a":1.5,"b":null}`, `{"a":null,"b":null}`, `{"a":1,"b":[{}]}`, `{"a":1,"b":null,"z":1}`,
		`{"a":1,"b":null}{}`, `{"a":1,"b":null,"c":"2026-11-22T02:00:00+01:00"}`, `[]`, `x`,
	} {
		if c.check("thing", []byte(bad)) == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}
