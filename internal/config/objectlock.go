package config

import "fmt"

// ObjectLock is the retention that a run asks of the store for what it writes. The zero value asks for
// none; the bucket may have a default of its own.
type ObjectLock struct {
	Mode string // "governance" or "compliance"; "" = none
	Days int    // from the start of the run
}

// String is the lock in words, or "".
func (o ObjectLock) String() string {
	if o.Mode == "" {
		return ""
	}
	return fmt.Sprintf("%s, %d days", o.Mode, o.Days)
}

// fileObjectLock is s3.object_lock in the file. A job turns off the top's by mode: none.
type fileObjectLock struct {
	Mode string `yaml:"mode"`
	Days count  `yaml:"days"`
}

// longestLock is S3's own bound: 100 years.
const longestLock = 36500

func (l loader) objectLock(name string, f fileObjectLock) (ObjectLock, error) {
	path := []string{"s3", "object_lock"}
	switch {
	case f.Mode == "none":
		return ObjectLock{}, nil
	case f.Mode == "" && f.Days == 0:
		return ObjectLock{}, nil
	case f.Mode != "governance" && f.Mode != "compliance":
		return ObjectLock{}, l.problem(name, fmt.Sprintf("mode %q is not known", f.Mode),
			"Choose governance, compliance or none.", append(path, "mode")...)
	case f.Days == 0:
		return ObjectLock{}, l.problem(name, "no days", "Say for how many days a set is locked.", path...)
	case f.Days > longestLock:
		return ObjectLock{}, l.problem(name, fmt.Sprintf("%d days", f.Days),
			"Give at most 36500: nobody lifts compliance before its end.", append(path, "days")...)
	}
	return ObjectLock{Mode: f.Mode, Days: int(f.Days)}, nil
}
