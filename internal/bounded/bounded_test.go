package bounded

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestNothingIsTakenBeyondTheLimitAndNoPartPassesForTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(0, 40).Draw(t, "limit")
		all := bytes.Repeat([]byte("x"), rapid.IntRange(0, 80).Draw(t, "size"))
		fits := int64(len(all)) <= limit
		source := bytes.NewReader(all)
		raw, err := ReadAll(iotest.OneByteReader(source), limit)
		if fits != (err == nil) || !fits && !errors.Is(err, ErrTooLarge) || fits && !bytes.Equal(raw, all) {
			t.Fatalf("%d bytes, limit %d: %q, %v", len(all), limit, raw, err)
		}
		if taken := int64(len(all) - source.Len()); taken > limit+1 {
			t.Fatalf("took %d bytes, limit %d", taken, limit)
		}
		passed, err := io.ReadAll(Reader(bytes.NewReader(all), limit))
		if fits != (err == nil) || int64(len(passed)) > limit || !bytes.HasPrefix(all, passed) {
			t.Fatalf("%d bytes, limit %d: passed %d, %v", len(all), limit, len(passed), err)
		}
	})
}

// endless is what a hostile server answers with.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestASourceWithoutAnEndIsRefused(t *testing.T) {
	if _, err := ReadAll(endless{}, 1<<16); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if n, err := io.Copy(io.Discard, Reader(endless{}, 1<<16)); n != 1<<16 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d, %v", n, err)
	}
	if head, err := Head(endless{}, 100); len(head) != 100 || err != nil {
		t.Errorf("%d, %v", len(head), err)
	}
	if _, err := ReadFile("/dev/zero", 1<<16); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// elsewhere are the places that may read to the end by other means, each with its reason.
var elsewhere = map[string]string{
	"internal/bounded/bounded.go":        "this package",
	"cmd/pgbtui/manpages.go":             "pages of the checkout, when a release is built",
	"internal/postgres/scratch/serve.go": "one line of a peer, in a buffer of that size",
}

// whole matches what reads to the end of something whose size others decide.
var whole = regexp.MustCompile(`\b(io\.ReadAll|ioutil\.ReadAll|os\.ReadFile|io\.LimitReader|json\.NewDecoder\((?:r|f|body|p|response)[.)])`)

func TestNothingElseReadsToAnEndThatOthersDecide(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(root, path)
			if found := whole.FindString(string(text)); found != "" && elsewhere[filepath.ToSlash(name)] == "" {
				t.Errorf("%s calls %s: use package bounded, or give the reason here", name, found)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPlantedLinkOrPipeIsNotReadAndHoldsNobody(t *testing.T) {
	dir := t.TempDir()
	plain, link, pipe := filepath.Join(dir, "plain"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(plain, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if raw, err := ReadPlain(plain, 4); err != nil || string(raw) != "text" {
		t.Errorf("plain: %q, %v", raw, err)
	}
	if _, err := ReadPlain(plain, 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a larger one: %v", err)
	}
	if _, err := ReadPlain(link, 4); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link: %v", err)
	}
	if _, err := ReadPlain(pipe, 4); !errors.Is(err, ErrNotPlain) {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := ReadPlain(dir, 4); !errors.Is(err, ErrNotPlain) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadPlain(filepath.Join(dir, "none"), 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}
