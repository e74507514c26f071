package ui_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

const restoreUnit, undoUnit = "postgres-restore@1.service", "postgres-restore@2.service"

// wizard opens the restore wizard on the newest backup of sales.
func wizard(t *testing.T, change func(w *uitest.World, o *ui.Options)) (*ui.Driver, *uitest.World) {
	t.Helper()
	d, w := open(t, change)
	ready(d).Press("2", "R").Until("WHAT COMES BACK")
	return d, w
}

// shows waits for texts, wherever lines break and whatever is bold.
func shows(d *ui.Driver, texts ...string) {
	for _, text := range texts {
		d.UntilIs("shows "+text, func(v string) bool {
			return strings.Contains(strings.Join(strings.Fields(ansi.Strip(v)), " "), text)
		})
	}
}

// replaced is what a unit says that put a backup in the place of sales.
func replaced() *ui.RestoreResult {
	return &ui.RestoreResult{
		Over: true, Request: ui.RestoreRequest{Request: restore.Request{Replace: "sales"}},
		Restored: &restore.Restored{
			Database: "sales", Kept: "sales_before_20261123T031220Z", Ended: 2, Tables: 4, Rows: 38077654, Compared: true,
			Notes: []string{"other than before: parameter work_mem is no longer set"},
		},
	}
}

func asked(t *testing.T, w *uitest.World) (r ui.RestoreRequest) {
	t.Helper()
	w.Change(func(w *uitest.World) {
		if len(w.Asked) > 0 {
			r = w.Asked[len(w.Asked)-1]
		}
	})
	if r.Set.ID == "" && r.Swap == "" {
		t.Fatal("nothing was asked for")
	}
	return r
}

func TestRestoreWizardFromSourceToNextCommands(t *testing.T) {
	d, w := wizard(t, nil)
	d.Press("enter")
	shows(d, "free")
	d.Press("ctrl+u", "crm", "enter")
	shows(d, "a database of this name exists")
	d.Press("ctrl+u", "sales")
	shows(d, "that is the source")
	d.Press("ctrl+u", "数据 'x", "enter")
	shows(d, "OPTIONS")
	d.Press("down", "right", "down", "right", "right", "enter")
	shows(d, "all passed")
	if !strings.Contains(plain(d), `--to '数据 '\''x'`) || !strings.Contains(plain(d), "--globals --jobs 2") {
		t.Error(plain(d))
	}
	d.Press("tab", "enter")
	shows(d, "LAST LINES")
	w.Ends(restoreUnit, ui.RunOK, &ui.RestoreResult{Over: true, Restored: &restore.Restored{Database: "数据 'x", Compared: true, Tables: 4, Rows: 38077654}})
	shows(d, "rows compared: 4 tables, 38,077,654 rows, all as dumped", "dropdb -- '数据 '", "The live database sales was not touched.")
	if got := w.Started; !slices.Equal(got, []string{"restore " + restoreUnit}) {
		t.Errorf("started %v", got)
	}
}

func TestOneTableIsPickedPlannedAndRestoredAlone(t *testing.T) {
	d, w := wizard(t, nil)
	d.Press("down", "enter")
	shows(d, "public.orders")
	d.Press("enter")
	shows(d, "nothing is picked")
	d.Press("/", "orders", "enter").UntilIs("filtered", func(v string) bool { return !strings.Contains(v, "customers") })
	d.Press("j", " ")
	shows(d, "1 picked · 9,845,200 rows, 1.9 GiB · public.orders")
	d.Press("esc").Until("customers") // the filter first
	d.Press("enter")
	shows(d, "NAME OF THE NEW DATABASE", "free")
	d.Press("enter", "enter")
	shows(d, "all passed")
	for _, want := range []string{"Fetches", "481 MiB of 725 MiB, by ranges", "1: table public.orders", "2: type public.order_state, function public.touch()", "fk constraint public.orders orders_customer_fkey"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("the plan does not say %q:\n%s", want, plain(d))
		}
	}
	d.Press("tab", "enter")
	shows(d, "LAST LINES")
	if r := asked(t, w); !slices.Equal(r.Tables, []string{"public.orders"}) || r.To != "sales_restored_20261123" || r.Replace != "" || r.DataOnly {
		t.Errorf("%+v", r)
	}
	w.Ends(restoreUnit, ui.RunOK, &ui.RestoreResult{Over: true, Restored: &restore.Restored{Compared: true, Tables: 1, Rows: 9845200, Portion: w.Portion, Fetched: 481 << 20}})
	shows(d, "rows compared: 1 table, 9,845,200 rows", "481 MiB of 725 MiB")
}

func TestASetWithoutAnIndexSaysThatAllOfItIsFetched(t *testing.T) {
	d, _ := wizard(t, func(w *uitest.World, _ *ui.Options) { w.Portion.Whole = "the set has no index of frames" })
	d.Press("down", "enter")
	shows(d, "public.orders")
	d.Press(" ", "enter")
	shows(d, "free")
	d.Press("enter", "enter")
	shows(d, "the whole dump, 725 MiB: the set has no index of")
}

func TestASchemaIsPickedWholeAndNoTableIsTakenOutOfIt(t *testing.T) {
	d, w := wizard(t, nil)
	d.Press("down", "enter")
	shows(d, "public.orders")
	d.Press("j", "j", "j", " ") // a table of its own, and then its schema
	shows(d, "1 picked · 120,450 rows")
	d.Press("k", "k", " ")
	shows(d, "1 picked · 38,077,654 rows, 2.7 GiB · schema public")
	d.Press(" ")
	shows(d, "its whole schema is picked")
	d.Press("enter", "enter", "enter")
	shows(d, "all passed")
	if r := asked(t, w); !slices.Equal(r.Schemas, []string{"public"}) || len(r.Tables) != 0 {
		t.Errorf("%q of %q", r.Tables, r.Schemas)
	}
}

func TestAPartitionedTableCanBePickedAndItsRowsAreNotSaidToBeNone(t *testing.T) {
	d, w := wizard(t, func(w *uitest.World, _ *ui.Options) {
		w.View.Others = []ui.TableView{{Schema: "public", Name: "events", Ref: "public.events", Kind: "no own rows", Rows: -1, Bytes: -1}}
	})
	d.Press("down", "enter")
	shows(d, "public.events no own rows", "public whole schema 38,077,654 2.7 GiB")
	d.Press("G", " ")
	shows(d, "1 picked · ? rows, ? · public.events")
	d.Press("enter", "enter", "enter")
	shows(d, "all passed")
	if r := asked(t, w); !slices.Equal(r.Tables, []string{"public.events"}) {
		t.Errorf("%q", r.Tables)
	}
}

func TestLeavingThePickerByEscKeepsWhatWasPickedBefore(t *testing.T) {
	d, w := wizard(t, nil)
	d.Press("down", "enter")
	shows(d, "public.orders")
	d.Press(" ", "enter")
	shows(d, "free")
	d.Press("esc")
	shows(d, "WHERE TO")
	d.Press("enter")
	shows(d, "public.orders")
	d.Press("G", " ")
	shows(d, "public.order_lines")
	d.Press("esc")
	shows(d, "WHERE TO")
	d.Press("enter")
	shows(d, "schema audit")
	d.Press("enter", "enter", "enter")
	shows(d, "all passed")
	if r := asked(t, w); len(r.Tables) != 0 || !slices.Equal(r.Schemas, []string{"audit"}) {
		t.Errorf("%q of %q", r.Tables, r.Schemas)
	}
}

func TestRowsGoIntoAnExistingDatabaseOnly(t *testing.T) {
	d, w := wizard(t, nil)
	d.Press("down", "down", "enter")
	shows(d, "public.orders")
	d.Press(" ", "enter")
	shows(d, "✓ exists")
	d.Press("x")
	shows(d, "there is no database of this name")
	d.Press("backspace", "enter")
	shows(d, "PUT ROWS INTO THE LIVE DATABASE sales ON db01 15/main", "all passed", "type its name")
	d.Press("sale", "enter")
	shows(d, "that is not its name")
	if len(w.Started) != 0 {
		t.Fatal("started without the name")
	}
	d.Press("s")
	shows(d, "enter: put rows in")
	d.Press("pgdown")
	shows(d, "--confirm sales")
	d.Press("enter")
	shows(d, "restore of sales to sales")
	r := asked(t, w)
	if !r.DataOnly || r.To != "sales" || r.Confirm != "sales" || r.Roles != nil || r.Globals || r.SchemaOnly {
		t.Errorf("%+v", r)
	}
}

func TestOptionsReachTheRequestAndBadRolesDoNot(t *testing.T) {
	d, w := wizard(t, nil)
	d.Press("enter")
	shows(d, "free")
	d.Press("enter", "up", `app=new, "a=b`, "enter")
	shows(d, "roles are mapped as OLD=NEW")
	d.Press(`"=c`, "up", "right", "up", "right", "enter")
	shows(d, "all passed")
	shows(d, `--role '"a=b"=c'`, "--role app=new")
	r := asked(t, w)
	if want := map[string]string{"app": "new", "a=b": "c"}; !reflect.DeepEqual(r.Roles, want) || !r.NoOwner || !r.NoTablespaces {
		t.Errorf("%+v", r)
	}
}

func TestAFailedCheckKeepsRestoreDead(t *testing.T) {
	d, w := wizard(t, func(w *uitest.World, _ *ui.Options) {
		w.Checks = append(w.Checks, restore.Check{Detail: "1 GiB free, 3.4 GiB needed", Remedy: "free space"})
	})
	d.Press("enter")
	shows(d, "free")
	d.Press("enter", "enter")
	shows(d, "a check failed", "→ free space")
	d.Press("tab")
	shows(d, "tab: a check failed")
	d.Press("enter").UntilIs("left", func(v string) bool { return strings.Contains(v, "newest first") })
	if len(w.Started) != 0 {
		t.Error(w.Started)
	}
}

func TestChecksThatCouldNotBeMadeKeepRestoreDead(t *testing.T) {
	d, _ := wizard(t, func(w *uitest.World, _ *ui.Options) {
		w.Fail["preflight"] = fault.New(fault.Unavailable, "postgres: connect", "start PostgreSQL", nil)
	})
	d.Press("enter")
	shows(d, "free")
	d.Press("enter", "enter")
	shows(d, "the checks could not be made", "start PostgreSQL")
}
