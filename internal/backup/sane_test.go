package backup

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// A field that somebody adds is text that is made safe when it is read, a name that no print lets out, or of a
// kind that is checked.
func TestNoTextOfADocumentIsLeftOut(t *testing.T) {
	for name, document := range map[string]any{"Manifest": &Manifest{}, "Proof": &Proof{}, "holdDocument": &holdDocument{}, "Contents": &Contents{}} {
		if exact[name] != "" {
			continue
		}
		v := reflect.ValueOf(document).Elem()
		fillText(t, v, name)
		if err := Sane(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		raw, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"%+v": fmt.Sprintf("%+v", v.Interface()), "JSON": string(raw)} {
			if text = strings.ReplaceAll(text, "\n", ""); printable.Text(text) != text {
				t.Errorf("%s as %s: %q", name, what, text)
			}
		}
	}
}

// fillText puts what a terminal acts on into every text, and fails at kinds that sane does not know.
func fillText(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Kind() { // the others are the failure
	case reflect.String:
		v.SetString("x\x1b[2J\u009b\u202e")
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillText(t, v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillText(t, v.Index(0), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != timeType {
				fillText(t, v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		}
	default:
		t.Errorf("%s is of a kind that nobody checks: %s", name, v.Kind())
	}
}

// exact are the documents whose texts stay as they are, each with the reason.
var exact = map[string]string{
	"Contents": "names that SQL and pg_restore need exactly, by types of other packages; whoever shows one makes it safe, and so does the gate of the command line",
}
