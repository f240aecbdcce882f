package play

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lukechampine.com/adiantum"

	"sotto/internal/client"
	"sotto/internal/server"
	"sotto/internal/server/engine"
	"sotto/internal/store/sqlite/faultfs"
)

// device is somebody on a disk of their own that can be looked at, with the key.
type device struct {
	*Person
	disk *faultfs.Disk
}

func (w *World) device(name string) *device {
	d := &device{w.Nobody(name, w.Home), faultfs.New(1)}
	d.onDisk(d.disk)
	d.Open()
	ctx, cancel := d.patience()
	defer cancel()
	if err := d.Client.CreateAccount(ctx, d.Handle, ""); err != nil {
		w.T.Fatal(err)
	}
	return d
}

// knows says which files of the device hold the words, for whoever has its key: every
// block is decrypted, also those that no row uses.
func (d *device) knows(words string) (in []string) {
	key := sha256.Sum256([]byte(d.Name))
	c := adiantum.New(key[:])
	for _, name := range d.disk.Files() {
		b := d.disk.ReadFile(name)
		b = bytes.Clone(b[:len(b)/4096*4096])
		var tweak [8]byte
		for at := 0; at < len(b); at += 4096 {
			binary.LittleEndian.PutUint64(tweak[:], uint64(at))
			c.Decrypt(b[at:at+4096], tweak[:])
		}
		if bytes.Contains(b, []byte(words)) {
			in = append(in, name)
		}
	}
	return in
}

// forgets waits until a device knows the words no more, in no block of any file.
func (d *device) forgets(words string) {
	d.w.T.Helper()
	d.Later("forgets "+words, 10*time.Second, func() bool { // it tidies up every minute
		return d.knows(words) == nil
	}, func() any { return d.knows(words) })
	for _, text := range d.allTexts() {
		if text == words {
			d.w.T.Errorf("%s still shows %q", d.Name, words)
		}
	}
}

func (d *device) allTexts() (out []string) {
	for _, m := range must(d.Client.Messages(nil, 0, 1<<20)) {
		out = append(out, m.Text)
	}
	return out
}

// What was deleted, replaced, or has expired is in no block of the device's files, for
// whoever has its key: at who wrote it, and at who read it.
func TestForgotten(t *testing.T) {
	w := New(t)
	ana, bo := w.device("ana"), w.device("bo")
	ana.Send(bo.Handle, "the first word")
	accept(t, bo.Person, ana.Handle)
	both := func(f func(d *device)) {
		for _, d := range []*device{ana, bo} {
			f(d)
		}
	}
	says := func(what client.Compose, texts ...string) messageID {
		m := ana.Compose(bo.Handle, what)
		both(func(d *device) {
			d.Eventually("has "+texts[0], func() bool { return slices.Contains(d.allTexts(), texts[0]) }, func() any { return d.allTexts() })
			d.Sync()
			if len(d.knows(texts[0])) == 0 {
				t.Fatalf("%s does not know %q: the test is blind", d.Name, texts[0])
			}
		})
		return m.ID
	}

	id := says(client.Text("a heron that is taken back"), "a heron that is taken back")
	ana.Compose(bo.Handle, client.Delete(id))
	both(func(d *device) { d.forgets("a heron that is taken back") })

	id = says(client.Text("a stork before it is mended"), "a stork before it is mended")
	ana.Compose(bo.Handle, client.Edit(id, "an egret"))
	both(func(d *device) { d.forgets("a stork before it is mended") })

	says(client.Expiring(client.Text("an ibis until noon"), w.Clock.Now().Add(time.Hour)), "an ibis until noon")
	w.Clock.Advance(time.Hour)
	both(func(d *device) { d.forgets("an ibis until noon") })

	w.Clock.Advance(2 * time.Second)
	act(t, ana.Person, "sets the time", func(ctx context.Context) error {
		return ana.Client.SetDisappear(ctx, bo.Handle, time.Minute)
	})
	bo.Sync()
	says(client.Text("a crane for a minute"), "a crane for a minute")
	if err := bo.Client.Seen(must(bo.Client.Messages(nil, 0, 1<<20))); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	both(func(d *device) { d.forgets("a crane for a minute") })

	both(func(d *device) {
		if !slices.Contains(d.allTexts(), "the first word") || len(d.knows("the first word")) == 0 {
			t.Errorf("%s forgot what was not to go", d.Name)
		}
	})
}

// Nothing that the server stores ties a room to a person: no row, and no file, holds both
// the name of a log or the tag of a cursor and something that names an account.
func TestNoRowTiesAccountAndRoom(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("anastasia"), w.Person("bogdan"), w.Person("cyrille")
	group(t, "club", ana, bo, cy)
	ana.Send("club", "one")
	ana.Send(bo.Handle, "two")
	bo.Reads(ana.Handle, "two")
	for _, p := range []*Person{bo, cy} {
		p.Reads("club", "one")
	}
	act(t, ana, "removes cy", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", cy.Handle) })
	ana.Send("club", "while bo is away")
	people, rooms := map[string][]byte{}, map[string][]byte{}
	for _, p := range []*Person{ana, bo, cy} {
		k, chain := p.keysOf(), p.chain()
		id := chain.ID()
		people[p.Name+"'s account"], people[p.Name+"'s name"] = id[:], []byte(p.Name)
		people[p.Name+"'s device"], people[p.Name+"'s key"] = k.Name[:], k.Device().Signature
		p.dig(func(tx storeTx) error {
			gens, err := tx.Generations()
			for i, g := range gens {
				n := fmt.Sprint(" ", i)
				hash := g.Secret.Hash()
				rooms[p.Name+"'s log"+n], rooms[p.Name+"'s room"+n], rooms[p.Name+"'s cursor"+n] = g.Log[:], g.Room[:], hash[:]
			}
			inbox, _, err2 := tx.Fact("inbox")
			people[p.Name+"'s inbox"] = inbox
			if err == nil {
				err = err2
			}
			return err
		})
	}
	for _, p := range []*Person{bo, ana} {
		p.Away()
	}
	w.Home.Stop()
	db, err := engine.Open(engine.Options{Dir: filepath.Join(w.Home.Dir, "db"), Now: w.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	inventory, seen := server.Inventory(), map[string]bool{}
	rows := 0
	err = db.Scan(nil, bytes.Repeat([]byte{0xff}, 8), func(key, value []byte) (bool, error) {
		rows++
		if _, ok := inventory.Find(key); !ok {
			t.Errorf("a row that no inventory declares: %q", key)
		}
		row := slices.Concat(key, value)
		var who, where []string
		for name, b := range people {
			if bytes.Contains(row, b) {
				who, seen[name] = append(who, name), true
			}
		}
		for name, b := range rooms {
			if bytes.Contains(row, b) {
				where, seen[name] = append(where, name), true
			}
		}
		if len(who) > 0 && len(where) > 0 {
			t.Errorf("the row %q holds %v and %v", key, who, where)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bogdan's name", "anastasia's key", "anastasia's device", "bogdan's inbox", "anastasia's log 0", "bogdan's log 1", "bogdan's cursor 0"} {
		if !seen[name] {
			t.Errorf("no row holds %s: the test is blind", name)
		}
	}
	if rows < 50 {
		t.Errorf("only %d rows", rows)
	}
}
