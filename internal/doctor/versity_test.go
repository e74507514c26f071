package doctor_test

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// versitygw is a store that others wrote: what doctor finds there is not what its own test server was made to say.
func TestDoctorOnAStoreThatOthersWrote(t *testing.T) {
	store := s3suite.StartVersity(t)
	p := newPatient(t)
	p.job.S3.Bucket, p.job.S3.Endpoint, p.job.S3.Region = store.Bucket, store.Endpoint, store.Region
	t.Setenv("AWS_ACCESS_KEY_ID", store.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", store.SecretKey)
	b, err := s3.Open(t.Context(), s3.Options{
		Bucket: store.Bucket, Region: store.Region, Endpoint: store.Endpoint, SSE: "AES256", MaxAttempts: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	for _, role := range keyed() {
		p.open[role] = b
	}
	// Its one key may do everything, so that the backups' key may delete.
	want := map[string]doctor.Result{
		"s3.writer.delete": doctor.Warn, "bucket.versioning": doctor.Warn, "bucket.uploads": doctor.Warn,
		"bucket.public-access": doctor.Unknown, "bucket.encryption": doctor.Unknown, // it has no such settings
	}
	looked := 0
	for _, area := range []string{"s3", "bucket"} {
		for _, f := range p.examine(area).Findings {
			looked++
			result := doctor.OK
			if other, is := want[f.ID]; is {
				result = other
			}
			if f.Result != result {
				t.Errorf("%s is %s, not %s: %s", f.ID, f.Result, result, f.Seen)
			}
		}
	}
	if looked < 30 {
		t.Errorf("%d checks were looked at", looked)
	}
	for o, err := range b.List(t.Context(), "") {
		if err != nil || !strings.HasSuffix(o.Key, "/") {
			t.Errorf("left: %s, %v", o.Key, err)
		}
	}
}
