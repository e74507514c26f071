package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// listPage reads the pages of one list, each in the place of the SDK's decoder, which it asks where readPage does
// not know its way and for every answer that is no page.
type listPage struct {
	sdk     middleware.DeserializeMiddleware
	entries []Listed // of the last page, keys as they came
	coding  types.EncodingType
}

func (p *listPage) decode(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) (err error) {
		p.sdk, err = stack.Deserialize.Swap("OperationDeserializer", p)
		return err
	})
}

// ID is the name that others in the SDK's stack know this place by.
func (p *listPage) ID() string { return "OperationDeserializer" }

// HandleDeserialize is called once for each answer.
func (p *listPage) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	p.entries, p.coding = nil, ""
	out, metadata, err = next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err == nil && ok && response.StatusCode == http.StatusOK && p.fast(response, &out) {
		return out, metadata, nil
	}
	came := middleware.DeserializeHandlerFunc(func(context.Context, middleware.DeserializeInput) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		return out, metadata, err
	})
	out, metadata, err = p.sdk.HandleDeserialize(ctx, in, came)
	if page, ok := out.Result.(*s3.ListObjectsV2Output); ok && err == nil {
		p.slow(page)
	}
	return out, metadata, err
}

// fast reads the body, and puts it back for the SDK where it does not understand it.
func (p *listPage) fast(response *smithyhttp.Response, out *middleware.DeserializeOutput) bool {
	var body bytes.Buffer
	body.Grow(int(min(max(response.ContentLength, 0), maxAnswerBytes)) + bytes.MinRead)
	_, err := body.ReadFrom(response.Body)
	page, ok := pageText{}, false
	if err == nil {
		page, ok = readPage(body.String())
	}
	if !ok {
		if err == nil {
			err = io.EOF
		}
		response.Body = answer{io.MultiReader(&body, failing{err}), response.Body}
		return false
	}
	p.entries, p.coding = page.entries, types.EncodingType(page.encoding)
	out.Result = &s3.ListObjectsV2Output{IsTruncated: &page.truncated, NextContinuationToken: optional(page.next)}
	_ = response.Body.Close() // all of it was read
	return true
}

// failing ends a body as it ended the first time.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (p *listPage) slow(page *s3.ListObjectsV2Output) {
	p.coding = page.EncodingType
	for _, c := range page.Contents {
		p.entries = append(p.entries, Listed{
			Key: aws.ToString(c.Key), ETag: aws.ToString(c.ETag), StorageClass: string(c.StorageClass),
			Size: bytesOf(c.Size), LastModified: aws.ToTime(c.LastModified),
		})
	}
}

// objects are those of the last page, with their keys decoded.
func (p *listPage) objects() ([]Listed, error) {
	for i := range p.entries {
		key, err := decodeKey(p.coding, &p.entries[i].Key)
		if err != nil {
			return nil, err
		}
		p.entries[i].Key = key
	}
	return p.entries, nil
}
