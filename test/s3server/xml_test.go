package s3server

import (
	"encoding/xml"
	"strings"
	"testing"
)

func FuzzComplete(f *testing.F) {
	f.Add([]byte(`<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>`))
	f.Add([]byte(`<CompleteMultipartUpload><Part><PartNumber>2</PartNumber></Part><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><CompleteMultipartUpload/>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ask, err := parseComplete(body)
		if err != nil {
			return
		}
		last := 0
		for _, p := range ask.Parts {
			if p.PartNumber <= last || p.PartNumber > maxParts {
				t.Fatalf("part %d after %d", p.PartNumber, last)
			}
			last = p.PartNumber
		}
	})
}

func FuzzDelete(f *testing.F) {
	f.Add([]byte(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&#x1F418;</Key></Object><Quiet>true</Quiet></Delete>`))
	f.Add([]byte(`<Delete></Delete>`))
	f.Add([]byte(`<Delete><Object><Key>a</Key></Object></Delete><Delete/>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ask, err := parseDelete(body)
		if err == nil && (len(ask.Objects) == 0 || len(ask.Objects) > maxDeletes) {
			t.Fatalf("%d objects accepted", len(ask.Objects))
		}
	})
}

func TestXMLThatIsNotOneDocumentIsRefused(t *testing.T) {
	for _, body := range []string{
		"", "x", "<Delete>", "<Other/>", "<Delete><Object><Key>a</Key></Object></Delete><Delete/>",
		"<Delete><Object><Key>a</Key></Object></Delete>junk",
		"<Delete>" + strings.Repeat("<Object><Key>a</Key></Object>", maxDeletes+1) + "</Delete>",
	} {
		if _, err := parseDelete([]byte(body)); err == nil {
			t.Errorf("accepted: %.60s", body)
		}
	}
	if _, err := parseDelete([]byte("<Delete><Object><Key>a</Key></Object></Delete>\n<!-- end -->\n")); err != nil {
		t.Errorf("space and comments behind the document: %v", err)
	}
}

func TestErrorsHaveTheShapeThatClientsRead(t *testing.T) {
	var e errorBody
	if err := xml.Unmarshal(xmlDocument(errorBody{Code: "NoSuchKey", Message: "<&>", RequestID: "1"}), &e); err != nil {
		t.Fatal(err)
	}
	if e.Code != "NoSuchKey" || e.Message != "<&>" || e.RequestID != "1" {
		t.Errorf("%+v", e)
	}
}
