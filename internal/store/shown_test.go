package store_test

import (
	"strings"
	"testing"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/mimi"
)

var key = [32]byte{1}

func open(t testing.TB, d *faultfs.Disk) *store.Store {
	t.Helper()
	st, err := store.Open(store.Options{Path: "sotto.db", Key: key, FS: d})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// view runs a reading transaction.
func view(t testing.TB, st *store.Store, f func(tx store.Tx)) {
	t.Helper()
	if err := st.View(func(tx store.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// TestPlans: what the list, a page and a search read they find by an index, and what has to
// be in an order is found in it. A scan of all messages would be noticed only by those who
// have many.
func TestPlans(t *testing.T) {
	st := open(t, faultfs.New(1))
	defer st.Close()
	var id room.ID
	ids := []mimi.MessageID{{}}
	view(t, st, func(tx store.Tx) {
		for _, f := range []func() error{
			func() error { _, err := tx.Before(id, 1, 1); return err },
			func() error { _, err := tx.After(id, 1, 1); return err },
			func() error { _, err := tx.NoticesBefore(id, 1, 1); return err },
			func() error { _, err := tx.NoticesAfter(id, 1, 1); return err },
			func() error { _, _, err := tx.FirstUnseen(id); return err },
			func() error { _, _, err := tx.FirstSince(id, 1); return err },
			func() error { _, _, err := tx.Unseen(id); return err },
			func() error { _, err := tx.UnseenThrough(id, 1, 1); return err },
			func() error { _, err := tx.Last(id); return err },
			func() error { _, err := tx.AllLast(); return err },
			func() error { _, err := tx.AllLastNotices(); return err },
			func() error { _, err := tx.PeerHandles(); return err },
			func() error { _, err := tx.MessagesByID(id, ids); return err },
			func() error { _, err := tx.Pins(id); return err },
			func() error { _, err := tx.FindMessage(ids[0]); return err },
			func() error { _, err := tx.NextPos(); return err },
			func() error { _, _, err := tx.CountOld(1); return err },
			func() error { return tx.Search(store.Query{}, nil) },
			func() error { return tx.Search(store.Query{Words: []store.Word{{Text: "a"}}}, nil) },
		} {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}
	})
	plans, err := st.Plans()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for sql, lines := range plans {
		if !strings.HasPrefix(sql, "SELECT") || !strings.Contains(sql, "messages") && !strings.Contains(sql, "notices") {
			continue
		}
		seen++
		for _, line := range lines {
			// A search for a room's few pins may begin with them and be sorted, not with its messages.
			if strings.HasPrefix(line, "SCAN m") || strings.HasPrefix(sql, "SELECT p.message") && strings.Contains(line, "messages_room") || strings.HasPrefix(line, "SCAN notices") && !strings.Contains(line, "COVERING") || strings.Contains(line, "TEMP B-TREE") && !strings.Contains(sql, "FROM pins") {
				t.Errorf("%s\n\t%s", sql, strings.Join(lines, "\n\t"))
				break
			}
		}
	}
	if seen < 15 {
		t.Errorf("%d statements looked at: the test is blind", seen)
	}
}
