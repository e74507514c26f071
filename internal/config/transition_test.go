package config

import (
	"strings"
	"testing"
)

func TestATransitionIsTheJobsOrTheTops(t *testing.T) {
	c, err := load(t, "s3: {bucket: backups, transition: {class: GLACIER_IR, days: 60}}\njobs:\n  a: {}\n  b: {s3: {transition: {class: none}}}\n  c: {s3: {transition: {class: DEEP_ARCHIVE}}}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Transition{{Class: "GLACIER_IR", Days: 60}, {}, {Class: "DEEP_ARCHIVE", Days: 60}}
	for i, j := range c.Jobs {
		if j.Transition != want[i] {
			t.Errorf("%s: %+v", j.Name, j.Transition)
		}
	}
	if got := want[0].String() + want[1].String(); got != "GLACIER_IR after 60 days" {
		t.Error(got)
	}
}

func TestATransitionThatS3DoesNotMakeIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"transition: {class: COLD, days: 30}":                                 `class "COLD" is not known`,
		"transition: {class: STANDARD, days: 30}":                             `class "STANDARD" is not known`,
		"transition: {class: GLACIER}":                                        "0 days",
		"transition: {days: 30}":                                              `class "" is not known`,
		"transition: {class: GLACIER, days: 36501}":                           "36501 days",
		"transition: {class: ONEZONE_IA, days: 29}":                           "ONEZONE_IA after 29 days",
		"storage_class: GLACIER_IR, transition: {class: GLACIER_IR, days: 1}": "stored in GLACIER_IR, and cannot be moved to GLACIER_IR",
		"storage_class: GLACIER, transition: {class: GLACIER_IR, days: 1}":    "stored in GLACIER, and cannot be moved",
		"transition: {class: STANDARD_IA, days: 30}":                          "stored in STANDARD_IA",
	} {
		_, err := load(t, "s3: {bucket: backups, "+text+"}\njobs:\n  a: {}\n", nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "transition") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := load(t, "s3: {bucket: backups, endpoint: 'https://store', storage_class: COLDLINE, transition: {class: GLACIER, days: 1}}\njobs:\n  a: {}\n", nil); err != nil {
		t.Errorf("a class of another store: %v", err)
	}
}
