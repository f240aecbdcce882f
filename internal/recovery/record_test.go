package recovery

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
)

// account is an account with a recovery key, and its keys.
func account(t testing.TB, entropy byte) (*identity.Keys, *identity.RecoveryKeys, *identity.Chain) {
	t.Helper()
	k, err := identity.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := identity.Verify([][]byte{k.Genesis(wire.Handle{Name: "ana", Host: "example.org"}, time.Unix(1e9, 0))})
	if err != nil {
		t.Fatal(err)
	}
	r, err := identity.NewRecoveryKeys([32]byte{entropy})
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Append(k.SetRecovery(chain, r, time.Unix(1e9, 0))); err != nil {
		t.Fatal(err)
	}
	return k, r, chain
}

func small() Record {
	return Record{
		Name: "Ana", Status: "here",
		People: []Contact{
			{Account: identity.ID{1}, Handle: "bo@example.org", Standing: Known, Nickname: "Bobo", Length: 1, Head: wire.Hash{1}},
			{Account: identity.ID{2}, Handle: "mal@example.org", Standing: Blocked, Length: 3, Head: wire.Hash{2}},
		},
		Rooms: []Room{{ID: room.ID{3}, Kind: room.Group, Title: "club", Host: "example.org", Generation: 2, Log: wire.LogName{4}, Members: []Member{{identity.ID{1}, "bo@example.org"}}}},
	}
}

func TestRecord(t *testing.T) {
	k, r, chain := account(t, 1)
	for name, want := range map[string]Record{"empty": {}, "small": small()} {
		sealed, err := Seal(k, chain, want)
		if err != nil || len(sealed) != 4<<10 {
			t.Fatalf("%s: %v, %d bytes", name, err, len(sealed))
		}
		got, err := Open(r, chain, sealed)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
}

// Whatever it holds, it has one of seven sizes, and what is too much is left out.
func TestRecordSizes(t *testing.T) {
	k, r, chain := account(t, 1)
	big := small()
	for i := range 2000 {
		id := identity.ID{byte(i), byte(i >> 8)}
		big.People = append(big.People, Contact{Account: id, Handle: fmt.Sprintf("p%d@example.org", i), Standing: Known, Length: 1})
		x := Room{ID: room.ID(id), Kind: room.Group, Title: strings.Repeat("x", 200), Host: "example.org", Generation: 1}
		for range MaxMembers {
			x.Members = append(x.Members, Member{id, "bo@example.org"})
		}
		big.Rooms = append(big.Rooms, x)
		if i%300 != 0 && i != 1999 {
			continue
		}
		sealed, err := Seal(k, chain, big)
		if err != nil || len(sealed)&(len(sealed)-1) != 0 || len(sealed) < 4<<10 || len(sealed) > wire.MaxRecord {
			t.Fatalf("%v, %d bytes", err, len(sealed))
		}
		got, err := Open(r, chain, sealed)
		if err != nil || len(got.Rooms) == 0 || len(got.People) == 0 || len(got.Rooms[0].Members) == 0 {
			t.Fatalf("%v, %d people in %d rooms", err, len(got.People), len(got.Rooms))
		}
	}
	if len(big.Rooms[1].Members) != MaxMembers {
		t.Error("the record of the caller was cut")
	}
}

// What is not the account's own record is none.
func TestForgedRecords(t *testing.T) {
	k, r, chain := account(t, 1)
	other, others, theirs := account(t, 2)
	good, err := Seal(k, chain, small())
	if err != nil {
		t.Fatal(err)
	}
	seal := func(k *identity.Keys, c *identity.Chain, rec Record) []byte {
		b, err := Seal(k, c, rec)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	edit := func(f func(*Record)) []byte {
		rec := small()
		f(&rec)
		return seal(k, chain, rec)
	}
	foreign, err := identity.Seal(chain.Recovery().Seal, []byte(recordInfo), append(wire.Marshal(signed{}), 0x80))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut": good[:len(good)-1], "too long": make([]byte, wire.MaxRecord+1),
		"changed":            append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"for another key":    seal(other, theirs, small()),
		"by nobody":          foreign,
		"by another's":       seal(other, chain, small()),
		"a handle":           edit(func(r *Record) { r.People[0].Handle = "Bo@example.org" }),
		"a standing":         edit(func(r *Record) { r.People[0].Standing = 3 }),
		"a length":           edit(func(r *Record) { r.People[0].Length = 0 }),
		"a nickname":         edit(func(r *Record) { r.People[0].Nickname = "a\u202eb" }),
		"a name":             edit(func(r *Record) { r.Name = " x" }),
		"a kind":             edit(func(r *Record) { r.Rooms[0].Kind = 9 }),
		"a host":             edit(func(r *Record) { r.Rooms[0].Host = "EXAMPLE.org" }),
		"a title":            edit(func(r *Record) { r.Rooms[0].Title = strings.Repeat("x", room.MaxTitle+1) }),
		"a member's handle":  edit(func(r *Record) { r.Rooms[0].Members[0].Handle = "" }),
		"generation nothing": edit(func(r *Record) { r.Rooms[0].Generation = 0 }),
	} {
		if got, err := Open(r, chain, b); !errors.Is(err, ErrRecord) || !reflect.DeepEqual(got, Record{}) {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
	if _, err := Open(others, chain, good); !errors.Is(err, ErrRecord) {
		t.Errorf("other words opened it: %v", err)
	}
	if _, err := Open(r, theirs, good); !errors.Is(err, ErrRecord) {
		t.Errorf("it opened for another account: %v", err)
	}
	// A device that was revoked since may have been the last that wrote it.
	second, err := identity.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []func() []byte{
		func() []byte { return k.AddDevice(chain, second, time.Now()) },
		func() []byte { return second.RevokeDevice(chain, k.Name, time.Now()) },
	} {
		if err := chain.Append(s()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(r, chain, good); err != nil {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	k, r, chain := account(f, 1)
	for _, rec := range []Record{{}, small()} {
		f.Add(wire.Marshal(rec))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		plain := append(wire.Marshal(signed{Record: b, Device: k.Name, Signature: signRecord(k, chain, b)}), 0x80)
		sealed, err := identity.Seal(chain.Recovery().Seal, []byte(recordInfo), plain)
		if err != nil {
			t.Fatal(err)
		}
		if rec, err := Open(r, chain, sealed); err == nil && !bytes.Equal(wire.Marshal(rec), b) {
			t.Fatalf("%x is taken and is %x", b, wire.Marshal(rec))
		} else if err != nil && !errors.Is(err, ErrRecord) {
			t.Fatal(err)
		}
	})
}
