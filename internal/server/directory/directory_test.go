package directory

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/identity"
	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

func open(t *testing.T, fs vfs.FS, now *time.Time) (*Directory, *engine.DB) {
	t.Helper()
	clock := func() time.Time { return *now }
	db, err := engine.Open(engine.Options{Dir: "db", FS: fs, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(db, Options{Now: clock, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	d.SetHost("example.org")
	return d, db
}

func keys(t *testing.T) *identity.Keys {
	k, err := identity.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func genesis(k *identity.Keys, name string) []byte {
	return k.Genesis(wire.Handle{Name: name, Host: "example.org"}, time.Unix(1e9, 0))
}

// Each answer survives a crash that comes right after it.
func TestAnswersAreDurable(t *testing.T) {
	now := time.Unix(1e9, 0)
	fs := vfs.NewCrashableMem()
	d, db := open(t, fs, &now)
	defer func() { db.Close() }()
	again := func() {
		t.Helper()
		clone := fs.CrashClone(vfs.CrashCloneCfg{})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		fs = clone
		d, db = open(t, fs, &now)
	}
	codes, _, err := d.Invite(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	again()
	k, second := keys(t), keys(t)
	if _, err := d.Register(wire.Register{Genesis: genesis(k, "ana"), Invitation: codes[0]}, false); err != nil {
		t.Fatal(err)
	}
	again()
	a, err := d.Account("ana")
	if err != nil || accounts(d) != 1 {
		t.Fatal(err)
	}
	if _, err := d.Register(wire.Register{Genesis: genesis(keys(t), "bo"), Invitation: codes[0]}, false); wire.CodeOf(err) != wire.CodeInvitation {
		t.Fatalf("a code was good twice: %v", err)
	}
	c := a.Chain.Clone()
	s := k.AddDevice(c, second, now)
	if a, _, err = d.State("ana", wire.Statement{Head: c.Head(), Signed: s}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Publish("ana", second.Name, wire.Publish{Suite: 1, OneTime: [][]byte{{1}, {2}}}); err != nil {
		t.Fatal(err)
	}
	again()
	first, err := d.Claim("ana", wire.ClaimPackages{Suite: 1}, false)
	if err != nil || len(first.Packages) != 1 {
		t.Fatal(err, first)
	}
	again()
	other, err := d.Claim("ana", wire.ClaimPackages{Suite: 1}, false)
	if err != nil || len(other.Packages) != 1 || string(other.Packages[0].KeyPackage) == string(first.Packages[0].KeyPackage) {
		t.Fatalf("a one-time package was handed out twice: %v", err)
	}
	_, revoked, err := d.State("ana", wire.Statement{Head: a.Chain.Head(), Signed: k.RevokeDevice(a.Chain, second.Name, now)})
	if err != nil || len(revoked) != 1 {
		t.Fatal(err)
	}
	again()
	if a, err = d.Account("ana"); err != nil {
		t.Fatal(err)
	}
	words, err := identity.NewRecoveryKeys([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if a, _, err = d.State("ana", wire.Statement{Head: a.Chain.Head(), Signed: k.SetRecovery(a.Chain, words, now)}); err != nil {
		t.Fatal(err)
	}
	if err := d.SetRecord("ana", k.Name, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	again()
	if b, err := d.Record("ana"); err != nil || string(b) != "sealed" {
		t.Fatal(err, b)
	}
	third, grown := keys(t), a.Chain.Clone()
	r := wire.Recover{Handle: "ana@example.org", Head: grown.Head(), Signed: [][]byte{words.AddDevice(grown, third, now)}}
	if err := grown.Append(r.Signed[0]); err != nil {
		t.Fatal(err)
	}
	r.Signed = append(r.Signed, words.RevokeDevice(grown, k.Name, now))
	if _, gone, err := d.Recover(r); err != nil || len(gone) != 1 || gone[0] != k.Name {
		t.Fatal(err, gone)
	}
	if err := d.Dropped(a.Owner(k.Name)); err != nil {
		t.Fatal(err)
	}
	again()
	if a, err = d.Account("ana"); err != nil || len(a.Chain.ActiveDevices()) != 1 || a.Chain.ActiveDevices()[0].Name != third.Name {
		t.Fatal(err)
	}
	owners, err := d.Departed()
	if err != nil || len(owners) != 1 || string(owners[0]) != string(a.Owner(second.Name)) {
		t.Fatal(err, owners)
	}
	if err := d.Dropped(owners[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Suspend("ana", true); err != nil {
		t.Fatal(err)
	}
	again()
	if a, err = d.Account("ana"); err != nil || !a.Suspended || len(a.Chain.ActiveDevices()) != 1 {
		t.Fatal(err)
	}
	if _, err := d.Delete("ana"); err != nil {
		t.Fatal(err)
	}
	again()
	if _, err := d.Account("ana"); wire.CodeOf(err) != wire.CodeNoHandle || accounts(d) != 0 {
		t.Fatal(err)
	}
	if _, err := d.Register(wire.Register{Genesis: genesis(k, "ana")}, true); wire.CodeOf(err) != wire.CodeHandleTaken {
		t.Fatalf("a deleted handle did not rest: %v", err)
	}
}

// What stands in the engine is declared, and no code stands in it.
func TestEveryRowIsDeclared(t *testing.T) {
	now := time.Unix(1e9, 0)
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	codes, _, err := d.Invite(3, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t)
	a, err := d.Register(wire.Register{Genesis: genesis(k, "ana"), Invitation: codes[0]}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Publish("ana", k.Name, wire.Publish{Suite: 1, OneTime: [][]byte{{1}}, LastResort: []byte{2}}); err != nil {
		t.Fatal(err)
	}
	if err := d.SetInbox("ana", k.Name, wire.InboxName{1}, wire.Secret{2}); err != nil {
		t.Fatal(err)
	}
	if err := d.Spend(a, Spending{Logs: 1, Bytes: 2}, Allowance{10, 10, 10}); err != nil {
		t.Fatal(err)
	}
	words, err := identity.NewRecoveryKeys([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.State("ana", wire.Statement{Head: a.Chain.Head(), Signed: k.SetRecovery(a.Chain, words, now)}); err != nil {
		t.Fatal(err)
	}
	if err := d.SetRecord("ana", k.Name, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	mine, _, err := d.InviteBy("ana", 0, 5, 5)
	if err != nil {
		t.Fatal(err)
	}
	codes = append(codes, mine)
	rows := append(append(engine.Inventory{}, Rows...), engine.Rows...)
	err = db.Scan(nil, nil, func(key, value []byte) (bool, error) {
		if _, ok := rows.Find(key); !ok {
			t.Errorf("nobody declares %q", key)
		}
		for _, c := range codes {
			if strings.Contains(string(key)+string(value), c) || strings.Contains(string(key)+string(value), strings.ReplaceAll(c, "-", "")) {
				t.Error("an invitation code is stored")
			}
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Of many who register one name, one code each, or one code together, one wins.
func TestRaces(t *testing.T) {
	now := time.Unix(1e9, 0)
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	codes, _, err := d.Invite(8, 0)
	if err != nil {
		t.Fatal(err)
	}
	race := func(f func(i int) error) (won int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for i := range 8 {
			wg.Go(func() {
				if f(i) == nil {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return won
	}
	var all [8]*identity.Keys
	for i := range all {
		all[i] = keys(t)
	}
	if n := race(func(i int) error {
		_, err := d.Register(wire.Register{Genesis: genesis(all[i], "ana"), Invitation: codes[i]}, false)
		return err
	}); n != 1 {
		t.Errorf("%d hold one handle", n)
	}
	one, _, err := d.Invite(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := race(func(i int) error {
		_, err := d.Register(wire.Register{Genesis: genesis(all[i], string(rune('b'+i))), Invitation: one[0]}, false)
		return err
	}); n != 1 {
		t.Errorf("%d came in with one code", n)
	}
}

func TestTickForgets(t *testing.T) {
	now := time.Unix(1e9, 0)
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	if _, _, err := d.Invite(5, 0); err != nil {
		t.Fatal(err)
	}
	a, err := d.Register(wire.Register{Genesis: genesis(keys(t), "ana")}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Spend(a, Spending{Logs: 1}, Allowance{1, 1, 1}); err != nil {
		t.Fatal(err)
	}
	if err := d.Spend(a, Spending{Logs: 1}, Allowance{1, 1, 1}); wire.CodeOf(err) != wire.CodeQuota {
		t.Fatal(err)
	}
	if _, err := d.Register(wire.Register{Genesis: genesis(keys(t), "bo")}, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.InviteBy("bo", 0, 5, 5); err != nil { // of one who stays: it goes by its time
		t.Fatal(err)
	}
	if _, err := d.Delete("ana"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(400 * 24 * time.Hour)
	owners, _ := d.Departed()
	for _, o := range owners {
		if err := d.Dropped(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Tick(now); err != nil {
		t.Fatal(err)
	}
	err = db.Scan([]byte("D"), []byte("E"), func(key, _ []byte) (bool, error) {
		if !strings.HasPrefix(string(key), prefixAccount+"bo") && !strings.HasPrefix(string(key), prefixChain+"bo") {
			t.Errorf("%q is left", key)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A one-time package is handed out for KeyPackageLife, oldest first, and then erased. A
// last resort stands until it is replaced.
func TestKeyPackagesAge(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Unix(1e9, 0).Truncate(day).Add(23 * time.Hour)
	d, db := open(t, vfs.NewMem(), &now)
	defer db.Close()
	k := keys(t)
	if _, err := d.Register(wire.Register{Genesis: genesis(k, "ana")}, true); err != nil {
		t.Fatal(err)
	}
	publish := func(p wire.Publish, want uint32) {
		t.Helper()
		if n, err := d.Publish("ana", k.Name, p); err != nil || n.OneTime != want || !n.LastResort {
			t.Fatalf("%+v, %v; want %d", n, err, want)
		}
	}
	claim := func(want string, last bool) {
		t.Helper()
		c, err := d.Claim("ana", wire.ClaimPackages{Suite: 1}, false)
		if err != nil || len(c.Packages) != 1 || string(c.Packages[0].KeyPackage) != want || c.Packages[0].LastResort != last {
			t.Fatalf("%+v, %v; want %s", c, err, want)
		}
	}
	rows := func() (n int) {
		err := db.Scan([]byte(prefixOneTime), end(prefixOneTime), func(_, _ []byte) (bool, error) { n++; return true, nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	tick := func() {
		t.Helper()
		if err := d.Tick(now); err != nil {
			t.Fatal(err)
		}
	}
	one := func(kp ...string) (p wire.Publish) {
		p.Suite = 1
		for _, x := range kp {
			p.OneTime = append(p.OneTime, []byte(x))
		}
		return p
	}
	first := one("a", "b", "c")
	first.LastResort = []byte("last")
	publish(first, 3)
	publish(wire.Publish{Suite: 7, OneTime: [][]byte{{1}}}, 4) // the count is of all suites
	now = now.Add(30 * day)
	publish(one("c", "d"), 5) // c stands already
	claim(oldest(t, "a", "b", "c"), false)
	tick()
	now = now.Add(wire.KeyPackageLife - 30*day - 2*time.Hour) // not a full KeyPackageLife
	tick()
	if n, err := d.Count("ana", k.Name); err != nil || n.OneTime != 1 || !n.LastResort {
		t.Fatal(n, err) // the day is over: b, c and the other suite's are too old
	}
	if n := rows(); n != 1 {
		t.Fatalf("%d packages stand", n)
	}
	publish(one("c"), 2) // gone, so it is new
	now = now.Add(30 * day)
	claim("c", false) // d is too old, though no tick has come
	if n := rows(); n != 1 {
		t.Fatalf("%d packages stand", n)
	}
	claim("last", true)
	tick()
	if n := rows(); n != 0 {
		t.Fatalf("%d packages stand", n)
	}
	now = now.Add(400 * day)
	tick()
	claim("last", true)
}

// oldest is the package that is claimed first among those of a day.
func oldest(t *testing.T, kps ...string) string {
	t.Helper()
	return slices.MinFunc(kps, func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return bytes.Compare(x[:], y[:])
	})
}

func accounts(d *Directory) int { here, _ := d.Accounts(); return here }
