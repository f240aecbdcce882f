package seed

import (
	"slices"
	"testing"

	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
)

// The same plan makes the same past, in which there is what it asks for.
func TestFill(t *testing.T) {
	plan := Plan{Rooms: 20, Messages: 2000, Longest: 500, Unseen: 50, Seed: 9}
	var before []store.Message
	for range 2 {
		st, err := store.Open(store.Options{Path: "sotto.db", FS: faultfs.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		f, err := Fill(st, plan)
		if err != nil {
			t.Fatal(err)
		}
		var list []store.Message
		if err := st.View(func(tx store.Tx) (err error) {
			list, err = tx.Messages(nil, 0, 1<<20)
			rooms, e := tx.Rooms()
			if len(rooms) != 20 || len(f.Rooms) != 20 || f.Messages != 2000 {
				t.Errorf("%d rooms, %d messages", len(rooms), f.Messages)
			}
			n, all, e2 := tx.CountShown(f.Long)
			if n < 350 || n > 650 || all < 1600 {
				t.Errorf("%d of %d in the long room", n, all)
			}
			for _, e := range []error{e, e2} {
				if e != nil {
					err = e
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		if before != nil && !slices.EqualFunc(before, list, func(a, b store.Message) bool { return a.ID == b.ID && a.Text == b.Text && a.At == b.At }) {
			t.Error("the same plan makes another past")
		}
		before = list
	}
}
