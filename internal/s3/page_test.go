package s3

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

const pageOfTwo = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>backups</Name><Prefix/><StartAfter></StartAfter>` +
	`<KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>` +
	`<NextContinuationToken>a&amp;b==</NextContinuationToken>` +
	`<Contents><Key>p/a+b%25</Key><LastModified>2026-11-28T09:42:44.123Z</LastModified><ETag>&quot;0f&quot;</ETag>` +
	`<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>17</Size>` +
	`<Owner><ID>1</ID><DisplayName/></Owner><StorageClass>STANDARD_IA</StorageClass></Contents>` + "\n" +
	`  <Contents><Key>p/b</Key><LastModified>2026-11-28T09:42:45Z</LastModified><ETag>&#34;1f&#34;</ETag><Size>0</Size>` +
	`<StorageClass>STANDARD</StorageClass><Type>Normal</Type></Contents></ListBucketResult>`

// answering is a store that knows one answer.
type answering string

func (a answering) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a))),
		ContentLength: int64(len(a)),
	}, nil
}

// bothReadings are what our reading and the SDK's make of a page, and whether ours did it by itself.
func bothReadings(t *testing.T, document string) (ours, sdks string, alone bool) {
	t.Helper()
	client := s3.New(s3.Options{
		Region: "us-east-1", HTTPClient: answering(document), Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{},
	})
	told := func(read *listPage, change ...func(*s3.Options)) string {
		out, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("b")}, change...)
		if err != nil {
			return "error"
		}
		if len(change) == 0 {
			read.slow(out)
		}
		objects, err := read.objects()
		if err != nil {
			return "error"
		}
		return fmt.Sprint(aws.ToBool(out.IsTruncated), aws.ToString(out.NextContinuationToken), objects)
	}
	read := &listPage{}
	_, alone = readPage(document)
	return told(read, read.decode), told(&listPage{}), alone
}

func TestAPageIsReadAsTheSDKReadsIt(t *testing.T) {
	for _, change := range [][2]string{
		{"", ""},
		{"<Prefix/>", "<Prefix>postgresql/</Prefix>"},
		{"<Size>17</Size>", "<Size>000000017</Size>"},
		{"true", "false"},
		{` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`, ""},
		{".123Z", ".120Z"},
		{`<?xml version="1.0" encoding="UTF-8"?>`, ""},
		{"p/b", ""},
		{"%25", "%0A"},
		{"p/b", "p&#47;b"},
	} {
		document := strings.Replace(pageOfTwo, change[0], change[1], 1)
		ours, sdks, alone := bothReadings(t, document)
		if ours != sdks || sdks == "error" || !alone && change[1] != "p&#47;b" {
			t.Errorf("%q: alone: %v\n%s\nthe SDK:\n%s", change, alone, ours, sdks)
		}
	}
}

// What is odd is left to the SDK, which knows all of XML.
func TestAnOddPageIsLeftToTheSDK(t *testing.T) {
	for _, change := range [][2]string{
		{"<Key>p/b</Key>", "<Key><![CDATA[p/b]]></Key>"},
		{"<Key>p/b</Key>", "<Key><!-- x -->p/b</Key>"},
		{"p/b", "p/ü"},
		{"p/b", "p/\r\nb"},
		{"p/b", "p]]>b"},
		{"p/b", "&unknown;"},
		{"<Key>p/b</Key>", `<Key lang="en">p/b</Key>`},
		{"Z<", "+01:00<"},
		{"<Contents>", "<Contents><RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"},
		{"<Size>17", "<Size>-17"},
		{"</ListBucketResult>", ""},
		{"</ListBucketResult>", "</ListBucketResult><more/>"},
		{"<Size>17", "<Size>99999999999999999999"},
		{"ListBucketResult", "Error"},
		{"<Contents>", "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Contents>"},
		{"true", "yes"},
		{"<Key>p/b</Key>", "<Key>p/b</key>"},
		{`encoding="UTF-8"`, `encoding="ISO-8859-1"`},
		{"p/b", "p/\x01b"},
		{"28T09:42:44.123Z", "31T09:42:44.123Z"},
		{"<Contents>", "<Contents/><Contents>"},
		{"p/a+b%25", "p/%zz"},
	} {
		ours, sdks, alone := bothReadings(t, strings.Replace(pageOfTwo, change[0], change[1], 1))
		if ours != sdks || alone && change[1] != "p/%zz" {
			t.Errorf("%q: alone: %v\n%s\nthe SDK:\n%s", change, alone, ours, sdks)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add(pageOfTwo)
	f.Add(`<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`)
	f.Fuzz(func(t *testing.T, document string) {
		if _, alone := readPage(document); !alone {
			return // the SDK reads it
		}
		if ours, sdks, alone := bothReadings(t, document); ours != sdks {
			t.Errorf("alone: %v\n%s\nthe SDK:\n%s", alone, ours, sdks)
		}
	})
}

// The pages of a store of ours are such that the SDK need not read them.
func TestPagesOfAStoreAreReadWithoutTheSDK(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, key := range []string{"p/a", "p/b c", "p/ü"} {
		mustPut(t, b, key, []byte(key))
	}
	read := &listPage{}
	var got []Listed
	for _, err := range b.pages(t.Context(), listing{prefix: "p/"}, read.decode, func(o *s3.Options) { o.HTTPClient = watchedBy{t, o.HTTPClient} }) {
		if err != nil {
			t.Fatal(err)
		}
		got, err = read.objects()
		if err != nil {
			t.Fatal(err)
		}
	}
	var want []Listed
	for object, err := range b.List(t.Context(), "p/") {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, Listed{Key: object.Key, ETag: object.ETag, Size: object.Size, StorageClass: object.StorageClass, LastModified: object.LastModified})
	}
	if len(got) != 3 || !reflect.DeepEqual(got, want) || len(srv.Requests(s3server.OpListObjectsV2)) != 2 {
		t.Errorf("%+v\n%+v", got, want)
	}
}

// watchedBy fails a test when a page of the store is not one that readPage knows.
type watchedBy struct {
	t    *testing.T
	next s3.HTTPClient
}

func (w watchedBy) Do(r *http.Request) (*http.Response, error) {
	response, err := w.next.Do(r)
	if err != nil {
		return response, err
	}
	raw, err := io.ReadAll(response.Body)
	if _, ok := readPage(string(raw)); !ok || err != nil {
		w.t.Errorf("%v: %s", err, raw)
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(strings.NewReader(string(raw)))
	return response, nil
}
