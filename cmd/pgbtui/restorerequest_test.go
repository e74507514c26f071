package main

import (
	"reflect"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/request"
)

func TestEveryWishOfARequestReachesTheRestore(t *testing.T) {
	var f restoreFlags
	f.fromRequest(request.Restore{
		Set: "id", To: "to", Replace: "shop", Confirm: "shop", Terminate: true, Jobs: 2, Globals: true, NoOwner: true, NoTablespaces: true,
		Tables: []string{"t"}, Schemas: []string{"s"}, SchemaOnly: true, DataOnly: true, Roles: map[string]string{"a": "b"},
	})
	asked := reflect.ValueOf(f.RestoreRequest)
	for i := range asked.NumField() {
		if asked.Field(i).IsZero() {
			t.Errorf("%s is lost on the way", asked.Type().Field(i).Name)
		}
	}
	if f.accept {
		t.Error("a request accepts what nobody signed")
	}
}
