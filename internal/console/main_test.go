package console

import (
	"testing"

	"go.uber.org/goleak"
)

// What an adapter started is over when its caller has what it asked for.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
