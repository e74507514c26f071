package journal

import (
	"testing"

	"go.uber.org/goleak"
)

// Readers and followers end with their context: no test of this package leaves a goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
