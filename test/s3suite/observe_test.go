package s3suite_test

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// amazons are the answers of Amazon S3 at each point, which every personality gives where nothing else is told.
var amazons = map[string]string{
	"checksum of an object":      "kept",
	"trailing checksum":          "taken",
	"If-None-Match of a put":     "412 PreconditionFailed",
	"If-Match of a put":          "412 PreconditionFailed",
	"If-Match without an object": "404 NoSuchKey",
	"list of uploads":            "by prefix",
	"number of parts":            "10000",
	"parts of several sizes":     "taken",
	"encryption by the store":    "taken",
	"expected bucket owner":      "403 Forbidden",
	"delete of several":          "taken",
	"versioning and object lock": "told",
	"a folder that was emptied":  "is gone",
	"region us-east-1":           "400 AuthorizationHeaderMalformed",
	"words of an error":          "code and message",
	"clock":                      "right",
}

// Answers that several stores give.
var (
	refusedConditions = map[string]string{
		"If-None-Match of a put": "501 NotImplemented", "If-Match of a put": "501 NotImplemented",
		"If-Match without an object": "501 NotImplemented",
	}
	ignoredConditions = map[string]string{
		"If-None-Match of a put": "taken", "If-Match of a put": "taken", "If-Match without an object": "taken",
	}
	rgw = map[string]string{
		"checksum of an object": "not kept", "trailing checksum": "400 XAmzContentSHA256Mismatch",
		"If-Match without an object": "412 PreconditionFailed", "words of an error": "code alone",
		"delete of several": "400 InvalidRequest", // Content-MD5 is all that such a store can hold a body to
	}
	oldMinIO = map[string]string{
		"encryption by the store": "501 NotImplemented",
		"checksum of an object":   "400 InvalidArgument", "list of uploads": "by the whole key",
		"a folder that was emptied": "stays listed", "region us-east-1": "taken",
	}
)

func TestAPersonalityDoesWhatIsToldOfItsStoreAndElseWhatAmazonDoes(t *testing.T) {
	differs := map[string][]map[string]string{
		"r2": {{
			"parts of several sizes": "400 InvalidPart", "encryption by the store": "501 NotImplemented",
			"expected bucket owner": "501 NotImplemented", "versioning and object lock": "501 NotImplemented",
			"region us-east-1": "taken",
		}},
		"b2": {refusedConditions, {
			"checksum of an object": "400 InvalidArgument, and 400 BadRequest when it is asked for",
			"trailing checksum":     "400 XAmzContentSHA256Mismatch", "delete of several": "400 InvalidArgument",
		}},
		"ceph":    {rgw},
		"hetzner": {rgw, {"encryption by the store": "400 InvalidEncryptionAlgorithmError"}},
		"wasabi": {ignoredConditions, {
			"checksum of an object": "not kept", "trailing checksum": "400 XAmzContentSHA256Mismatch",
			"delete of several": "400 InvalidRequest",
		}},
		"scaleway":   {{"number of parts": "1000"}},
		"minio-2022": {ignoredConditions, oldMinIO, {"trailing checksum": "400 XAmzContentSHA256Mismatch"}},
		"minio-2023": {oldMinIO, {"If-None-Match of a put": "304 NotModified", "If-Match of a put": "304 NotModified"}},
		"gateway": {refusedConditions, {
			"list of uploads": "501 NotImplemented", "delete of several": "501 NotImplemented",
			"versioning and object lock": "501 NotImplemented", "a folder that was emptied": "stays listed",
			"region us-east-1": "taken",
		}},
		"clock": {{"clock": "off by -10m0s", "region us-east-1": "taken"}},
	}
	for _, p := range s3server.Personalities() {
		t.Run(p.Name, func(t *testing.T) {
			small := s3server.With(func(o *s3server.Options) { o.MinPartBytes = 1 })
			store := s3suite.StartOurs(t, s3server.WithTLS(), small, s3server.WithPersonality(p))
			for _, sight := range s3suite.Observe(t, store) {
				want := amazons[sight.Point]
				for _, d := range differs[p.Name] {
					if other, told := d[sight.Point]; told {
						want = other
					}
				}
				if sight.Seen != want {
					t.Errorf("%s: %q, want %q", sight.Point, sight.Seen, want)
				}
			}
		})
	}
}
