package s3

import (
	"net/http"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestTheStoresTimeIsItsAnswersDate(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	want := time.Date(2036, 2, 29, 23, 59, 58, 0, time.UTC)
	srv.Inject(s3server.Rule{Op: s3server.OpHeadBucket, Fault: s3server.Fault{
		Kind: s3server.Answer, Status: http.StatusOK, Header: map[string]string{"Date": want.Format(http.TimeFormat)},
	}})
	if got, err := b.Clock(t.Context()); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAStoreThatTellsNoTimeIsAnError(t *testing.T) {
	for name, answer := range map[string]s3server.Fault{
		"nonsense": {Kind: s3server.Answer, Status: http.StatusOK, Header: map[string]string{"Date": "yesterday"}},
		"denied":   {Kind: s3server.Answer, Code: "AccessDenied"},
	} {
		srv := startServer(t)
		b := openAt(t, srv)
		srv.Inject(s3server.Rule{Op: s3server.OpHeadBucket, Fault: answer})
		if at, err := b.Clock(t.Context()); err == nil || !at.IsZero() || fault.Remedy(err) == "" {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
}
