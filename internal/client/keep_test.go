package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/internal/wire"
)

// skewed is a clock that is set by hand.
type skewed struct{ now time.Time }

func (s *skewed) Now() time.Time                                { return s.now }
func (s *skewed) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }
func keptBytesOf(list []store.Register) (out string) {
	for _, x := range list {
		out += fmt.Sprintf("%d %x %x %d %x\n", x.What, x.Of, x.Value, x.Time, x.Device)
	}
	return out
}

// keeper is one device of a person, without a network.
type keeper struct {
	*Client
	t     *testing.T
	clock *skewed
	at    int // entries of the log that it has read
}

type keptLog struct {
	entries []loggedKept
	host    int64 // the host's time, Unix milliseconds
}

type loggedKept struct {
	from    wire.DeviceName
	kept    room.Kept
	arrived int64
}

func newKeeper(t *testing.T, person *identity.Keys, n byte, skew time.Duration) *keeper {
	t.Helper()
	clock := &skewed{time.UnixMilli(1_800_000_000_000).Add(skew)}
	c, err := Open(Options{Store: store.Options{Path: "sotto.db", Key: [32]byte{n}, FS: faultfs.New(uint64(n))}, Clock: clock, Post: func(step func()) { step() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	chain, err := identity.Verify([][]byte{person.Genesis(wire.Handle{Name: "ana", Host: "example.org"}, clock.now)})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := identity.NewKeys(rand.NewChaCha8([32]byte{n}))
	if err == nil {
		err = chain.Append(person.AddDevice(chain, keys, clock.now))
	}
	if err != nil {
		t.Fatal(err)
	}
	c.keys, c.chain, c.selfRooms = keys, chain, map[room.ID]bool{{1}: true}
	return &keeper{Client: c, t: t, clock: clock}
}

func (k *keeper) do(f func(tx store.Tx, after *[]func()) error) {
	k.t.Helper()
	var after []func()
	if err := k.write(func(tx store.Tx) error { return f(tx, &after) }); err != nil {
		k.t.Fatal(err)
	}
}

// sends puts what it has to say into the log.
func (k *keeper) sends(l *keptLog, again bool) {
	e := loggedKept{from: k.keys.Name, kept: room.Kept{Again: again}, arrived: l.host}
	k.do(func(tx store.Tx, _ *[]func()) error {
		if again {
			if err := tx.UnsayRegisters(); err != nil {
				return err
			}
			list, err := tx.Unsaid(room.MaxKeptOnce)
			for _, x := range list {
				e.kept.Registers = append(e.kept.Registers, room.Register{What: x.What, Of: x.Of, Value: x.Value, Time: x.Time, Device: &x.Device})
			}
			return err
		}
		list, err := tx.UnsentChanges()
		if err != nil {
			return err
		}
		for _, x := range list {
			e.kept.Registers = append(e.kept.Registers, room.Register{What: x.What, Of: x.Of, Value: x.Value, Time: x.Time})
			x.Sent = true
			if err := tx.PutChange(x); err != nil {
				return err
			}
		}
		return nil
	})
	if len(e.kept.Registers) > 0 {
		if _, err := room.ParseKept(wire.Marshal(e.kept)); err != nil {
			k.t.Fatal(err)
		}
		l.entries = append(l.entries, e)
	}
}

// reads takes the next entry of the log, if there is one.
func (k *keeper) reads(l *keptLog) bool {
	if k.at == len(l.entries) {
		return false
	}
	e := l.entries[k.at]
	k.at++
	k.do(func(tx store.Tx, after *[]func()) error {
		left, err := keptLeft(tx)
		if err != nil {
			return err
		}
		for _, r := range e.kept.Registers {
			x := store.Register{What: r.What, Of: r.Of, Value: r.Value, Time: r.Time, Device: e.from}
			if r.Device != nil {
				x.Device = *r.Device
			}
			how := keptHow{again: e.kept.Again, own: e.from == k.keys.Name, arrived: uint64(e.arrived), left: left}
			if err := k.takeRegister(tx, after, x, how); err != nil {
				return err
			}
		}
		return nil
	})
	return true
}

func (k *keeper) state() (out string) {
	k.do(func(tx store.Tx, _ *[]func()) error {
		list, err := tx.Registers()
		out = keptBytesOf(list)
		return err
	})
	return out
}

// Whatever the clocks of the devices and of the host, and whenever each of them sends and reads:
// in the end all keep the same, byte for byte, show it, and have nothing left to say.
func TestKeptConverges(t *testing.T) {
	person, err := identity.NewKeys(systemRand)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := &keptLog{host: 1_800_000_000_000}
		var all []*keeper
		for n := range byte(3) {
			skew := time.Duration(0)
			if seed%2 == 1 { // one is years ahead, one behind
				skew = time.Duration(int(n)-1) * 3 * 365 * 24 * time.Hour
			}
			all = append(all, newKeeper(t, person, n+1, skew))
		}
		mark := room.ID{9}
		step := func(n int) {
			k := all[r.IntN(len(all))]
			switch n {
			case 0, 1, 2:
				k.do(func(tx store.Tx, after *[]func()) error {
					draft := fmt.Sprint(r.IntN(4))
					if draft == "0" {
						draft = ""
					}
					return k.setMark(tx, after, mark, MarkChange{Draft: &draft, Pinned: ptrTo(r.IntN(2) == 0)})
				})
			case 3, 4:
				k.sends(l, false)
			case 5:
				k.sends(l, r.IntN(8) == 0)
			case 6:
				for _, k := range all {
					k.clock.now = k.clock.now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
				}
				l.host += int64(r.IntN(3000)) - 500 // it may be set back
			default:
				k.reads(l)
			}
		}
		for i := range 300 {
			if i == 150 { // somebody comes, and hears it all in the end
				late := newKeeper(t, person, 9, 0)
				late.at = len(l.entries)
				all = append(all, late)
			}
			step(r.IntN(12))
		}
		told := false
		for more := true; more; {
			more = false
			if caught := all[0].at == len(l.entries); caught && !told {
				all[0].sends(l, true)
				told, more = true, true
			}
			for _, k := range all {
				k.sends(l, false)
				for k.reads(l) {
					more = true
				}
			}
		}
		for _, k := range all {
			if got, want := k.state(), all[0].state(); got != want || got == "" {
				t.Fatalf("seed %d: device %x keeps\n%s, the first\n%s", seed, k.keys.Name[:1], got, want)
			}
			k.do(func(tx store.Tx, _ *[]func()) error {
				left, err := tx.UnsentChanges()
				if err != nil || len(left) != 0 {
					t.Errorf("seed %d: %d are left to say: %v", seed, len(left), err)
				}
				x, err := tx.Register(room.KeptDraft, mark[:])
				if err != nil {
					return err
				}
				shown, err := tx.Mark(mark)
				if want, _ := valueOf[string](*x); shown.Draft != want {
					t.Errorf("seed %d: it shows %q, and keeps %q", seed, shown.Draft, want)
				}
				return err
			})
		}
	}
}

func ptrTo[T any](v T) *T { return &v }

// What is of a later version, and what makes no sense, changes nothing, and is kept.
func TestKeptUnknown(t *testing.T) {
	person, err := identity.NewKeys(systemRand)
	if err != nil {
		t.Fatal(err)
	}
	k := newKeeper(t, person, 1, 0)
	l := &keptLog{host: 1_800_000_000_000}
	mark := room.ID{9}
	odd := []room.Register{
		{What: room.KeptPinned, Of: mark[:], Value: wire.Marshal("yes"), Time: 1},
		{What: room.KeptPinned, Of: []byte{1}, Value: wire.Marshal(true), Time: 1},
		{What: room.KeptMuted, Of: mark[:], Value: wire.Marshal(-7), Time: 1},
		{What: room.KeptDraft, Of: mark[:], Value: []byte{0xff}, Time: 1},
		{What: room.KeptRead, Of: mark[:], Value: wire.Marshal(1), Time: 1},
		{What: room.KeptStar, Of: []byte("no message"), Value: wire.Marshal(true), Time: 1},
		{What: room.KeptStanding, Of: mark[:], Value: wire.Marshal(9), Time: 1},
		{What: room.KeptNickname, Of: mark[:], Value: wire.Marshal("nobody"), Time: 1},
		{What: room.KeptCompared, Of: mark[:], Value: wire.Marshal(room.Compared{Time: -1}), Time: 1},
		{What: room.KeptLater, Of: mark[:], Value: wire.Marshal(true), Time: 1},
		{What: room.KeptLabel, Of: []byte("device"), Value: wire.Marshal("x"), Time: 1},
		{What: room.KeptLabel, Of: make([]byte, 16), Value: wire.Marshal("a\u202eb"), Time: 1},
		{What: room.KeptSetting, Of: []byte("disappear"), Value: wire.Marshal(`-5`), Time: 1},
		{What: room.KeptSetting, Of: []byte("lock_after"), Value: wire.Marshal(`5`), Time: 1},
		{What: room.KeptSetting, Of: []byte("colour"), Value: wire.Marshal(`5`), Time: 1},
		{What: room.KeptSetting, Of: []byte("typing"), Value: wire.Marshal(`{`), Time: 1},
		{What: 200, Of: []byte("of tomorrow"), Value: []byte("x"), Time: 1},
	}
	for i := range odd {
		l.entries = append(l.entries, loggedKept{wire.DeviceName{2}, room.Kept{Registers: odd[i : i+1]}, l.host})
	}
	for k.reads(l) {
	}
	k.do(func(tx store.Tx, _ *[]func()) error {
		list, err := tx.Registers()
		if len(list) != len(odd) {
			t.Errorf("%d of %d are kept", len(list), len(odd))
		}
		m, err2 := tx.Mark(mark)
		if m != (Mark{}) {
			t.Errorf("%+v", m)
		}
		s, _, err3 := readSettings(tx)
		if s != DefaultSettings() {
			t.Errorf("%+v", s)
		}
		if _, ok, _ := tx.Fact(factLabel + string(make([]byte, 16))); ok {
			t.Error("a name that cannot be seen")
		}
		return errors.Join(err, err2, err3)
	})
}

// A device says no more than there is place for, and forgets the oldest of what says nothing.
func TestKeptBounds(t *testing.T) {
	person, err := identity.NewKeys(systemRand)
	if err != nil {
		t.Fatal(err)
	}
	k := newKeeper(t, person, 1, 0)
	k.do(func(tx store.Tx, after *[]func()) error {
		for i := range room.MaxDrafts {
			x := store.Register{What: room.KeptDraft, Of: fmt.Appendf(nil, "%d", i), Value: []byte{1}, Time: 1}
			if i%2 == 0 {
				x.Value = nil
				x.Time = uint64(2 + i)
			}
			if err := tx.PutRegister(x, true); err != nil {
				return err
			}
		}
		if err := k.keep(tx, after, room.KeptDraft, []byte("one more"), []byte{1}); err != nil {
			return err
		}
		if err := k.keep(tx, after, room.KeptNickname, []byte("long"), make([]byte, room.MaxValue+1)); err != nil {
			return err
		}
		left, err := tx.UnsentChanges()
		if len(left) != 0 {
			t.Errorf("%d changes", len(left))
		}
		if err == nil {
			err = tx.PruneRegisters(10)
		}
		all, drafts, err2 := tx.CountRegisters(room.KeptDraft)
		if all != drafts || drafts != room.MaxDrafts/2+10 {
			t.Errorf("%d, %d", all, drafts)
		}
		newest, err3 := tx.Register(room.KeptDraft, fmt.Appendf(nil, "%d", room.MaxDrafts-2))
		if newest == nil {
			t.Error("the newest was forgotten")
		}
		return errors.Join(err, err2, err3)
	})
}
