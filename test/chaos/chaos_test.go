package chaos

import (
	"testing"
)

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

func open(t *testing.T) *Lab {
	t.Helper()
	lab, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lab.Close)
	return lab
}
