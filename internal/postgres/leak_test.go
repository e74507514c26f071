package postgres

import (
	"testing"

	"go.uber.org/goleak"
)

// No session, process or pipe outlives its test: each has goroutines that end with it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
