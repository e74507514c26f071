package backup

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// What documents say goes through here by the type of each field, so that a new field cannot be
// forgotten: text is made fit for a screen, and a number or a time that nothing can have makes the
// document worthless. Rules:
//
//   - a string becomes what printable.Text makes of it; names that must stay exact have the type
//     printable.Name, which no print lets out raw
//   - integers are 0 to an exbibyte; times are from 2000 to 9000, or not given; other numbers are finite
//     and no longer than a thousand years in seconds
//   - lists are cut behind maxItems

const (
	maxNumber  = 1 << 60
	maxSeconds = 1000 * 366 * 24 * 3600
	maxItems   = 1000
	firstYear  = 2000
	lastYear   = 9000 // far from 9999, beyond which a time cannot be written
)

var (
	timeType = reflect.TypeFor[time.Time]()
	nameType = reflect.TypeFor[printable.Name]()
)

var errAbsurd = errors.New("it is absurd")

// Sane cleans the document that at points to, and says what no document can say.
func Sane(at any) error {
	if wrong := saneValue(reflect.ValueOf(at).Elem(), ""); wrong != "" {
		return fmt.Errorf("%w: %s", errAbsurd, wrong)
	}
	return nil
}

func saneValue(v reflect.Value, name string) (wrong string) {
	switch {
	case v.Type() == timeType:
		return saneTime(v.Interface().(time.Time), name)
	case v.Type() == nameType:
		return ""
	}
	switch v.Kind() { // documents have no others, a test sees to it
	case reflect.String:
		v.SetString(printable.Text(v.String()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n := v.Int(); n < 0 || n > maxNumber {
			return fmt.Sprintf("%s is %d", name, n)
		}
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.Abs(f) > maxSeconds {
			return fmt.Sprintf("%s is %g", name, f)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return saneValue(v.Elem(), name)
		}
	case reflect.Slice:
		return saneList(v, name)
	case reflect.Struct:
		return saneFields(v, name)
	}
	return ""
}

// saneFields makes up the name of a field only for one that is wrong.
func saneFields(v reflect.Value, name string) (wrong string) {
	for i := range v.NumField() {
		if wrong = saneValue(v.Field(i), ""); wrong == "" {
			continue
		}
		field := v.Type().Field(i).Name
		if name != "" {
			field = name + "." + field
		}
		return saneValue(v.Field(i), field)
	}
	return ""
}

// saneList copies what it cuts, so that the rest can be freed.
func saneList(v reflect.Value, name string) (wrong string) {
	if v.Len() > maxItems {
		v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, maxItems), v.Slice(0, maxItems)))
	}
	for i := range v.Len() {
		if wrong = saneValue(v.Index(i), name); wrong != "" {
			return wrong
		}
	}
	return ""
}

func saneTime(t time.Time, name string) (wrong string) {
	if year := t.UTC().Year(); !t.IsZero() && (year < firstYear || year > lastYear) {
		return fmt.Sprintf("%s is in the year %d", name, year)
	}
	return ""
}

// storeSlack is how far a document may say that it is from after the store got it. Stores refuse
// requests by clocks that are a quarter of an hour wrong.
const storeSlack = 24 * time.Hour

// farAhead reports whether a document says that it is from long after the store got it. Whoever wrote
// it, it is no news for ever.
func farAhead(said, stored time.Time) bool {
	return !stored.IsZero() && said.After(stored.Add(storeSlack))
}

// absurdSequence is the number of a set that no counting gave, so that it does not count among
// others.
const absurdSequence = -1

// ahead says what a committed set says of itself that was not so when the store got it, or "". A number
// counts sets up, and a database has at most one a second: so a planted one leaves room for those
// that follow it.
func (g *Gathered) ahead() string {
	if farAhead(g.FinishedAt, g.StoredAt) { // a clock that was wrong: the backup is none the worse for it
		g.FinishedAt = g.StoredAt
	}
	most := int64(math.MaxInt32)
	if !g.StoredAt.IsZero() {
		most = g.StoredAt.Unix()
	}
	if n := g.Sequence; n > most {
		g.Sequence = absurdSequence
		return fmt.Sprintf("the manifest is absurd: it is number %d of its database", n)
	}
	return ""
}
