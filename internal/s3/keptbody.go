package s3

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// keptBody is an answer's body as it came, beside what the SDK makes of it: the SDK drops what it does not know.
type keptBody struct{ text []byte }

// keep is an option of one request.
func (k *keptBody) keep(o *s3.Options) {
	read := middleware.DeserializeMiddlewareFunc("KeepBody", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		answer, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || answer.StatusCode >= 300 {
			return out, metadata, err
		}
		text, err := bounded.ReadAll(answer.Body, bounded.File)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return out, metadata, fmt.Errorf("read the answer: %w", err)
		}
		k.text = text
		answer.Body = io.NopCloser(bytes.NewReader(text))
		return out, metadata, nil
	})
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(read, middleware.After)
	})
}

// lifecycleElements are all that a lifecycle document of S3 has ("LifecycleConfiguration" in the S3 API reference).
func lifecycleElements() []string {
	return strings.Fields(`LifecycleConfiguration Rule ID Prefix Status Filter And Tag Key Value ObjectSizeGreaterThan
		ObjectSizeLessThan Expiration Days Date ExpiredObjectDeleteMarker Transition StorageClass
		NoncurrentVersionExpiration NoncurrentVersionTransition NoncurrentDays NewerNoncurrentVersions
		AbortIncompleteMultipartUpload DaysAfterInitiation`)
}

// strangeElements are those of a lifecycle document that S3 does not have, each once.
func strangeElements(document []byte) []string {
	known := lifecycleElements()
	var strange []string
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if err != nil { // the end: what is no XML the SDK did not take
			return strange
		}
		start, ok := token.(xml.StartElement)
		if ok && !slices.Contains(known, start.Name.Local) && !slices.Contains(strange, start.Name.Local) {
			strange = append(strange, start.Name.Local)
		}
	}
}

func listOf(words []string) string { return strings.Join(words, ", ") }

func compareText(a, b string) int { return cmp.Compare(a, b) }

// days is a number of days, or of something else that S3 counts in 32 bits.
func days(n int) *int32 { return aws.Int32(int32(min(n, 1<<31-1))) }
