package config

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestObjectLockIsOfTheTopUnlessAJobSaysOtherwise(t *testing.T) {
	c, err := load(t, "s3: {bucket: backups, object_lock: {mode: compliance, days: 30}}\njobs:\n  a: {}\n  b: {s3: {object_lock: {mode: none}}}\n  c: {s3: {object_lock: {days: 7}}}\n", nil)
	if err != nil || len(c.Jobs) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	want := []ObjectLock{{"compliance", 30}, {}, {"compliance", 7}}
	for i, j := range c.Jobs {
		if j.ObjectLock != want[i] {
			t.Errorf("%s: %+v, want %+v", j.Name, j.ObjectLock, want[i])
		}
	}
	if c.Jobs[0].S3 != c.Jobs[1].S3 {
		t.Error("a lock makes another place of the same bucket")
	}
}

func TestObjectLockThatIsNotWholeIsRefusedWithItsLine(t *testing.T) {
	for _, lock := range []string{"{mode: governance}", "{days: 3}", "{mode: forever, days: 3}", "{mode: compliance, days: 0}", "{mode: compliance, days: 40000}", "{mode: governance, day: 3}"} {
		_, err := load(t, "s3:\n  bucket: backups\n  object_lock: "+lock+"\n", nil)
		if fault.CodeOf(err) != fault.Config || fault.Remedy(err) == "" || !strings.Contains(err.Error(), ":3:") {
			t.Errorf("%s: %v (%s)", lock, err, fault.Remedy(err))
		}
	}
}
