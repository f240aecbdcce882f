package archive

import (
	"crypto/sha256"
	"slices"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/mimi"
)

// A message that waited to be sent when its row was read is read when it has been sent; one that
// waits on is not.
func TestReadLate(t *testing.T) {
	st, err := store.Open(store.Options{Path: "x.db", Key: sha256.Sum256([]byte("x")), FS: faultfs.New(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	id := room.ID{1}
	update := func(f func(tx store.Tx) error) {
		t.Helper()
		if err := st.Update(f); err != nil {
			t.Fatal(err)
		}
	}
	add := func(n byte, pos int64) {
		update(func(tx store.Tx) error {
			_, err := tx.AddMessage(store.Message{Room: id, ID: mimi.MessageID{n}, Pos: pos, Kind: mimi.KindText, Text: "x", Content: []byte{n}})
			return err
		})
	}
	place := func(n byte, pos int64) {
		update(func(tx store.Tx) error { return tx.PlaceMessage(id, mimi.MessageID{n}, pos, 1, 1, 1) })
	}
	update(func(tx store.Tx) error {
		return tx.PutRoom(store.Room{ID: id, Kind: room.Group, Title: "x", State: store.RoomActive, Generation: 1})
	})
	var p Place
	var got []byte
	read := func() {
		for late := true; late; {
			update(func(tx store.Tx) (err error) {
				for !p.Done() {
					var c Chunk
					if c, p, err = Read(tx, p, Self{Account: identity.ID{1}}); err != nil {
						return err
					}
					for _, m := range c.Messages {
						got = append(got, m.ID[0])
					}
				}
				var next Place
				if next, late, err = p.AfterLate(tx); late {
					p = next
				}
				return err
			})
		}
	}
	add(1, 100)
	add(2, 0)
	add(3, 200)
	add(4, 0)
	read()
	if !slices.Equal(got, []byte{1, 3}) {
		t.Fatalf("read %v", got)
	}
	place(2, 300)
	read()
	add(5, 400)
	p = p.Again()
	read()
	if slices.Sort(got); !slices.Equal(slices.Compact(got), []byte{1, 2, 3, 5}) {
		t.Fatalf("read %v", got)
	}
}
