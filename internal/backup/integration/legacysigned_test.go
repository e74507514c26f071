package integration

import (
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestWithSigningKeysAnObjectOfTheOldScriptIsAnUnsignedSet(t *testing.T) {
	w, signer := signedWorld(t)
	key := w.script(t, w.job.Database)
	set := w.scripted(t, key)
	id := set.ID
	if set.Good() || set.Signature != backup.SignatureMissing || set.ProblemCode != fault.Refused {
		t.Fatalf("%+v", set)
	}
	to := w.job.Database + "_copy"
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	wantCode(t, err, fault.Refused)
	_, err = verify.Whole(t.Context(), w.job, w.env, set, nil)
	wantCode(t, err, fault.Refused)
	_, err = w.drill(t, set)
	wantCode(t, err, fault.Refused)
	if w.exists(t, to) {
		t.Error("a database was made of it")
	}
	set.AcceptUnsigned()
	checks, _, err := restore.Preflight(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	if err != nil || slices.ContainsFunc(checks, func(c restore.Check) bool { return !c.OK }) {
		t.Errorf("accepted: %+v, %v", checks, err)
	}
	if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil); err != nil {
		t.Errorf("accepted: %v", err)
	}
	w.pg.DropDatabase(t, to)
	w.goesOnlyBehindASignedOne(t, id, func() { w.runAs(t, signer) })
}

// goesOnlyBehindASignedOne asserts what retention does with a set of the old script: nothing, unless it is asked
// and a good signed set is newer.
func (w *world) goesOnlyBehindASignedOne(t *testing.T, id string, sign func()) {
	t.Helper()
	job := w.job
	job.Keep = config.Keep{Days: 1, MinGood: 1}
	goes := func(reach retention.Reach) (gone bool) {
		plan, err := retention.Plan(t.Context(), job, w.env, reach)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range plan.Decisions {
			gone = gone || d.Set.ID == id && d.Delete
		}
		return gone
	}
	w.pass(time.Hour)
	if goes(retention.Reach{Legacy: true}) {
		t.Error("it goes although it is all that there is")
	}
	sign()
	w.pass(100 * 24 * time.Hour)
	for reach, want := range map[retention.Reach]bool{{}: false, {Unsigned: true}: false, {Legacy: true}: true} {
		if got := goes(reach); got != want {
			t.Errorf("%+v: goes %v", reach, got)
		}
	}
}

func TestWithoutSigningKeysNobodyAsksWhoWroteASetOfTheOldScript(t *testing.T) {
	w, _ := signedWorld(t)
	w.script(t, w.job.Database)
	w.job.Signing.PublicKeys = []ed25519.PublicKey{}
	if set := w.sets(t)[0]; !set.Good() || set.Signature != "" {
		t.Errorf("%+v", set)
	}
}
