package play

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/backup"
	"sotto/internal/client"
	"sotto/internal/wire"
)

// blobs are what stands at the home server.
func (w *World) blobs(t *testing.T) (count int, bytes uint64) {
	t.Helper()
	s := w.Home.Server.Status()
	return s.Blobs, s.Bytes
}

// A backup at the home server: a run puts what is new alone, what no backup names is erased, and
// somebody who has lost everything needs a handle and the words.
func TestBackupAtServer(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	friends(t, ana, bo)
	server := client.BackupPlan{Every: client.Daily, Server: true}
	if err := ana.Client.SetBackups(patient(t), server); !errors.Is(err, client.ErrServerOnly) {
		t.Errorf("without words: %v", err)
	}
	words := ana.writesDown(t, "")
	ana.fill(t, 9000)
	ana.Sync()
	ana.recorded()
	ana.plans(t, server)
	first := ana.runs(0)
	count, bytes := w.blobs(t)
	if !first.HaveServer || first.Messages < 9000 || first.Size == 0 || count < 6 || bytes < uint64(first.Size) {
		t.Fatalf("%+v, %d blobs", first, count)
	}
	puts := func() int { return between.Requested("PUT /v1/blobs/") }
	// Nothing has changed: nothing is put.
	before := puts()
	w.Clock.Advance(client.Daily + time.Minute)
	ana.looks(func(s client.BackupStatus) bool { return s.Next > first.Next })
	if s := must(ana.Client.Backups()); s.Last != first.Last || puts() != before {
		t.Errorf("%+v, %d puts", s, puts()-before)
	}
	// A little has changed: little is put, and what it replaces is erased.
	ana.Send(bo.Handle, "more")
	w.Clock.Advance(client.Daily + time.Minute)
	second := ana.runs(first.Last)
	if n := puts() - before; n < 2 || n > 4 {
		t.Errorf("%d blobs put for one message", n)
	}
	if now, _ := w.blobs(t); now > count+1 {
		t.Errorf("%d blobs, after %d", now, count)
	}
	if second.Messages != first.Messages+1 {
		t.Errorf("%+v", second)
	}
	// A blob that the server has lost is put again.
	between.HTTP(func(r client.Request, a *client.Answer) {
		if r.Header["Range"] != "" && a != nil {
			*a = client.Answer{Status: 404, Code: wire.CodeNoBlob, Body: wire.Marshal(wire.Failure{Sentence: "gone"})}
		}
	})
	ana.Send(bo.Handle, "and more")
	w.Clock.Advance(client.Daily + time.Minute)
	third := ana.runs(second.Last)
	between.Honest()
	if now, _ := w.blobs(t); now > count+1 {
		t.Errorf("%d blobs, after %d", now, count)
	}
	here := ana.messages()
	ana.Away()

	// A handle and the words, and what was said is back.
	fresh := ana.recovers(t, words)
	offer := must(fresh.Client.Backups()).Offer
	if offer == nil || offer.Messages != third.Messages || offer.Time != third.Last {
		t.Fatalf("%+v, not %+v", offer, third)
	}
	if err := fresh.Client.RestoreServer(patient(t), ""); err != nil {
		t.Fatal(err)
	}
	fresh.Away() // stopped in the middle
	fresh.Back()
	fresh.restored(t)
	sameMessages(t, here, fresh.messages())
	// With a backup of its own the new device erases the old one.
	fresh.plans(t, server)
	s := fresh.runs(0)
	fresh.Eventually("the old backup is erased", func() bool { now, _ := w.blobs(t); return now <= count+1 }, func() any { now, _ := w.blobs(t); return now })
	if must(fresh.Client.Backups()).Offer != nil {
		t.Error("the old one is still offered")
	}
	// The words of before open it no more, once they were replaced.
	fresh.Later("the record may be written", time.Minute, func() bool { return good(fresh.Client.Recovery()).Record }, func() any { return nil })
	next := fresh.writesDown(t, words)
	w.Clock.Advance(2 * time.Minute)
	fresh.runs(s.Last)
	if err := fresh.Client.RestoreServer(patient(t), words); !errors.Is(err, backup.ErrWords) {
		t.Errorf("old words: %v", err)
	}
	if err := fresh.Client.RestoreServer(patient(t), next); err != nil {
		t.Error(err)
	}
	fresh.restored(t)
}

// Who moves to another home server has the backup there before long, and comes back from it.
func TestBackupMovesAlong(t *testing.T) {
	w := New(t)
	two := w.Host()
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	words := ana.writesDown(t, "")
	ana.Sync()
	ana.recorded()
	ana.plans(t, client.BackupPlan{Every: client.Daily, Server: true})
	first := ana.runs(0)
	ana.moves(t, two, client.Moving{})
	w.Clock.Advance(time.Minute)
	second := ana.runs(first.Last)
	if blobs := two.Server.Status().Blobs; blobs < 2 || !second.HaveServer {
		t.Fatalf("%d blobs at the new server, %+v", blobs, second)
	}
	ana.recorded()
	here := ana.messages()
	ana.Away()
	fresh := ana.recovers(t, words)
	if offer := must(fresh.Client.Backups()).Offer; offer == nil || offer.Time != second.Last {
		t.Fatalf("%+v, not %+v", offer, second)
	}
	if err := fresh.Client.RestoreServer(patient(t), ""); err != nil {
		t.Fatal(err)
	}
	fresh.restored(t)
	sameMessages(t, here, fresh.messages())
}

// A backup that is never touched is renewed long before its time is up.
func TestBackupRenewed(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	words := ana.writesDown(t, "")
	ana.plans(t, client.BackupPlan{Every: client.Weekly, Server: true})
	first := ana.runs(0)
	end := first.Until
	for range 20 {
		w.Clock.Advance(client.Weekly + time.Minute)
		ana.looks(func(s client.BackupStatus) bool { return s.Next > w.Clock.Now().UnixMilli() })
		if s := must(ana.Client.Backups()); s.Until-w.Clock.Now().UnixMilli() < 30*client.Daily.Milliseconds() {
			t.Fatalf("it ends %v from now", time.Duration(s.Until-w.Clock.Now().UnixMilli())*time.Millisecond)
		}
	}
	if s := must(ana.Client.Backups()); s.Until <= end {
		t.Error("never renewed")
	}
	w.Home.Server.Tick(w.Clock.Now())
	if err := ana.Client.RestoreServer(patient(t), words); err != nil {
		t.Fatal(err)
	}
	ana.restored(t)
}

// Two devices of a person both keep a backup at the home server: the first one stops and says so.
func TestBackupOfTwoDevices(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	words := ana.writesDown(t, "")
	phone := ana.device(t, "Phone")
	phone.Eventually("has the history", func() bool { h, _ := phone.Client.History(); return h != nil && h.Done }, func() any { h, _ := phone.Client.History(); return h })
	plan := client.BackupPlan{Every: client.Daily, Server: true}
	ana.plans(t, plan)
	one := ana.runs(0)
	phone.plans(t, plan)
	two := phone.runs(0)
	ana.Send(bo.Handle, "more")
	w.Clock.Advance(client.Daily + time.Minute)
	ana.TextTold("Another device of yours keeps the backup at your home server now: this one does not make any more there.")
	ana.Eventually("stops", func() bool { s := must(ana.Client.Backups()); return s.Plan.Every == 0 && !s.HaveServer }, func() any { return must(ana.Client.Backups()) })
	phone.Eventually("goes on", func() bool { s := must(phone.Client.Backups()); return s.Last > two.Last && !s.Running }, func() any { return must(phone.Client.Backups()) })
	if one.Last == 0 || two.Last == 0 {
		t.Error(one, two)
	}
	if err := ana.Client.RestoreServer(patient(t), words); err != nil {
		t.Fatal(err)
	}
	ana.restored(t)
}

// A server that is full, lies or is cut off in the middle leaves the last backup whole.
func TestBackupServerFails(t *testing.T) {
	w := New(t)
	ana, between := w.Watched("ana", w.Home)
	bo := w.Person("bo")
	friends(t, ana, bo)
	words := ana.writesDown(t, "")
	ana.plans(t, client.BackupPlan{Every: client.Daily, Server: true})
	first := ana.runs(0)
	for i, c := range []struct {
		name string
		fail func()
		says string
	}{
		{"full", func() {
			between.Down(func(p *Passing) {
				if p.Answer && p.Op == wire.OpTicket {
					p.answer(wire.CodeQuota, wire.Failure{Sentence: "this account has put enough for today"})
				}
			})
		}, "enough for today"},
		{"lies", func() {
			between.HTTP(func(r client.Request, a *client.Answer) {
				if r.Method == "GET" && strings.HasPrefix(r.Path, "/v1/blobs/") && r.Header["Range"] == "" && len(a.Body) > 0 {
					a.Body = slices.Clone(a.Body)
					a.Body[len(a.Body)-1] ^= 1
				}
			})
		}, "damaged"},
		{"cut before the pointer", func() {
			between.Up(func(p *Passing) {
				if p.Op == wire.OpBackup {
					p.Cut()
				}
			})
		}, "reached"},
	} {
		ana.Send(bo.Handle, fmt.Sprintf("more %d", i))
		c.fail()
		err := ana.Client.BackUp(patient(t))
		between.Honest()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		ana.Eventually("is there again", ana.atHome, func() any { return ana.Client.Hosts() })
		if s := must(ana.Client.Backups()); s.Tries == 0 || s.Last != first.Last {
			t.Errorf("%s: %+v", c.name, s)
		}
		if err := ana.Client.BackUp(patient(t)); err != nil {
			t.Fatal(c.name, err)
		}
		first = must(ana.Client.Backups())
	}
	// The answer to the pointer is lost: the next run knows it for its own.
	ana.Send(bo.Handle, "last")
	answers := 0
	between.Down(func(p *Passing) {
		if p.Answer && p.Op == wire.OpBackup {
			if answers++; answers == 2 { // what stood there was the first
				p.Cut()
			}
		}
	})
	if err := ana.Client.BackUp(patient(t)); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("the answer is lost: %v", err)
	}
	between.Honest()
	ana.Eventually("is there again", ana.atHome, func() any { return ana.Client.Hosts() })
	if err := ana.Client.BackUp(patient(t)); err != nil {
		t.Fatal(err)
	}
	here := ana.messages()
	ana.Away()
	fresh := ana.recovers(t, words)
	if err := fresh.Client.RestoreServer(patient(t), ""); err != nil {
		t.Fatal(err)
	}
	fresh.restored(t)
	sameMessages(t, here, fresh.messages())
}

// atHome says whether the home server is reached.
func (p *Person) atHome() bool {
	return slices.ContainsFunc(p.Client.Hosts(), func(h client.HostState) bool { return h.Home && h.Up })
}
