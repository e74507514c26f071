package config

import (
	"fmt"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAPrefixThatIsNoFolderIsRefusedWithItsLine(t *testing.T) {
	for _, prefix := range []string{
		"s3://abc", "s3://abc/backups", "https://s3.example/abc", "a//b", "//a///b/", "..", ".", "a/../b", "../a", "./a", "a/.",
		"a\nb", "a\x00b", "a\x1b[2J", strings.Repeat("a", 257),
	} {
		_, err := load(t, fmt.Sprintf("s3: {bucket: abc}\njobs:\n  a:\n    s3:\n      prefix: %q\n", prefix), nil)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), ":5: s3.prefix: ") ||
			!strings.Contains(fault.Remedy(err), "folder inside the bucket") {
			t.Errorf("%q: %v (%s)", prefix, err, fault.Remedy(err))
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00\x1b") {
			t.Errorf("a control character is shown raw: %q", err.Error())
		}
	}
}

func TestAPrefixThatIsAFolderIsTakenWithoutTheSlashesAroundIt(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "postgresql", "/": "", "/a/b/": "a/b", "a..b": "a..b", "...": "...", "été 1": "été 1", strings.Repeat("a", 256): strings.Repeat("a", 256),
	} {
		c, err := load(t, fmt.Sprintf("s3: {bucket: abc, prefix: %q}\ndatabase: x\n", prefix), nil)
		if err != nil || c.Jobs[0].S3.Prefix != want {
			t.Errorf("%q: %+v, %v", prefix, c, err)
		}
	}
}
