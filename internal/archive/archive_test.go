package archive

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/wire"
	"sotto/mimi"
)

var update = flag.Bool("update", false, "write the fixture of the present version, which must not exist")

// whole has something in every field.
func whole() Chunk {
	h := wire.Hash{1, 2, 3}
	id := mimi.MessageID{1, 9}
	peer := identity.ID{7}
	return Chunk{
		Version: Version, Index: 3, Last: true, Total: 12, Settings: []byte(`{"theme":"dark"}`),
		Labels:   []Label{{Device: wire.DeviceName{1}, Name: "Desk"}},
		People:   []Person{{Chain: [][]byte{{1}, {2}}, Standing: 1, Nickname: "Bobo", Since: 1, Compared: 2, Changed: 3}},
		Profiles: []Profile{{Account: peer, Version: 9, Name: "Bo", Status: "away", Hash: &h, Picture: []byte{4}}},
		Rooms:    []Room{{ID: room.ID{5}, Kind: room.Group, Title: "Council", Peer: &peer, State: 2, Generation: 4, Created: 5}},
		Marks:    []Mark{{Room: room.ID{5}, Field: "draft", Number: 1, Text: "so far", Changed: 6}},
		Pins:     []Pin{{Room: room.ID{5}, Message: id, Account: peer, Time: 7}},
		Messages: []Message{{
			Room: room.ID{5}, ID: id, Pos: 1, Generation: 2, Seq: 3, Account: peer, Device: wire.DeviceName{2}, Kind: 2, Target: &id, Text: "hello",
			Content: []byte{9}, Arrived: 4, Sent: 5, State: 3, Expires: 6, Flags: 8, Vanish: 9, At: 10, Receipts: []Receipt{{peer, 4}},
		}},
		Happened: []Event{{Room: room.ID{5}, Time: 1, Kind: "joined", Text: "Ana added Bo.", Pos: 2, Said: said.Of("added", "by", "Ana", "name", "Bo"),
			Call: &Call{ID: room.CallID{1}, Peer: peer, Outgoing: true, Video: true, Matched: true, End: 1, Began: 1, Answered: 2, Ended: 3}}},
	}
}

func TestWholeHasEverything(t *testing.T) {
	var empty func(v reflect.Value, at string)
	empty = func(v reflect.Value, at string) {
		switch v.Kind() {
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[said.Said]() {
				return
			}
			for i := range v.NumField() {
				empty(v.Field(i), at+"."+v.Type().Field(i).Name)
			}
		case reflect.Slice:
			if v.Len() == 0 {
				t.Errorf("%s is empty", at)
			} else if v.Index(0).Kind() == reflect.Struct {
				empty(v.Index(0), at)
			}
		default:
			if v.IsZero() {
				t.Errorf("%s is empty", at)
			}
		}
	}
	empty(reflect.ValueOf(whole()), "chunk")
}

func TestSealed(t *testing.T) {
	k := Key{1}
	c := whole()
	sealed, err := Seal(k, c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Open(k, c.Index, c.Last, sealed)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, open := range map[string]func() (Chunk, error){
		"another key":           func() (Chunk, error) { return Open(Key{2}, c.Index, c.Last, sealed) },
		"another place":         func() (Chunk, error) { return Open(k, c.Index+1, c.Last, sealed) },
		"not the last":          func() (Chunk, error) { return Open(k, c.Index, false, sealed) },
		"cut":                   func() (Chunk, error) { return Open(k, c.Index, c.Last, sealed[:len(sealed)-1]) },
		"nothing":               func() (Chunk, error) { return Open(k, c.Index, c.Last, nil) },
		"version 0":             func() (Chunk, error) { return Open(k, c.Index, c.Last, append([]byte{0}, sealed[1:]...)) },
		"something behind it":   func() (Chunk, error) { return Open(k, c.Index, c.Last, append(bytes.Clone(sealed), 0)) },
		"longer than it may be": func() (Chunk, error) { return Open(k, c.Index, c.Last, make([]byte, MaxChunk+1)) },
	} {
		if _, err := open(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range sealed[1:] {
		b := bytes.Clone(sealed)
		b[i+1] ^= 1
		if _, err := Open(k, c.Index, c.Last, b); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d changed: %v", i+1, err)
		}
	}
	if _, err := Open(k, c.Index, c.Last, append([]byte{Version + 1}, sealed[1:]...)); !errors.Is(err, ErrNewer) {
		t.Error("a newer version:", err)
	}
}

// TestFixtures opens what every version up to this one has written: yesterday's archives are
// read for ever.
func TestFixtures(t *testing.T) {
	path := filepath.Join("testdata", fmt.Sprintf("version-%d.archive", Version))
	if *update {
		b, err := Seal(Key{42}, whole())
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "version-*.archive"))
	if err != nil || len(files) != Version {
		t.Fatalf("%d fixtures of %d versions: %v", len(files), Version, err)
	}
	var b []byte
	for n := range uint16(Version) {
		if b, err = os.ReadFile(filepath.Join("testdata", fmt.Sprintf("version-%d.archive", n+1))); err != nil {
			t.Fatal(err)
		}
		want := whole()
		if want.Version = n + 1; n+1 < 2 {
			want.Happened[0].Call = nil
		}
		got, err := Open(Key{42}, 3, true, b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	// This version writes the same bytes: a change of the format is a change of its number.
	if again, err := Seal(Key{42}, whole()); err != nil || !bytes.Equal(again, b) {
		t.Error("the format has changed, and its version has not", err)
	}
}

func FuzzOpen(f *testing.F) {
	k := Key{1}
	sealed, err := Seal(k, whole())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint64(3), true, sealed)
	f.Add(uint64(0), false, []byte{1})
	f.Fuzz(func(t *testing.T, index uint64, last bool, b []byte) {
		c, err := Open(k, index, last, b)
		if err != nil {
			return
		}
		if again, err := Seal(k, c); err != nil || !bytes.Equal(again, b) {
			t.Fatal("it opens to something else than it was sealed from", err)
		}
	})
}
