package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"lukechampine.com/adiantum"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/mimi"
)

var indexKey = [32]byte{7}

func openIndex(t testing.TB, d *faultfs.Disk) *Store {
	t.Helper()
	st, err := Open(Options{Path: "sotto.db", Key: indexKey, FS: d})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// plain decrypts all files of a disk, as somebody who has the key would.
func plain(d *faultfs.Disk) (out []byte) {
	c := adiantum.New(indexKey[:])
	for _, name := range d.Files() {
		b := d.ReadFile(name)
		b = bytes.Clone(b[:len(b)/4096*4096])
		for at := 0; at < len(b); at += 4096 {
			var tweak [8]byte
			binary.LittleEndian.PutUint64(tweak[:], uint64(at))
			c.Decrypt(b[at:at+4096], tweak[:])
		}
		out = append(out, b...)
	}
	return out
}

func message(n int, text string) Message {
	return Message{
		Room: room.ID{1}, ID: mimi.MessageID(sha256.Sum256(fmt.Append(nil, n))), Pos: int64(n), At: int64(n) * 1000, Arrived: int64(n) * 1000, Sent: int64(n) * 1000,
		Account: identity.ID{2}, Kind: mimi.KindText, Text: text, Content: []byte{0xf6},
	}
}

func (s *Store) finds(t testing.TB, word string) (texts []string) {
	t.Helper()
	err := s.View(func(tx Tx) error {
		return tx.Search(Query{Words: []Word{{Text: word, Prefix: true}}}, func(m Message) bool {
			texts = append(texts, m.Text)
			return true
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// family makes words that stand nowhere else and differ in their last letter, so that what
// separates two pages of the index between two of them is a whole word.
func family(r *rand.Rand) (words []string) {
	const letters = "bcdfghjklmnpqrstvwxz"
	b := make([]byte, 9)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	for _, c := range letters {
		words = append(words, string(b)+string(c))
	}
	return words
}

// sweep sweeps the index, a few pages at a time.
func sweep(t testing.TB, st *Store) {
	t.Helper()
	var s Sweep
	var dirty bool
	if err := st.View(func(tx Tx) (err error) { s, dirty, err = tx.BeginSweep(); return err }); err != nil || !dirty {
		t.Fatal("nothing to sweep", err)
	}
	for more := true; more; {
		if err := st.Update(func(tx Tx) (err error) { more, err = tx.Sweep(&s, 7); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.View(func(tx Tx) (err error) { _, dirty, err = tx.BeginSweep(); return err }); err != nil || dirty {
		t.Fatal("still to sweep", err)
	}
}

// TestIndexForgets: the words of messages that are deleted, edited or taken back are in no
// block of the database, not even as what separates two pages of the index, wherever their
// places in it are and however many of them go at once.
func TestIndexForgets(t *testing.T) {
	d := faultfs.New(1)
	st := openIndex(t, d)
	defer st.Close()
	r := rand.New(rand.NewPCG(1, 2))
	const n = 900
	said := map[int][]string{}
	var some []string
	word := func() string {
		if len(some) == 0 {
			some = family(r)
		}
		w := some[0]
		some = some[1:]
		return w
	}
	for from := 1; from <= n; from += 100 {
		err := st.Update(func(tx Tx) error {
			for i := from; i < from+100; i++ {
				said[i] = []string{word(), word(), word(), word()}
				if _, err := tx.AddMessage(message(i, strings.Join(said[i], " ")+" the same in all")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Tidy(); err != nil {
		t.Fatal(err)
	}
	before := plain(d)
	for i := range said {
		if !bytes.Contains(before, []byte(said[i][0])) {
			t.Fatal("the test is blind")
		}
	}
	var gone []int
	for i := 1; i <= n; i++ {
		if i%3 != 0 {
			gone = append(gone, i)
		}
	}
	for len(gone) > 0 {
		some := gone[:min(len(gone), 1+r.IntN(40))]
		gone = gone[len(some):]
		err := st.Update(func(tx Tx) error {
			for _, i := range some {
				m := message(i, "")
				var err error
				switch i % 4 {
				case 0:
					err = tx.Erase(Erased{m.Room, m.ID}, 1)
				case 1:
					err = tx.TakeBack(m)
				case 2:
					edit := m
					edit.Text = "something else"
					err = tx.SetText(m, edit)
				case 3:
					_, err = tx.DropExpired(0)
					if err == nil {
						err = tx.SetExpires(m.Room, m.ID, 5)
					}
					if err == nil {
						_, err = tx.DropExpired(10)
					}
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sweep(t, st)
	if err := st.Tidy(); err != nil {
		t.Fatal(err)
	}
	after := plain(d)
	left := 0
	for i, all := range said {
		for _, w := range all {
			switch in := bytes.Contains(after, []byte(w)); {
			case i%3 == 0 && (!in || len(st.finds(t, w)) != 1):
				t.Fatalf("the word %q of message %d is lost", w, i)
			case i%3 != 0 && in:
				left++
			case i%3 != 0 && i < 30 && len(st.finds(t, w)) != 0:
				t.Errorf("the word %q of message %d is still found", w, i)
			}
		}
	}
	if left > 0 {
		t.Errorf("%d words of messages that are gone are left", left)
	}
	if err := st.Update(func(tx Tx) error { return tx.tx.Exec(`INSERT INTO search (search) VALUES ('integrity-check')`) }); err != nil {
		t.Fatal(err)
	}
}
