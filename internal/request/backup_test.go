package request

import (
	"reflect"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// The console checks and the unit restores by the same wishes.
func TestEveryWishOfARequestReachesTheRestore(t *testing.T) {
	r := Restore{
		Set: "id", Swap: "shop", With: "kept",
		Request: restore.Request{
			To: "to", Replace: "shop", Confirm: "shop", Terminate: true, Jobs: 2, Globals: true,
			NoOwner: true, NoTablespaces: true, Tables: []string{"t"}, Schemas: []string{"s"},
			SchemaOnly: true, DataOnly: true, Thaw: "bulk", Roles: map[string]string{"a": "b"},
		},
	}
	for _, asked := range []any{r.Backup(), r.BackupSwap()} {
		v := reflect.ValueOf(asked)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch name {
			case "KeepGoing", "Beside", "As", "Schema": // only on the command line
				if !v.Field(i).IsZero() {
					t.Errorf("a request can ask for %s", name)
				}
				continue
			}
			if v.Field(i).IsZero() {
				t.Errorf("%s of %T is lost on the way", name, asked)
			}
		}
	}
}
