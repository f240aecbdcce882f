package directory

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

// a Monday at noon
var monday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func register(t *testing.T, d *Directory, name, code string, open bool, want wire.Code) {
	t.Helper()
	_, err := d.Register(wire.Register{Genesis: genesis(keys(t), name), Invitation: code}, open)
	if wire.CodeOf(err) != want {
		t.Fatalf("%s: %v", name, err)
	}
}

func inviteBy(t *testing.T, d *Directory, name string, lifetime time.Duration, want wire.Code) string {
	t.Helper()
	code, until, err := d.InviteBy(name, lifetime, 3, 5)
	if wire.CodeOf(err) != want {
		t.Fatalf("%v", err)
	}
	if err == nil && !until.After(d.o.Now()) {
		t.Fatal(until)
	}
	return code
}

// rowsOf counts the rows under a prefix.
func rowsOf(t *testing.T, db *engine.DB, prefix string) (n int) {
	t.Helper()
	err := db.Scan([]byte(prefix), end(prefix), func(_, _ []byte) (bool, error) { n++; return true, nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A person's codes let others in, three at a time and five in a week.
func TestPeopleInvite(t *testing.T) {
	now := monday
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	register(t, d, "ana", "", true, wire.OK)
	first := inviteBy(t, d, "ana", hour, wire.OK)
	register(t, d, "bo", first, false, wire.OK)
	register(t, d, "cy", first, false, wire.CodeInvitation)
	inviteBy(t, d, "ana", hour, wire.OK)
	inviteBy(t, d, "ana", 0, wire.OK)
	inviteBy(t, d, "ana", 0, wire.OK)
	inviteBy(t, d, "ana", hour, wire.CodeQuota) // three are open
	now = now.Add(hour)                         // one of them is over, though its row still stands
	inviteBy(t, d, "ana", hour, wire.OK)
	now = now.Add(hour)
	inviteBy(t, d, "ana", hour, wire.CodeQuota) // five in this week
	inviteBy(t, d, "bo", hour, wire.OK)         // counts alone
	_, _, err := d.InviteBy("ana", 0, 3, 5)
	if e, ok := err.(*wire.Error); !ok || e.After != 6*day+10*hour {
		t.Errorf("the week ends in %v", err)
	}
	now = now.Add(6*day + 10*hour - time.Second)
	inviteBy(t, d, "ana", hour, wire.CodeQuota)
	now = now.Add(time.Second)
	inviteBy(t, d, "ana", hour, wire.OK)
	for _, bad := range []time.Duration{time.Second, 31 * day, -hour} {
		inviteBy(t, d, "ana", bad, wire.CodeMalformed)
	}
	inviteBy(t, d, "nobody", hour, wire.CodeNoHandle)
	for _, none := range [][2]uint64{{0, 5}, {5, 0}} {
		if _, _, err := d.InviteBy("ana", 0, none[0], none[1]); wire.CodeOf(err) != wire.CodeQuota {
			t.Errorf("%v", err)
		}
	}
}

// What a code leaves behind says nothing about who came by it, and codes go with who made
// them.
func TestInvitationsGo(t *testing.T) {
	now := monday
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	register(t, d, "ana", "", true, wire.OK)
	a, err := d.Account("ana")
	if err != nil {
		t.Fatal(err)
	}
	id := a.Chain.ID()
	register(t, d, "bo", inviteBy(t, d, "ana", 0, wire.OK), false, wire.OK)
	if rowsOf(t, db, prefixInvitation) != 0 || rowsOf(t, db, prefixInvited) != 0 {
		t.Error("a spent code has left rows")
	}
	err = db.Scan([]byte("D"), []byte("E"), func(k, v []byte) (bool, error) {
		if bytes.Contains(append(bytes.Clone(k), v...), id[:]) && !bytes.HasPrefix(k, []byte(prefixWeek)) && !bytes.HasPrefix(k, []byte(prefixChain)) {
			t.Errorf("%q names who invited", k)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	suspended := inviteBy(t, d, "ana", 0, wire.OK)
	if _, err := d.Suspend("ana", true); err != nil {
		t.Fatal(err)
	}
	register(t, d, "cy", suspended, false, wire.CodeInvitation)
	if _, err := d.Suspend("ana", false); err != nil {
		t.Fatal(err)
	}
	deleted, bos := inviteBy(t, d, "ana", 0, wire.OK), inviteBy(t, d, "bo", 0, wire.OK)
	if _, err := d.Delete("ana"); err != nil {
		t.Fatal(err)
	}
	register(t, d, "cy", deleted, false, wire.CodeInvitation)
	register(t, d, "cy", bos, false, wire.OK)
	if rowsOf(t, db, prefixInvitation) != 0 || rowsOf(t, db, prefixInvited) != 0 || rowsOf(t, db, prefixWeek) != 1 {
		t.Error("a deleted account has left rows")
	}
}

// Of many requests at once no more are granted than may be open.
func TestInviteRace(t *testing.T) {
	now := monday
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	register(t, d, "ana", "", true, wire.OK)
	var wait sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 16 {
		wait.Go(func() {
			if _, _, err := d.InviteBy("ana", 0, 3, 5); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if won != 3 {
		t.Errorf("%d codes", won)
	}
}
