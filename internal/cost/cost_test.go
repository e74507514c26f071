package cost_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/cost"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

const gib = 1 << 30

var now = time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)

var subject = cost.Subject{Region: "us-east-1", Instance: "db1", Database: "shop", Whose: backup.Whose{Job: "shop"}}

func near(t testing.TB, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 0.005 {
		t.Errorf("%s: %.4f, want %.4f", what, got, want)
	}
}

func forecast(t testing.TB, p cost.Plan, months int, sets ...backup.Set) []cost.Month {
	t.Helper()
	out, err := cost.Forecast(price.BuiltIn(), subject, sets, p, now, months)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func set(daysAgo int, bytes int64, class string) backup.Set {
	at := now.AddDate(0, 0, -daysAgo)
	id := at.Format(backup.IDTime) + "-00000a"
	return backup.Set{
		ID: id, Dir: "p/db1/shop/" + id + "/", Kind: backup.KindNative, Instance: "db1", Database: "shop", Job: "shop",
		FinishedAt: at, StoredAt: at, StoredSize: bytes, Class: class, Manifest: &backup.Manifest{ID: id, Job: "shop"},
	}
}

// A set of 100 GiB a day, kept for 30 days, is 31 sets: one that is 30 days old is not older than 30 days. Published
// examples count 30, $69 and $37.50, and $15 "with Glacier", which no retention of 30 days reaches: each set there is
// paid for 90 days.
func TestAHundredGiBADayForThirtyDaysCostsWhatAHandMadeCalculationSays(t *testing.T) {
	for class, want := range map[string]float64{
		"STANDARD":    31 * 100 * 0.023,
		"STANDARD_IA": 31 * 100 * 0.0125,
		// 31 days in the class, 59 more that are paid for all the same, 30 sets a month.
		"GLACIER": 31*100*0.0036 + 30*100*0.0036*59/30,
	} {
		p := cost.Plan{Keep: config.Keep{Days: 30}, Class: class, Every: 24 * time.Hour, Bytes: 100 * gib}
		got := forecast(t, p, 4)[3]
		near(t, class, got.Storage+got.Early, want)
		if got.Sets != 31 || got.Bytes != 31*100*gib {
			t.Errorf("%s: %d sets, %d bytes", class, got.Sets, got.Bytes)
		}
	}
}

func TestTheFirstMonthsFillUp(t *testing.T) {
	p := cost.Plan{Keep: config.Keep{Days: 60}, Class: "STANDARD", Every: 24 * time.Hour, Bytes: 10 * gib}
	months := forecast(t, p, 3)
	// The set of day d lies there for 30-d days of the first month: 29+28+...+0 days in all.
	near(t, "first", months[0].Storage, 10*0.023*(29*30/2)/30)
	near(t, "second", months[1].Storage, 10*0.023*(30*30+29*30/2)/30)
	if months[0].Sets != 30 || months[2].Sets != 61 {
		t.Errorf("%+v", months)
	}
}

func TestWhatIsThereIsPaidForAndGoesByTheSameRules(t *testing.T) {
	p := cost.Plan{Keep: config.Keep{Days: 7, MinGood: 1}, Class: "STANDARD", Every: 24 * time.Hour, Bytes: gib}
	months := forecast(t, p, 1, set(1, gib, "STANDARD"), set(100, 50*gib, "STANDARD_IA"))
	if months[0].Sets != 8 {
		t.Errorf("%+v", months[0])
	}
	other := set(2, 1000*gib, "STANDARD")
	other.Job = "weekly"
	broken := set(3, 1000*gib, "STANDARD")
	broken.Problem = "dump.pgc.zst is gone"
	with := forecast(t, p, 1, set(1, gib, "STANDARD"), set(100, 50*gib, "STANDARD_IA"), other, broken)
	near(t, "other jobs' and damaged sets", with[0].Storage, months[0].Storage)
}

func TestGrowthMakesLaterSetsLarger(t *testing.T) {
	p := cost.Plan{Keep: config.Keep{Last: 1, MinGood: 1}, Class: "STANDARD", Every: 24 * time.Hour, Bytes: 100 * gib, Growth: 0.1}
	months := forecast(t, p, 12)
	near(t, "the last set", float64(months[11].Bytes)/gib, float64(months[11].Sets)*100*2.2-10.0/30*math.Max(0, float64(months[11].Sets-1)))
}

func TestRequestsAreCountedWhereTheirPriceIsKnown(t *testing.T) {
	p := cost.Plan{Class: "GLACIER_IR", Every: 24 * time.Hour, Bytes: gib, Parts: 1000}
	near(t, "requests", *forecast(t, p, 1)[0].Requests, 30*0.02)
	elsewhere := subject
	elsewhere.Region = "eu-central-1"
	out, err := cost.Forecast(price.BuiltIn(), elsewhere, nil, p, now, 1)
	if err != nil || out[0].Requests != nil {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestARhythmWithoutAnEndIsRefused(t *testing.T) {
	_, err := cost.Forecast(price.BuiltIn(), subject, nil, cost.Plan{Every: time.Minute, Bytes: 1}, now, 12)
	if err == nil || !strings.Contains(err.Error(), "more than 20000 sets at once") {
		t.Error(err)
	}
}

func TestAPlanIsReadOffTheNewestSets(t *testing.T) {
	var sets []backup.Set
	for i := range 40 {
		sets = append(sets, set(i, int64(140-i)*gib, "STANDARD_IA"))
	}
	p := cost.PlanOf(config.Job{Name: "shop", Keep: config.Keep{Days: 7}}, "", sets)
	if p.Every != 24*time.Hour || p.Bytes != 140*gib || p.Class != "STANDARD_IA" || p.Keep.Days != 7 {
		t.Errorf("%+v", p)
	}
	near(t, "growth", p.Growth, (140.0/101-1)/(39.0/30))
	if none := cost.PlanOf(config.Job{Name: "shop"}, "GLACIER_IR", nil); none.Every != 0 || none.Bytes != 0 || none.Class != "GLACIER_IR" {
		t.Errorf("%+v", none)
	}
}

func TestAWrongSuppositionIsNamed(t *testing.T) {
	var p cost.Plan
	for change, want := range map[string]string{
		"keep.days=many": "keep.days=\"many\" is not a number", "keep.hourly=3": `"keep.hourly" is not known: there are keep.last`,
		"every=often": "is not a duration", "every=1s": "is not a duration", "size=big": "is not the size", "size=0": "is not the size",
		"growth=x": "per cent a month", "colour=red": `"colour" is not known`,
	} {
		key, value, _ := strings.Cut(change, "=")
		if err := p.Change(key, value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", change, err)
		}
	}
	for _, change := range []string{"keep.weekly=52", "class=GLACIER_IR", "every=4h", "size=100GiB", "growth=5%"} {
		key, value, _ := strings.Cut(change, "=")
		if err := p.Change(key, value); err != nil {
			t.Error(err)
		}
	}
	if got := fmt.Sprintf("%d %s %s %d %g", p.Keep.Weekly, p.Class, p.Every, p.Bytes/gib, p.Growth); got != "52 GLACIER_IR 4h0m0s 100 0.05" {
		t.Error(got)
	}
}

func TestWhatHasNoPriceHasNoForecast(t *testing.T) {
	_, err := cost.Forecast(price.BuiltIn(), cost.Subject{Region: "mars-1"}, nil, cost.Plan{Every: time.Hour}, now, 1)
	if err == nil || !strings.Contains(err.Error(), `no price of STANDARD in "mars-1"`) {
		t.Error(err)
	}
}

// 100 GiB a day in STANDARD_IA, kept for 90 days, moved to GLACIER_IR after 60: from the fourth month on, 60 sets lie in
// the one and 31 in the other; a set that goes after 30 days in GLACIER_IR is paid for 60 more.
func TestATransitionIsLaidOverTheMonths(t *testing.T) {
	p := cost.Plan{
		Keep: config.Keep{Days: 90}, Class: "STANDARD_IA", Every: 24 * time.Hour, Bytes: 100 * gib,
		Transition: config.Transition{Class: "GLACIER_IR", Days: 60},
	}
	m := forecast(t, p, 6)[5]
	near(t, "storage", m.Storage, 60*100*0.0125+31*100*0.004)
	near(t, "too early", m.Early, 30*100*0.004*59/30)
	p.Bytes = gib / 8 // smaller than what must stay readable: nothing moves, and no price is missed
	p.Transition.Class = "INTELLIGENT_TIERING"
	near(t, "small ones", forecast(t, p, 6)[5].Storage, 91*0.125*0.0125)
	p.Bytes = gib
	if _, err := cost.Forecast(price.BuiltIn(), subject, nil, p, now, 1); err == nil || !strings.Contains(err.Error(), "where s3.transition moves sets") {
		t.Error(err)
	}
}

func TestALeftClassIsPaidForUntilItsMinimum(t *testing.T) {
	p := cost.Plan{
		Class: "STANDARD_IA", Every: 24 * time.Hour, Bytes: 100 * gib, Transition: config.Transition{Class: "GLACIER_IR", Days: 10},
	}
	near(t, "moved after 10 of 30 days", forecast(t, p, 3)[2].Early, 30*100*0.0125*20/30)
}

func TestWhatIsThereMovesAtOnceAndWhatHasMovedIsNotTheClassOfNewSets(t *testing.T) {
	p := cost.Plan{
		Keep: config.Keep{Last: 5, Days: 1000}, Class: "STANDARD_IA", Every: 1000 * 24 * time.Hour, Bytes: gib,
		Transition: config.Transition{Class: "GLACIER_IR", Days: 60},
	}
	months := forecast(t, p, 2, set(100, 100*gib, "STANDARD_IA"), set(50, 100*gib, "STANDARD_IA"), set(200, 100*gib, "GLACIER_IR"))
	near(t, "first", months[0].Storage, 100*(2*0.004+0.0125*10/30+0.004*20/30))
	near(t, "second", months[1].Storage, 3*100*0.004)
	job := config.Job{Name: "shop", Transition: p.Transition}
	if got := cost.PlanOf(job, "STANDARD_IA", []backup.Set{set(1, gib, "GLACIER_IR"), set(2, gib, "STANDARD_IA")}); got.Class != "STANDARD_IA" || got.Transition != p.Transition {
		t.Errorf("%+v", got)
	}
}

func TestGrowthIsWhatTheSetsThatAreThereShowAndNothingElse(t *testing.T) {
	var sets []backup.Set
	for i, size := range []int64{130, 110, 100, 100} { // 0, 30, 60 and 90 days ago
		sets = append(sets, set(30*i, size*gib, "STANDARD"))
	}
	g := cost.GrowthOf(sets)
	if !g.Known || g.Months != 3 {
		t.Errorf("%+v", g)
	}
	near(t, "all", g.PerMonth, 0.1)
	near(t, "slowest", g.Low, 0)
	near(t, "fastest", g.High, 130.0/110-1)
	for name, few := range map[string][]backup.Set{"none": nil, "one": sets[:1], "three weeks": {set(0, gib, ""), set(21, 2*gib, "")}} {
		if g := cost.GrowthOf(few); g.Known {
			t.Errorf("%s: %+v", name, g)
		}
	}
	past := cost.HistoryOf(append(sets, set(1, 120*gib, "STANDARD")))
	if got := fmt.Sprint(past); got != fmt.Sprintf("[{2026-08 1 %d %d} {2026-09 1 %[1]d %[2]d} {2026-10 1 %[3]d %[3]d} {2026-11 2 %d %d}]",
		100*gib, 100*gib, 110*gib, 250*gib, 130*gib) {
		t.Error(got)
	}
	p := cost.Plan{Keep: config.Keep{Last: 1}, Class: "STANDARD", Every: 24 * time.Hour, Bytes: 130 * gib, Growth: g.PerMonth}
	likely, low, high, err := cost.ForecastRange(price.BuiltIn(), subject, sets, p, now, 12)
	if err != nil || low[11].Bytes >= likely[11].Bytes || likely[11].Bytes >= high[11].Bytes {
		t.Error(low[11], likely[11], high[11], err)
	}
	if _, low, _, err := cost.ForecastRange(price.BuiltIn(), subject, sets[:1], p, now, 1); low != nil || err != nil {
		t.Error("a range of a growth that is not known", low, err)
	}
}
