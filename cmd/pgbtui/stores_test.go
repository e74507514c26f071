package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// seenThere is what was seen of the program in one store, a row of docs/stores.md.
type seenThere struct {
	lacks  []string // what config check says that the store lacks
	remain int      // uploads of a killed run that are still open in the end
}

// The whole flow in each store of another make. No night there ends with a warning for what the store lacks, and
// what is lost by it is told by config check and in the table of docs/stores.md.
func TestTheMainFlowInStoresOfOtherMakesIsAsThePageTells(t *testing.T) {
	seen := map[string]*seenThere{}
	for _, p := range s3server.Personalities() {
		seen[p.Name] = &seenThere{}
	}
	t.Run("stores", func(t *testing.T) {
		for _, p := range s3server.Personalities() {
			t.Run(p.Name, func(t *testing.T) {
				t.Parallel()
				ours := s3server.Start(t, s3server.WithPersonality(p))
				w := worldOn(t, s3suite.Store{
					Endpoint: ours.Endpoint, AccessKey: ours.AccessKey, SecretKey: ours.SecretKey, Region: ours.Region, Bucket: ours.Bucket,
				})
				w.ours = ours
				w.flow(t, p, seen[p.Name])
				seen[p.Name].remain = ours.OpenUploads(ours.Bucket)
			})
		}
	})
	var want strings.Builder
	want.WriteString("| store | lacks, by `config check` | settings | an upload that a killed run left | after |\n")
	want.WriteString("| --- | --- | --- | --- | --- |\n")
	for _, p := range s3server.Personalities() {
		want.WriteString(rowOf(p, seen[p.Name]))
	}
	if onThePage(t, "stores") != want.String() && !t.Failed() {
		t.Errorf("docs/stores.md must have, between its markers:\n%s", want.String())
	}
}

// The same in servers that others wrote, themselves and not by what is told of them.
func TestTheMainFlowInVersitygwIsAsThePageTells(t *testing.T) {
	w := worldOn(t, s3suite.StartVersity(t))
	w.flowsAsTold(t, s3server.Personality{Title: "versitygw 1.8", Source: "`make test`"})
}

func TestTheMainFlowInMinIOIsAsThePageTells(t *testing.T) {
	w := worldOn(t, s3suite.StartMinIOWithoutKeys(t))
	w.flowsAsTold(t, s3server.Personality{Title: "MinIO of February 2026", Source: "`make matrix`", SSENone: true})
}

func (w *world) flowsAsTold(t *testing.T, p s3server.Personality) {
	t.Helper()
	var seen seenThere
	w.flow(t, p, &seen)
	prefix := "postgresql/"
	for _, key := range []string{"", w.uploadKey()} { // MinIO lists the uploads of a key alone
		open, err := w.s3.Client(t).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{
			Bucket: &w.s3.Bucket, Prefix: aws.String(cmp.Or(key, prefix)),
		})
		if err != nil {
			t.Fatal(err)
		}
		seen.remain = max(seen.remain, len(open.Uploads))
	}
	if row := rowOf(p, &seen); !strings.Contains(onThePage(t, "servers"), row) && !t.Failed() {
		t.Errorf("docs/stores.md must have, between its markers:\n%s", row)
	}
}

// onThePage is a table of docs/stores.md.
func onThePage(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/stores.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- begin "+name+" -->\n")
	table, _, _ := strings.Cut(rest, "<!-- end "+name+" -->")
	return table
}

func rowOf(p s3server.Personality, seen *seenThere) string {
	lacks, left := strings.Join(seen.lacks, ", "), "the next run aborts it"
	if lacks == "" {
		lacks = "nothing"
	}
	if seen.remain > 0 {
		left = "stays until the store removes it"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", p.Title, lacks, strings.Join(settingsOf(p), ", "), left, p.Source)
}

// settingsOf are those without which the store takes no backup.
func settingsOf(p s3server.Personality) (settings []string) {
	if p.SSENone {
		settings = append(settings, "`sse: none`")
	}
	if n := p.Habits.MaxParts; n > 0 {
		settings = append(settings, fmt.Sprintf("`max_parts: %d`", n))
	}
	if p.Habits.EqualParts {
		settings = append(settings, "`equal_parts: true`")
	}
	return settings
}

// config is a file with the settings that the store needs, and more lines.
func (w *world) config(t *testing.T, p s3server.Personality, name, more string) string {
	t.Helper()
	text := "s3: {" + strings.ReplaceAll(strings.Join(settingsOf(p), ", "), "`", "") + "}\n" + more
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// flow is the main flow in the store of the world.
func (w *world) flow(t *testing.T, p s3server.Personality, seen *seenThere) {
	t.Helper()
	w.pg.Exec(t, w.db, sample)
	plain := w.config(t, p, "plain.yaml", "")
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(w.dir, "identity")
	if err := os.WriteFile(key, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed := w.config(t, p, "sealed.yaml",
		"encryption: {recipients: ["+identity.Recipient().String()+"], identity_file: "+key+"}\n"+
			"keep: {last: 1, min_good: 1, by: timer}\n")

	seen.lacks = w.lacks(t, p, plain)
	w.leaveUpload(t)
	first := w.backup(t, plain)
	const old = "20250101T020000Z-00000a"
	if err := w.plainStore(t).old(old); err != nil {
		t.Fatal(err)
	}
	second := w.backup(t, sealed)
	if list := w.run(t, 0, "list", "--config", sealed).out.String(); !strings.Contains(list, first) || !strings.Contains(list, second) {
		t.Errorf("listed:\n%s", list)
	}
	w.run(t, 0, "show", first, "--config", plain)
	w.run(t, 0, "verify", first, "--config", plain)
	w.run(t, 0, "restore", second, "--to", w.db+"_copy", "--config", sealed)
	w.run(t, 0, "prune", "--config", sealed)
	list := w.run(t, 0, "list", "--config", sealed).out.String()
	if strings.Contains(list, old) || !strings.Contains(list, first) || !strings.Contains(list, second) {
		t.Errorf("listed after prune:\n%s", list)
	}
}

// plainStore is the store as somebody sees it who sends no checksums.
func (w *world) plainStore(t *testing.T) store {
	c := w.s3.Client(t, func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	return store{c, &w.s3.Bucket}
}

// lacks are what config check says that the store lacks. It fails where the clock is off, and nowhere else.
func (w *world) lacks(t *testing.T, p s3server.Personality, config string) (lacks []string) {
	t.Helper()
	want := 0
	if p.Habits.ClockOff != 0 {
		want = 4
	}
	var checked jsonConfig
	out := w.run(t, want, "config", "check", "--json", "--config", config).out.String()
	if err := json.Unmarshal([]byte(out), &checked); err != nil {
		t.Fatal(err)
	}
	told := []string{"checksums", "conditional writes", "list of uploads", "conditional deletes", "clock"}
	for _, f := range checked.Jobs[0].Findings {
		if !slices.Contains(told, f.What) {
			continue
		}
		lacks = append(lacks, f.What)
		if f.Remedy == "" || f.Detail == "" {
			t.Errorf("%s is told without what is lost or what to do: %+v", f.What, f)
		}
	}
	return lacks
}

// backup is a run that ends with 0, and the ID of its set.
func (w *world) backup(t *testing.T, config string) string {
	t.Helper()
	var done struct {
		Set struct {
			ID string `json:"id"`
		} `json:"set"`
	}
	if err := json.Unmarshal([]byte(w.run(t, 0, "--headless", "--json", "--config", config).out.String()), &done); err != nil {
		t.Fatal(err)
	}
	return done.Set.ID
}

// leaveUpload is what a run leaves that was killed while it uploaded its dump.
func (w *world) leaveUpload(t *testing.T) {
	t.Helper()
	key := w.uploadKey()
	_, err := w.s3.Client(t).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &w.s3.Bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) uploadKey() string {
	host, _, _ := strings.Cut(hostname(), ".")
	return "postgresql/" + host + "/" + w.db + "/20200101T000000Z-000000/dump.pgc.zst"
}
