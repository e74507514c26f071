package s3suite

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// archives are the classes that must be thawed before anything of them can be read.
func archives(s *session) {
	if !s.Features.Archives {
		s.Skip("SKIPPED: a known difference of this store (Features.Archives)")
	}
	thaw := func(name string, ask types.RestoreRequest) error {
		_, err := s.c.RestoreObject(s.ctx, &s3.RestoreObjectInput{Bucket: &s.Bucket, Key: s.key(name), RestoreRequest: &ask})
		return err
	}
	for name, class := range map[string]types.StorageClass{
		"flexible": types.StorageClassGlacier, "deep": types.StorageClassDeepArchive, "instant": types.StorageClassGlacierIr,
	} {
		_, err := s.put(name, []byte("cold"), func(in *s3.PutObjectInput) { in.StorageClass = class })
		s.ok(err)
		_, _, err = s.get(name)
		if name == "instant" {
			s.ok(err)
			s.fails(thaw(name, types.RestoreRequest{Days: aws.Int32(1)}), "InvalidObjectState")
			continue
		}
		s.fails(err, "InvalidObjectState")
		out, err := s.head(name)
		s.ok(err)
		same(s, "class", out.StorageClass, class)
		same(s, "restore", aws.ToString(out.Restore), "")
		s.fails(thaw(name, types.RestoreRequest{}), "MalformedXML")
	}
	bulk := types.RestoreRequest{Days: aws.Int32(2), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.TierBulk}}
	s.ok(thaw("deep", bulk))
	out, err := s.head("deep")
	s.ok(err)
	if aws.ToString(out.Restore) == "" {
		s.Error("nothing says that the object is being thawed")
	}
	expedited := types.RestoreRequest{Days: aws.Int32(1), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.TierExpedited}}
	_, err = s.put("deeper", []byte("cold"), func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassDeepArchive })
	s.ok(err)
	s.fails(thaw("deeper", expedited), "InvalidArgument")
	s.fails(thaw("none", bulk), "NoSuchKey")
}
