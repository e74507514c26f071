package console

import (
	"reflect"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// zero are the fields of a struct that hold nothing, but those that may.
func zero(v any, may ...string) (names []string) {
	value := reflect.ValueOf(v)
	free := map[string]bool{}
	for _, name := range may {
		free[name] = true
	}
	for i := range value.NumField() {
		if name := value.Type().Field(i).Name; value.Field(i).IsZero() && !free[name] {
			names = append(names, name)
		}
	}
	return names
}

func TestEveryWishOfTheWizardIsInItsRequest(t *testing.T) {
	wish := ui.RestoreRequest{
		Set: backup.Set{ID: "id", Instance: "db1", Database: "shop", Schema: "tenant", Job: "nightly"}, From: "other", Swap: "shop", With: "kept",
		Request: restore.Request{
			To: "to", Replace: "shop", Confirm: "shop", Terminate: true,
			Globals: true, Jobs: 2, NoOwner: true, NoTablespaces: true, Roles: map[string]string{"a": "b"},
			Tables: []string{"t"}, Schemas: []string{"s"}, SchemaOnly: true, DataOnly: true, Thaw: "bulk",
		},
	}
	if left := zero(wish.Request, "KeepGoing", "ForOperator", "Beside", "As"); len(left) > 0 {
		t.Fatalf("this test leaves out %q", left)
	}
	if left := zero(wish); len(left) > 0 {
		t.Fatalf("this test leaves out %q", left)
	}
	if lost := zero(requestOf(wish), "Check", "By", "At", "Owner", "ManifestSHA256"); len(lost) > 0 {
		t.Errorf("lost on the way: %q", lost)
	}
	if got := requestOf(wish).Request; !reflect.DeepEqual(got, wish.Request) {
		t.Errorf("changed on the way: %+v", got)
	}
}

func TestAnErrorOfTheUnitsRightsIsNotTakenForOneOfTheOperators(t *testing.T) {
	denied := fault.New(fault.NotPermitted, "postgres: connect: role may not", "GRANT CONNECT", nil)
	if err := failed(denied); fault.CodeOf(err) == fault.NotPermitted || fault.Remedy(err) != "GRANT CONNECT" {
		t.Errorf("%v, %q", err, fault.Remedy(err))
	}
	if failed(nil) != nil {
		t.Error("no error became one")
	}
}
