package restore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

func TestAnUnknownStateIsNotCalledTheOldOne(t *testing.T) {
	lost := fault.New(fault.Unavailable, "swap", "look", fmt.Errorf("%w: reset", postgres.ErrSwapUnknown))
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(fault.New(fault.Terminated, "terminated", "", nil))
	r := &restoring{
		req:       Request{Replace: "shop"},
		replacing: replacement{whole: true},
		result:    outcome{created: true},
	}
	for _, err := range []error{r.explain(r.cause(ended, lost)), (&undoing{req: UndoRequest{Database: "shop"}}).explain(lost)} {
		if strings.Contains(err.Error(), "as it was") || !strings.Contains(err.Error(), "not known") || fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, postgres.ErrSwapUnknown) {
			t.Error(err)
		}
	}
}
