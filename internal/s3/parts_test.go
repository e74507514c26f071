package s3

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestPartsThatCannotBeListedAreAnError(t *testing.T) {
	for _, answer := range []s3server.Fault{
		{Kind: s3server.Answer, Code: "AccessDenied"}, {Kind: s3server.Answer, Status: 501, Code: "NotImplemented"},
	} {
		srv := startServer(t)
		b := openAt(t, srv)
		srv.Inject(s3server.Rule{Op: s3server.OpListParts, Fault: answer})
		parts, err := b.Parts(t.Context(), OpenUpload{Key: "k", UploadID: "u"})
		if err == nil || parts != (UploadedParts{}) || fault.CodeOf(err) == fault.OK {
			t.Errorf("%s: %+v, %v", answer.Code, parts, err)
		}
	}
}
