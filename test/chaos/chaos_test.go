package chaos

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
)

// TestMain ends the laboratory that the tests share.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pgbtui-chaos")
	if err != nil {
		panic(err)
	}
	var lab *Lab
	shared = sync.OnceValues(func() (*Lab, error) {
		var err error
		lab, err = Open(context.Background(), dir)
		return lab, err
	})
	code := m.Run()
	if lab != nil {
		lab.Close()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var shared func() (*Lab, error)

func open(t *testing.T) *Lab {
	t.Helper()
	lab, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return lab
}

func TestEveryCellOfTheCrashGrid(t *testing.T) {
	lab := open(t)
	slots := make(chan struct{}, 2) // two cores: more at once only makes each slower
	for i, m := range Moments() {
		for j, way := range Ways() {
			t.Run(m.Name+"/"+string(way), func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				cell, err := lab.Crash(t.Context(), m, way, (i+j)%2 == 1)
				check(t, cell, err)
				if way == OutOfMemory && !cell.RealOOM {
					t.Log("no memory cgroup to be had here: SIGKILL stood for the kernel's killer")
				}
			})
		}
	}
}

func check(t *testing.T, cell *Cell, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	for _, v := range cell.Violations {
		t.Errorf("%s: %s", cell.Name, v)
	}
	if cell.Sets == 0 {
		t.Errorf("%s: nothing was read back", cell.Name)
	}
}

// A few, always the same; `make chaos` does 200.
func TestARunIsKilledAtRandomAndTheNextOneNeedsNobody(t *testing.T) {
	lab := open(t)
	for i := range uint64(6) {
		cell, err := lab.RandomKill(t.Context(), 1, i)
		check(t, cell, err)
	}
}

// One of each way, half of them of several streams; `make chaos` does 40, and 20 databases that are written to.
func TestARestoreInParallelSessionsThatIsEndedLeavesItsDatabaseAndTheNextOneNeedsNobody(t *testing.T) {
	lab := open(t)
	for _, i := range []uint64{0, 5, 2, 7} {
		cell, err := lab.RestoreKill(t.Context(), 1, i)
		check(t, cell, err)
	}
}

func TestFourStreamsOfADatabaseThatIsWrittenToAreOneState(t *testing.T) {
	cell, err := open(t).Written(t.Context(), 1, 0)
	check(t, cell, err)
}

// The run has been waited for, and is not known to have ended yet.
func TestAStrikeThatComesTooLateIsAMissAndNoErrorOfTheLaboratory(t *testing.T) {
	for _, way := range Ways() {
		w := &World{seen: newWatcher(), dir: t.TempDir()}
		p := w.command(t.Context(), "/bin/sleep", "600")
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ends := func(*World, context.Context) bool {
			err := p.cmd.Process.Kill()
			_ = p.cmd.Wait() // killed
			time.AfterFunc(100*time.Millisecond, func() { close(p.done) })
			return err == nil
		}
		cell, e := &Cell{}, newEnder(way)
		err := errors.Join(w.endAt(t.Context(), cell, Moment{random: true, reached: ends}, e, p), e.end())
		if err != nil || !cell.Missed || len(cell.Violations) > 0 {
			t.Errorf("%s: %v, missed %t, %q", way, err, cell.Missed, cell.Violations)
		}
	}
}

func TestOfTwentyRunsThatStartAtOnceExactlyOneCommits(t *testing.T) {
	lab := open(t)
	for _, hosts := range []int{1, 2} {
		cell, err := lab.Race(t.Context(), hosts)
		check(t, cell, err)
	}
}

func TestEveryFlippedBitAndEveryCutIsFound(t *testing.T) {
	lab := open(t)
	for _, kind := range SetKinds() {
		flips, err := lab.Flips(t.Context(), 1, 25, kind)
		checkDamage(t, kind, flips, err)
		cuts, err := lab.Cuts(t.Context(), 1, 15, kind)
		checkDamage(t, kind, cuts, err)
	}
}

func checkDamage(t *testing.T, kind SetKind, all []Damage, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	for _, d := range all {
		if d.Done == 0 || d.Listed+d.Verified+d.Harmless != d.Done || (kind == Signed && d.Unmarked > 0) {
			t.Errorf("%s: %+v", kind, d)
		}
	}
}
