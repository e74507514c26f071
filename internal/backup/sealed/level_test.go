package sealed

import (
	"bytes"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// window is what frames cost when the workers were busy for a share of the time, and got cores for a share of that.
func window(busy, cores float64) effort {
	wall := time.Second
	working := time.Duration(busy * workers * float64(wall))
	return effort{frames: windowFrame, wall: wall, busy: working, cpu: time.Duration(cores * float64(working))}
}

func TestAutoCompressesHarderWhileTheSourceIsSlowAndTheHostIdle(t *testing.T) {
	for name, c := range map[string]struct {
		level int
		effort
		want int
	}{
		"idle encoders":                     {level: 1, effort: window(0.1, 1), want: 2},
		"encoders with room for no more":    {level: 3, effort: window(0.5, 1), want: 3},
		"a source that waits for encoders":  {level: 3, effort: window(0.95, 1), want: 2},
		"the lowest level":                  {level: 1, effort: window(1, 1), want: 1},
		"the highest that pays":             {level: mostOfAuto, effort: window(0.1, 1), want: mostOfAuto},
		"idle encoders on a host that is":   {level: 2, effort: window(0.2, 0.95), want: 3},
		"idle encoders on a busy host":      {level: 2, effort: window(0.2, 0.75), want: 2},
		"idle encoders on a very busy host": {level: 2, effort: window(0.2, 0.5), want: 1},
		"a very busy host at the lowest":    {level: 1, effort: window(0.2, 0.5), want: 1},
	} {
		p := newPace(time.Now())
		p.level = c.level
		if p.decide(c.effort); p.level != c.want {
			t.Errorf("%s: level %d after %d, want %d", name, p.level, c.level, c.want)
		}
	}
}

func TestAutoTriesALevelThatWasTooMuchOnlyAfterAWhile(t *testing.T) {
	p := newPace(time.Now())
	p.level = 3
	p.decide(window(0.95, 1))
	tried := 0
	for ; p.level < 3 && tried < 1000; tried++ {
		p.decide(window(0.1, 1))
	}
	if frames := tried * windowFrame; frames < patience || frames > 2*patience {
		t.Errorf("level 3 was tried again after %d frames, want %d", frames, patience)
	}
}

// slowly hands out a frame at a time, with a pause before each.
func slowly(t *testing.T, w *Writer, frames int, pause time.Duration) {
	t.Helper()
	raw := sample(FrameBytes)
	for range frames {
		time.Sleep(pause)
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheFramesOfEachLevelAreCounted(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, level := range []Level{1, 3, 19} {
		w, err := NewWriter(&bytes.Buffer{}, nil, level)
		if err != nil {
			t.Fatal(err)
		}
		slowly(t, w, 2, 0)
		if want := []LevelFrames{{Level: int(level), Frames: 2}}; !slices.Equal(w.Levels(), want) {
			t.Errorf("levels %v, want %v", w.Levels(), want)
		}
	}
}

func TestWhatAutoDidAddsUpToAllFrames(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out bytes.Buffer
	w, err := NewWriter(&out, nil, Auto)
	if err != nil {
		t.Fatal(err)
	}
	const frames = 3 * windowFrame
	slowly(t, w, frames, time.Millisecond)
	var counted int64
	for _, l := range w.Levels() {
		if l.Level < lowest || l.Level > mostOfAuto {
			t.Errorf("level %d", l.Level)
		}
		counted += l.Frames
	}
	if counted != frames {
		t.Errorf("levels of %d frames, want %d: %v", counted, frames, w.Levels())
	}
	if got, err := unpack(out.Bytes(), false, nil, frames*FrameBytes); err != nil || len(got) != frames*FrameBytes {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// The digest of a frame says that the stored bytes are right; its own checksum says so to people who have nothing but
// zstd.
func TestEachFrameEndsWithAChecksumThatDecompressorsCompare(t *testing.T) {
	need.Program(t, "zstd")
	for _, level := range []Level{1, 3, 19} {
		for _, size := range []int{0, 1, 300, FrameBytes} {
			var out bytes.Buffer
			w, err := NewWriter(&out, nil, level)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(sample(size)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := zstdTest(t, out.Bytes()); err != nil {
				t.Errorf("level %d, %d bytes: %v", level, size, err)
			}
			damaged := bytes.Clone(out.Bytes())
			damaged[len(damaged)-1] ^= 1 // of the checksum, the frame's last four bytes
			if err := zstdTest(t, damaged); err == nil {
				t.Errorf("level %d, %d bytes: zstd took a wrong checksum", level, size)
			}
			decoder, _ := zstd.NewReader(nil)
			if _, err := decoder.DecodeAll(damaged, nil); err == nil {
				t.Errorf("level %d, %d bytes: our decoder took a wrong checksum", level, size)
			}
			decoder.Close()
		}
	}
}

func zstdTest(t *testing.T, stored []byte) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "zstd", "-t", "-q")
	cmd.Stdin = bytes.NewReader(stored)
	return cmd.Run()
}
