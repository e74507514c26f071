package room

import "testing"

func TestTheReserveOfADiskIsATwentiethWithinBounds(t *testing.T) {
	for size, want := range map[int64]int64{1 << 20: 1 << 30, 100 << 30: 5 << 30, 8 << 40: 16 << 30} {
		if got := (Disk{Size: size}).Reserve(); got != want {
			t.Errorf("of %d bytes: %d, want %d", size, got, want)
		}
	}
}
