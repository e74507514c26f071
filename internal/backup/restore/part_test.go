package restore

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAMappingToWhatNobodyMayBeIsRefused(t *testing.T) {
	for _, roles := range []map[string]string{{"a": ""}, {"": "b"}, {"a": "public"}, {"a": "pg_monitor"}, {"a": strings.Repeat("x", 64)}, {"a": "b\x00c"}} {
		if err := (Request{Roles: roles}).check(); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%q: %v", roles, err)
		}
	}
}

func TestAPartNeverTakesTheLiveDatabasesPlace(t *testing.T) {
	for _, req := range []Request{{Tables: []string{"t"}}, {Schemas: []string{"s"}}, {SchemaOnly: true}, {DataOnly: true, Tables: []string{"t"}}} {
		req.Replace, req.Confirm = "production", "production"
		if err := req.check(); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%+v: %v", req, err)
		}
	}
}
