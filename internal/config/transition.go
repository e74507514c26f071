package config

import (
	"fmt"
	"slices"
	"strings"
)

// Transition is the storage class into which the store itself moves dumps when they are some days old, by a lifecycle
// rule that `pgbtui aws bucket apply` puts. The zero value moves nothing.
type Transition struct {
	Class string
	Days  int
}

// String is the transition in words, or "".
func (t Transition) String() string {
	if t.Class == "" {
		return ""
	}
	return fmt.Sprintf("%s after %d days", t.Class, t.Days)
}

// fileTransition is s3.transition in the file. A job turns off the top's by class: none.
type fileTransition struct {
	Class string `yaml:"class"`
	Days  count  `yaml:"days"`
}

// storageClasses are AWS's in the only order in which a lifecycle rule can move objects ("Transitioning objects using
// Amazon S3 Lifecycle").
func storageClasses() []string {
	return []string{
		"STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE",
	}
}

const (
	longestTransition = 36500
	// daysBeforeIA is S3's own bound for rules into the classes of infrequent access.
	daysBeforeIA = 30
)

func (l loader) transition(name, storedIn string, f fileTransition) (Transition, error) {
	path := []string{"s3", "transition"}
	classes := storageClasses()[1:]
	switch {
	case f.Class == "none", f.Class == "" && f.Days == 0:
		return Transition{}, nil
	case !slices.Contains(classes, f.Class):
		return Transition{}, l.problem(name, fmt.Sprintf("class %q is not known", f.Class),
			"Choose "+strings.Join(classes, ", ")+" or none.", append(path, "class")...)
	case f.Days == 0 || f.Days > longestTransition:
		return Transition{}, l.problem(name, fmt.Sprintf("%d days", f.Days),
			"Say after how many days dumps are moved, from 1 to 36500.", path...)
	case strings.HasSuffix(f.Class, "_IA") && f.Days < daysBeforeIA:
		return Transition{}, l.problem(name, fmt.Sprintf("%s after %d days", f.Class, f.Days),
			"Give 30 days or more: S3 moves nothing into that class earlier.", append(path, "days")...)
	}
	if from := slices.Index(storageClasses(), storedIn); from >= slices.Index(storageClasses(), f.Class) {
		return Transition{}, l.problem(name, fmt.Sprintf("dumps are stored in %s, and cannot be moved to %s", storedIn,
			f.Class),
			"Choose a class that is further down the list, or another s3.storage_class.", append(path, "class")...)
	}
	return Transition{Class: f.Class, Days: int(f.Days)}, nil
}
