package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAPriceListIsFetchedAndWhatIsNoneIsToldWithWhereItCameFrom(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/index.json" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"publicationDate":"2026-10-01T00:00:00Z",
			"products":{"A":{"attributes":{"regionCode":"eu-west-1","usagetype":"EU-TimedStorage-ByteHrs"}}},
			"terms":{"OnDemand":{"A":{"A.1":{"priceDimensions":{"A.1.1":{"beginRange":"0","unit":"GB-Mo","pricePerUnit":{"USD":"0.02"}}}}}}}}`))
	}))
	l, err := readList(t.Context(), server.URL+"/index.json")
	if err != nil || l.Region != "eu-west-1" {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := readList(t.Context(), server.URL+"/none.json"); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
	server.Close()
	if _, err := readList(t.Context(), server.URL+"/index.json"); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(fault.Remedy(err), "--from FILE") {
		t.Error(err)
	}
}
