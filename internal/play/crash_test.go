package play

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store/sqlite/faultfs"
)

// onDisk gives a person a disk that can fail.
func (p *Person) onDisk(d *faultfs.Disk) {
	p.Mutate = func(o *client.Options) { o.Store.FS, o.Store.Path = d, "/sotto.db" }
}

// A client killed at each database write of a conversation of 200 messages
// loses nothing and repeats nothing. At each message the power of Bo's machine goes at the
// k-th write of receiving or sending it, k counting up from the first write until a message
// is through undisturbed, then from the first again; so every write of a message is struck
// several times. At the first two messages it also goes at the k-th write after each
// restart, k counting up. Every fault loses or tears what was not synced.
func TestKilledAtEachWrite(t *testing.T) {
	messages := 200
	if raceEnabled {
		messages = 20
	}
	w := New(t)
	disk := faultfs.New(1)
	ana := w.Person("ana")
	bo := w.Nobody("bo", w.Home)
	bo.onDisk(disk)
	bo.Open()
	ctx, cancel := bo.patience()
	defer cancel()
	if err := bo.Client.CreateAccount(ctx, bo.Handle, ""); err != nil {
		t.Fatal(err)
	}
	ana.Send(bo.Handle, "first")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "first")
	bo.Sync()

	kills, k, rounds := 0, 0, 0
	want := []string{"first"}
	for i := range messages {
		text := fmt.Sprintf("%d", i)
		want = append(want, text)
		byBo := i%2 == 1
		if !byBo {
			ana.Write(bo.Handle, text)
		}
		for struck := false; ; struck = true {
			if !struck || i < 2 {
				k++
				disk.Inject(k, faultfs.Crash)
			}
			through := func() bool {
				if bo.Client == nil && !bo.tryBack() {
					return false
				}
				if byBo && !slices.Contains(bo.tryTexts(ana.Handle), text) {
					if _, err := bo.Client.Send(patient(t), ana.Handle, client.Text(text)); err != nil {
						return false
					}
				}
				return bo.through(disk, ana, text)
			}()
			if through && !disk.Crashed() {
				disk.Inject(0, faultfs.None)
				if !struck || i < 2 {
					k, rounds = 0, rounds+1
				}
				break
			}
			kills++
			bo.crash()
			disk = disk.Restart()
			bo.onDisk(disk)
		}
	}
	ana.Reads(bo.Handle, want...)
	bo.Reads(ana.Handle, want...)
	bo.Away()
	bo.Back()
	bo.Sync()
	bo.Reads(ana.Handle, want...)
	t.Logf("%d messages, %d kills, each write struck %d times", messages, kills, rounds)
	if !raceEnabled && rounds < 4 {
		t.Errorf("every write was struck %d times only", rounds)
	}
	for _, p := range []*Person{ana, bo} {
		list, err := p.Client.Notices(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			if n.Kind != client.NoticeJoined {
				t.Errorf("%s was told (%s): %s", p.Name, n.Kind, n.Text)
			}
		}
	}
}

// through waits until a message is on both sides and Bo is quiet, or the power is off.
func (p *Person) through(disk *faultfs.Disk, other *Person, text string) bool {
	end := time.Now().Add(Patience)
	for time.Now().Before(end) {
		if disk.Crashed() {
			return false
		}
		if slices.Contains(p.tryTexts(other.Handle), text) && slices.Contains(other.Texts(p.Handle), text) {
			ctx, cancel := p.patience()
			err := p.Client.Sync(ctx)
			cancel()
			return err == nil && !disk.Crashed()
		}
		time.Sleep(time.Millisecond)
	}
	p.w.T.Fatalf("%s: %q does not come through", p.Name, text)
	return false
}

// tryTexts are the texts of a conversation, none when the disk fails.
func (p *Person) tryTexts(to string) []string {
	id, err := p.Client.Resolve(to)
	if err != nil {
		return nil
	}
	list, err := p.Client.Messages(&id, 0, 1<<20)
	if err != nil {
		return nil
	}
	var out []string
	for _, m := range list {
		out = append(out, m.Text)
	}
	return out
}

// crash ends a client whose machine lost power.
func (p *Person) crash() {
	if p.Client != nil {
		_ = p.Client.Close() // its disk is gone: it cannot close cleanly
		p.Net.Close()
		p.Client = nil
	}
}

// tryBack opens and connects, unless the power goes meanwhile.
func (p *Person) tryBack() bool {
	if err := p.open(); err != nil {
		p.Net.Close()
		return false
	}
	return p.Client.Start() == nil
}

// An old copy of a client's database is noticed and reuses no key: the device keeps its
// history, is let in again by a member, and goes on.
func TestRestoredCopy(t *testing.T) {
	for _, name := range []string{"after reading", "after writing"} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			disk := faultfs.New(1)
			ana := w.Person("ana")
			bo := w.Nobody("bo", w.Home)
			bo.onDisk(disk)
			bo.Open()
			if err := bo.Client.CreateAccount(patient(t), bo.Handle, ""); err != nil {
				t.Fatal(err)
			}
			ana.Send(bo.Handle, "one")
			accept(t, bo, ana.Handle)
			bo.Send(ana.Handle, "two")
			ana.Reads(bo.Handle, "one", "two")
			bo.Reads(ana.Handle, "one", "two")
			bo.Sync()
			bo.Away()
			old := disk.Clone()
			bo.Back()
			if name == "after reading" {
				ana.Send(bo.Handle, "three")
			} else {
				bo.Send(ana.Handle, "three")
			}
			bo.Reads(ana.Handle, "one", "two", "three")
			bo.Sync()
			bo.Away()

			bo.onDisk(old)
			bo.Back()
			bo.Write(ana.Handle, "four")
			bo.Told(client.NoticeCopy)
			ana.Reads(bo.Handle, "one", "two", "three", "four")
			ana.Send(bo.Handle, "five")
			bo.Reads(ana.Handle, "one", "two", "four", "five")
			for _, n := range must(ana.Client.Notices(0)) {
				if n.Kind == client.NoticeJunk {
					t.Errorf("ana was told of junk: %s", n.Text)
				}
			}
		})
	}
}

// A full disk: the message that does not fit is refused, everything else stays.
func TestFullDisk(t *testing.T) {
	w := New(t)
	disk := faultfs.New(1)
	ana := w.Person("ana")
	bo := w.Nobody("bo", w.Home)
	bo.onDisk(disk)
	bo.Open()
	if err := bo.Client.CreateAccount(patient(t), bo.Handle, ""); err != nil {
		t.Fatal(err)
	}
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "one")
	bo.Sync()
	disk.Inject(1, faultfs.Full)
	if _, err := bo.Client.Send(patient(t), ana.Handle, client.Text("lost?")); err == nil {
		t.Fatal("a message was taken that could not be kept")
	}
	ana.Send(bo.Handle, "two")
	disk.Relieve()
	bo.Eventually("can write again", func() bool {
		_, err := bo.Client.Send(patient(t), ana.Handle, client.Text("three"))
		return err == nil
	}, func() any { return nil })
	ana.Reads(bo.Handle, "one", "two", "three")
	bo.Reads(ana.Handle, "one", "two", "three")
}

// Every fault of the disk at each write of receiving and sending, without a crash: error
// and nothing written, error although it was written.
func TestDiskErrors(t *testing.T) {
	for _, kind := range []faultfs.Kind{faultfs.Fail, faultfs.Lie} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			w := New(t)
			disk := faultfs.New(7)
			ana := w.Person("ana")
			bo := w.Nobody("bo", w.Home)
			bo.onDisk(disk)
			bo.Open()
			if err := bo.Client.CreateAccount(patient(t), bo.Handle, ""); err != nil {
				t.Fatal(err)
			}
			ana.Send(bo.Handle, "first")
			accept(t, bo, ana.Handle)
			want := []string{"first"}
			for k := 1; k <= 60; k++ {
				disk.Inject(k, kind)
				text := fmt.Sprintf("to bo %d", k)
				ana.Send(bo.Handle, text)
				want = append(want, text)
				bo.Reads(ana.Handle, want...)
				text = fmt.Sprintf("by bo %d", k)
				want = append(want, text)
				for !slices.Contains(bo.Texts(ana.Handle), text) {
					bo.Client.Send(patient(t), ana.Handle, client.Text(text))
				}
				ana.Reads(bo.Handle, want...)
				if err := bo.Client.Sync(patient(t)); err != nil { // the fault may strike here; it strikes once
					bo.Sync()
				}
			}
			disk.Inject(0, faultfs.None)
			bo.Away()
			bo.Back()
			bo.Sync()
			bo.Reads(ana.Handle, want...)
			for _, n := range must(bo.Client.Notices(0)) {
				if n.Kind == client.NoticeCopy || n.Kind == client.NoticeFork {
					t.Errorf("bo was told (%s): %s", n.Kind, n.Text)
				}
			}
		})
	}
}
