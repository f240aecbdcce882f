package store

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store/sqlite"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/mimi"
)

// before makes a database as the program before step 3 left it: messages said at the same
// moment, queued ones, edits, hidden and taken back ones, and a notice.
func before(t *testing.T, d *faultfs.Disk) {
	db, err := sqlite.Open(sqlite.Options{Path: "sotto.db", Key: indexKey, FS: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Migrate(db, steps[:2]); err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *sqlite.Tx) error {
		for i := 1; i <= 1200; i++ {
			m := message(i, fmt.Sprintf("xylophone number%d", i))
			var pos any = m.Pos
			m.Arrived = int64(i/5+1) * 1000 // five at once
			switch i % 50 {
			case 1:
				m.Kind = mimi.KindReaction
			case 2:
				m.Flags = FlagHidden
			case 3:
				m.Text, m.Flags = "", FlagDeleted
			case 4:
				m.State, pos, m.Arrived = Queued, nil, 0
			}
			if err := tx.Exec(`INSERT INTO messages (room, message, pos, account, device, kind, text, content, arrived, sent, state, flags) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
				m.Room, m.ID, pos, m.Account, m.Device, m.Kind, m.Text, m.Content, m.Arrived, m.Sent, m.State, m.Flags); err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO notices (room, time, kind, text) VALUES (?, 1, 'joined', 'before')`, message(1, "").Room)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestMigrate: what is in a database of the program before is shown and found as if it had
// come to this one, and as thoroughly forgotten.
func TestMigrate(t *testing.T) {
	d := faultfs.New(1)
	before(t, d)
	st := openIndex(t, d)
	defer func() { st.Close() }()
	if got := st.finds(t, "xylophone"); len(got) != 0 {
		t.Fatalf("%d are found before the index is made", len(got))
	}
	late := message(5000, "xylophone late")
	for i, more := 0, true; more; i++ { // with a restart and a message in between
		if err := st.Update(func(tx Tx) (err error) {
			if more, err = tx.IndexMore(100); err == nil && i == 3 {
				_, err = tx.AddMessage(late)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			st.Close()
			st = openIndex(t, d)
		}
	}
	const shown = 1200 - 24*2 // reactions and hidden ones are not
	got := st.finds(t, "xylophone")
	if len(got) != shown-24+1 || got[0] != late.Text {
		t.Errorf("%d are found", len(got))
	}
	var list []Message
	if err := st.View(func(tx Tx) (err error) {
		if list, err = tx.Before(late.Room, 4000, 4000); err != nil {
			return err
		}
		waiting, err := tx.Waiting(late.Room, 4000)
		list = append(list, waiting...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	at := map[int64]bool{}
	for i, m := range list {
		if at[m.At] || m.Pos > 0 && i > 0 && m.At <= list[i-1].At || m.Pos > 0 && (m.At < m.Arrived || m.At > m.Arrived+1000) {
			t.Fatalf("message %d is at %d, arrived at %d", m.Pos, m.At, m.Arrived)
		}
		at[m.At] = true
	}
	if len(list) != shown {
		t.Errorf("%d are shown", len(list))
	}
	m := message(777, "")
	if !bytes.Contains(plain(d), []byte("number777")) {
		t.Fatal("the test is blind")
	}
	if err := st.Update(func(tx Tx) error { return tx.Erase(Erased{m.Room, m.ID}, 1) }); err != nil {
		t.Fatal(err)
	}
	sweep(t, st)
	if err := st.Tidy(); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain(d), []byte("number777")) || len(st.finds(t, "number777")) != 0 {
		t.Error("what was erased is still here")
	}
	if err := st.Update(func(tx Tx) error { return tx.SetFact(factWords, []byte("of another version")) }); err != nil {
		t.Fatal(err)
	}
	st.Close()
	st = openIndex(t, d)
	if got := st.finds(t, "xylophone"); len(got) != 0 {
		t.Errorf("%d are found in an index that was made in another way", len(got))
	}
}

// TestNotices: what an earlier version kept is still there in its words; what is kept now
// keeps its key and values, too, and is counted with its equals.
func TestNotices(t *testing.T) {
	d := faultfs.New(1)
	before(t, d)
	st := openIndex(t, d)
	defer func() { st.Close() }()
	id := message(1, "").Room
	what := said.Of("title", "by", "Ana", "title", "the club").Count(3).Because("why")
	n := Notice{Room: &id, Time: 2, Kind: "renamed", Text: what.Text(), Said: what, Pos: 7}
	if err := st.Update(func(tx Tx) error { return errors.Join(tx.AddNotice(n), tx.AddNotice(n)) }); err != nil {
		t.Fatal(err)
	}
	st.Close()
	st = openIndex(t, d)
	if err := st.View(func(tx Tx) error {
		list, err := tx.Notices(0)
		if err != nil || len(list) != 3 {
			t.Fatal(list, err)
		}
		if old := list[0]; old.Text != "before" || !reflect.DeepEqual(old.Said, said.Said{}) {
			t.Errorf("%+v", old)
		}
		if got := list[1]; !reflect.DeepEqual(got.Said, what) || got.Text != n.Text || got.Pos != 7 {
			t.Errorf("%+v", got)
		}
		same, err := tx.NoticesLike(n, 1)
		if same != 2 {
			t.Errorf("%d alike", same)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestFailed: why a message failed is kept in words and by its code, until it is sent again.
func TestFailed(t *testing.T) {
	st := openIndex(t, faultfs.New(1))
	defer st.Close()
	m := message(1, "x")
	m.State, m.Pos = Queued, 0
	if err := st.Update(func(tx Tx) error {
		if _, err := tx.AddMessage(m); err != nil {
			return err
		}
		if err := tx.Fail(m.Room, m.ID, "the room is full", "log full"); err != nil {
			return err
		}
		got, err := tx.Message(m.Room, m.ID)
		if err != nil || got.State != Failed || got.Why != "the room is full" || got.Code != "log full" {
			t.Errorf("%+v %v", got, err)
		}
		if err := tx.SetMessageState(m.Room, m.ID, Queued); err != nil {
			return err
		}
		got, err = tx.Message(m.Room, m.ID)
		if err != nil || got.State != Queued || got.Why != "" || got.Code != "" {
			t.Errorf("%+v %v", got, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestOneMoment: a host that gives all messages one time does not make them cost more, and
// they keep their order.
func TestOneMoment(t *testing.T) {
	st := openIndex(t, faultfs.New(1))
	defer st.Close()
	const n = 9000
	err := st.Update(func(tx Tx) error {
		for i := 1; i <= n; i++ {
			m := message(i, "x")
			m.At = 1_000_000
			if _, err := tx.AddMessage(m); err != nil {
				return err
			}
		}
		list, err := tx.Before(message(1, "").Room, 1<<40, n)
		for i := 1; i < len(list); i++ {
			if list[i].At != list[i-1].At+1 {
				t.Fatalf("%d after %d", list[i].At, list[i-1].At)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestForgetsRooms: what belongs to a room goes with it, in whatever table it is: every table
// that names rooms is known to Clear.
func TestForgetsRooms(t *testing.T) {
	st := openIndex(t, faultfs.New(1))
	defer st.Close()
	known := append([]string{"messages", "notices", "clearing"}, ofRooms...)
	seen := 0
	if err := st.View(func(tx Tx) error {
		return tx.tx.Query(`SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'room'`, func(r *sqlite.Row) error {
			seen++
			if !slices.Contains(known, r.Text(0)) {
				t.Errorf("the table %s has rooms that nobody forgets", r.Text(0))
			}
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	if seen != len(known) {
		t.Errorf("%d of %d tables", seen, len(known))
	}
	id := message(1, "").Room
	if err := st.Update(func(tx Tx) error {
		if err := tx.PutRoom(Room{ID: id, Kind: room.Group, Title: "club", State: RoomLeft}); err != nil {
			return err
		}
		if _, err := tx.AddMessage(message(1, "one")); err != nil {
			return err
		}
		if err := tx.BeginClearing(id, true); err != nil {
			return err
		}
		all, err := tx.Clearings()
		if err != nil || len(all) != 1 {
			t.Fatal(len(all), err)
		}
		gone, err := tx.Clear(all[0], 1, 10)
		if len(gone) != 1 {
			t.Errorf("%d gone", len(gone))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := st.View(func(tx Tx) error {
		r, err := tx.Room(id)
		if r != nil {
			t.Error("it is still here")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWantsAreNumberedOnce: a want that is gone leaves its number to nobody.
func TestWantsAreNumberedOnce(t *testing.T) {
	st, err := Open(Options{Path: filepath.Join(t.TempDir(), "sotto.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	id := func(body string) (id int64) {
		t.Helper()
		if err := st.Update(func(tx Tx) error {
			if err := tx.AddWant(Want{Kind: 1, Body: []byte(body)}); err != nil {
				return err
			}
			all, err := tx.AllWants()
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			id = all[0].ID
			return tx.DropWant(id)
		}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	if a, b := id("one"), id("two"); a == b {
		t.Errorf("both are number %d", a)
	}
}
