package config

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const twoCopies = `s3: {bucket: main-bucket, region: eu-central-1}
keep: {days: 30}
copies:
  - {name: other-region, s3: {bucket: second-bucket, region: eu-west-1}}
  - {name: vault, s3: {bucket: third-bucket, prefix: deep/er, storage_class: GLACIER_IR, sse: "aws:kms"}, keep: {days: 400}, late_after: 3d}
jobs:
  shop: {database: shop}
  logs: {database: logs, copies: []}
  crm: {database: crm, copies: [{name: vault, s3: {bucket: crm-vault}}]}
`

func TestAJobAtACopyHasTheCopysPlaceAndRules(t *testing.T) {
	c, err := load(t, twoCopies, map[string]string{"RETENTION_DAYS": ""})
	if err != nil {
		t.Fatal(err)
	}
	shop, err := c.Job("shop")
	if err != nil || len(shop.Copies) != 2 {
		t.Fatalf("%+v, %v", shop.Copies, err)
	}
	first, ok := shop.AtCopy("other-region")
	if !ok || first.S3.Bucket != "second-bucket" || first.S3.Prefix != "postgresql" || first.S3.Region != "eu-west-1" ||
		first.Keep.Days != 30 || first.Copy != "other-region" || first.Database != "shop" {
		t.Errorf("what a copy does not say is the job's: %+v", first)
	}
	vault, ok := shop.AtCopy("vault")
	if !ok || vault.S3.Prefix != "deep/er" || vault.S3.StorageClass != "GLACIER_IR" || vault.Keep.Days != 400 ||
		vault.Keep.MinGood != 3 || shop.Copies[1].LateAfter != 72*time.Hour || shop.Copies[0].LateAfter != 26*time.Hour {
		t.Errorf("%+v", vault)
	}
	logs, err := c.Job("logs")
	if err != nil || len(logs.Copies) != 0 {
		t.Errorf("an empty list in a job is no copy: %+v, %v", logs.Copies, err)
	}
	at, err := c.From("vault")
	if err != nil || len(at.Jobs) != 2 || at.Jobs[0].S3.Bucket != "crm-vault" || at.Jobs[1].S3.Bucket != "third-bucket" {
		t.Errorf("jobs at the copy: %+v, %v", at, err)
	}
	if names := c.CopyNames(); strings.Join(names, " ") != "vault other-region" {
		t.Errorf("names %q", names)
	}
	if _, err := c.From("nowhere"); fault.CodeOf(err) != fault.Config || !strings.Contains(fault.Remedy(err), "vault") {
		t.Errorf("an unknown copy: %v, %s", err, fault.Remedy(err))
	}
	if main, err := c.From(""); err != nil || main != c {
		t.Errorf("no name is the main place: %v", err)
	}
}

// The daily life of another place must not follow a variable that is meant for the sets' own.
func TestVariablesOfTheMainPlaceDoNotMoveACopy(t *testing.T) {
	c, err := load(t, twoCopies, map[string]string{
		"S3_BUCKET": "from-the-shell", "AWS_REGION": "us-east-1", "RETENTION_DAYS": "2",
	})
	if err != nil {
		t.Fatal(err)
	}
	shop, _ := c.Job("shop")
	vault, _ := shop.AtCopy("vault")
	other, _ := shop.AtCopy("other-region")
	if vault.S3.Bucket != "third-bucket" || vault.Keep.Days != 400 || other.S3.Region != "eu-west-1" || other.Keep.Days != 2 {
		t.Errorf("%+v, %+v", vault.S3, other)
	}
}

func TestACopyThatIsNoneIsRefused(t *testing.T) {
	const main = "s3: {bucket: main-bucket}\ndatabase: shop\ncopies:\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"the very same place":      {main + "  - {name: a, s3: {bucket: main-bucket}}\n", `copy "a" is where the sets are already`},
		"two of one place":         {main + "  - {name: a, s3: {bucket: other}}\n  - {name: b, s3: {bucket: other}}\n", `copies "a" and "b" are one place`},
		"two of one name":          {main + "  - {name: a, s3: {bucket: one}}\n  - {name: a, s3: {bucket: two}}\n", `two copies are called "a"`},
		"no name":                  {main + "  - {s3: {bucket: other}}\n", `"" is not a name of a copy`},
		"a name for another place": {main + "  - {name: ../a, s3: {bucket: other}}\n", `"../a" is not a name of a copy`},
		"no bucket":                {main + "  - {name: a}\n", `copy "a" names no bucket`},
		"a bucket's address":       {main + "  - {name: a, s3: {bucket: \"s3://x\"}}\n", `copy "a": s3.bucket: "s3://x" is not a bucket's name`},
		"a key that is none":       {main + "  - {name: a, s3: {bucket: other, object_lock: {days: 1}}}\n", `unknown key "object_lock"`},
		"a wrong rule":             {main + "  - {name: a, s3: {bucket: other}, keep: {days: 0}}\n", `"0" is not a whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.yaml, nil)
			if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "yaml:") {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
		})
	}
}
