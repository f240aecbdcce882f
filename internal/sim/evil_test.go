package sim

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// told counts what somebody was told.
func told(d *Device, kinds ...string) (n int) {
	for _, k := range kinds {
		n += d.seen.notices[k]
	}
	return n
}

// alarms are the notices of which none may come where nothing is wrong.
var alarms = []string{client.NoticeFork, client.NoticeCopy, client.NoticeJunk, client.NoticeIdentity, client.NoticeElsewhere, client.NoticeExpired, client.NoticeUpdate, client.NoticeRemoved, client.NoticeLeft}

// TestHostAttacks runs every attack of the table against a population in which people
// write all the time.
func TestHostAttacks(t *testing.T) {
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	var c tally
	for i, a := range HostAttacks {
		t.Run(a.Name, func(t *testing.T) {
			for seed := range seeds {
				seed += uint64(i * 10)
				t.Run(fmt.Sprint(seed, ", ended"), func(t *testing.T) { c.add(a.Name, runAttack(t, a, seed, true).Stats) })
				if !a.Ends {
					t.Run(fmt.Sprint(seed, ", for ever"), func(t *testing.T) { c.add(a.Name, runAttack(t, a, seed, false).Stats) })
				}
			}
		})
	}
	c.print("a host")
}

// runAttack lets a host attack, for a while or for ever, and holds what it does to people
// against what the table says.
func runAttack(t *testing.T, what *HostAttack, seed uint64, ends bool) *stage {
	s := newStage(t, seed, what.Crowd)
	s.talk(30*time.Second, nil)
	s.calm(10 * time.Second)
	if why := s.works(never); why != "" {
		t.Fatal("before: ", why)
	}
	s.trouble, s.refused = map[string]int{}, nil
	victim := []*Device{s.bo, s.cy}[seed%2]
	if what.AtHome {
		victim = s.bo
	}
	var log wire.LogName
	if !ends {
		log = s.logOf(s.rooms[0])
	}
	before := map[*Device]int{}
	for _, d := range s.Devices {
		before[d] = told(d, alarms...)
	}
	a := s.evil.attack(what, victim, log, 0)
	within := cmp.Or(what.Within, 2*time.Minute)
	shown := func() bool {
		for _, d := range s.Devices {
			if a.on(d) && s.shows(what, d) {
				return true
			}
		}
		return false
	}
	begun := s.now
	s.talk(within, func() bool { return shown() && !what.AtEnd })
	noticed := shown()
	if what.Shows != ByNothing && !what.AtEnd && !noticed {
		t.Errorf("not noticed in %v: %v, trouble %v, refused %q", s.now.Sub(begun), victim.seen.notices, s.trouble, s.refused)
	}
	if a.tried == 0 {
		t.Fatal("the attack was not tried")
	}
	if what.Shows == ByNothing {
		for _, d := range s.Devices {
			if n := told(d, alarms...); n != before[d] {
				t.Errorf("%s was told of what has no effect: %v", d.Name, d.seen.notices)
			}
		}
		if len(s.refused) > 0 {
			t.Errorf("refused: %q", s.refused)
		}
		s.Stats.Count("attack refused: "+what.Name, 1)
	}
	s.talk(30*time.Second, nil)
	if ends {
		a.stop()
	}
	s.talk(20*time.Second, nil)
	s.settles(what, a)
	if noticed = noticed || shown(); noticed {
		s.Stats.Count("attack noticed: "+what.Name, 1)
	} else if what.Shows != ByNothing {
		t.Errorf("not noticed: %v, trouble %v, refused %q", victim.seen.notices, s.trouble, s.refused)
	}
	s.promises(what, a)
	return s
}

// shows says whether a victim was told of an attack in the way that the table says.
func (s *stage) shows(what *HostAttack, d *Device) bool {
	switch what.Shows {
	case ByNotice:
		return told(d, what.Told...) > 0
	case ByTrouble:
		return s.trouble[d.Name] > 3
	case ByError:
		return len(s.refused) > 0
	case ByQueued:
		for _, h := range s.rooms {
			if slices.Contains(h.people, d) && slices.ContainsFunc(s.messages(h, d), func(m store.Message) bool {
				return m.State == store.Queued && s.now.UnixMilli()-m.Sent > 20_000
			}) {
				return true
			}
		}
	}
	return false
}

// logOf is where a room's present log lies: the last one that was made for it, which its
// maker knows.
func (s *stage) logOf(h *hall) (log wire.LogName) {
	d := h.maker
	st, err := store.Open(d.storeOptions(d.disk.Clone()))
	s.must(err)
	defer st.Close()
	s.must(st.View(func(tx store.Tx) error {
		rows, err := tx.Generations()
		for _, g := range rows {
			if g.Room == h.id {
				log = g.Log
			}
		}
		return err
	}))
	return log
}

func never(*hall, *Device, string) bool { return false }

// settles waits until all rooms work again: nobody types a command, people only write.
func (s *stage) settles(what *HostAttack, a *assault) {
	s.T.Helper()
	s.calm(time.Minute)
	limit := cmp.Or(what.Mends, 3*time.Hour)
	s.wait(limit, func() bool { return s.entered() })
	after := map[string]bool{}
	for _, h := range s.rooms {
		for _, d := range h.people {
			s.say(h, d)
			after[fmt.Sprintf("%s%d by %s in %s", mark, len(h.said)-1, d.Name, h.title)] = true
		}
	}
	missing := func(h *hall, d *Device, text string) bool {
		return what.Loses && a.on(d) && h.said[text] != d && !after[text]
	}
	var why string
	s.wait(limit, func() bool {
		why = s.works(missing)
		return why == ""
	})
	if why != "" {
		s.T.Errorf("it does not mend: %s; %s", why, s.standing())
	}
	s.Stats.Count("minutes to mend", int64(s.now.Sub(a.since)/time.Minute))
}

// wait lets time go on until ok says so.
func (s *stage) wait(limit time.Duration, ok func() bool) {
	step := time.Minute
	for waited := time.Duration(0); waited < limit && !ok(); waited += step {
		if waited > time.Hour {
			step = 10 * time.Minute
		}
		s.Run(step - time.Second)
		s.calm(time.Second)
	}
}

// entered says whether everybody who was invited is in every room, and nobody waits outside
// to be let in again: what is said then, everybody gets.
func (s *stage) entered() bool {
	for _, h := range s.rooms {
		for _, d := range h.people {
			if state, err := d.Client.GenerationState(h.id); err != nil || state == store.GenLost {
				return false
			}
		}
	}
	return true
}

// promises holds what sotto promises against what everybody has in the end.
func (s *stage) promises(what *HostAttack, a *assault) {
	s.T.Helper()
	if s.Failure() != "" {
		s.T.Error(s.Failure())
	}
	for _, h := range s.rooms {
		for _, d := range h.people {
			for text, n := range s.texts(h, d) {
				if n != 1 || h.said[text] == nil {
					s.T.Errorf("%s has %q %d times", d.Name, text, n)
				}
			}
			for _, o := range h.people {
				s.sameOrder(h, d, o)
			}
		}
	}
	for _, d := range s.Devices {
		if told(d, client.NoticeJunk) > 0 && !slices.Contains(what.Told, client.NoticeJunk) {
			s.T.Errorf("%s could not read something", d.Name)
		}
	}
	for _, h := range s.Hosts {
		h.disk.files(func(name string, b []byte) {
			if bytes.Contains(b, []byte(mark)) {
				s.T.Errorf("%s holds a text in plain, in %s", h.Name, name)
			}
		})
	}
}

// sameOrder holds that two people who share a generation see it in the same order, unless
// one of them was told that the host shows two histories.
func (s *stage) sameOrder(h *hall, d, o *Device) {
	s.T.Helper()
	place := map[mimi.MessageID]store.Message{}
	for _, m := range s.messages(h, o) {
		place[m.ID] = m
	}
	var last store.Message
	for _, m := range s.messages(h, d) {
		x, ok := place[m.ID]
		if !ok || x.Generation != m.Generation || x.Pos == 0 || m.Pos == 0 {
			continue
		}
		if last.Pos > x.Pos && told(d, client.NoticeFork, client.NoticeCopy)+told(o, client.NoticeFork, client.NoticeCopy) == 0 {
			s.T.Errorf("%s and %s see %q in another order, and nobody was told", d.Name, o.Name, m.Text)
		}
		last = x
	}
}

// TestHostAttackAgain runs one attack twice: every byte that crosses the network is the
// same.
func TestHostAttackAgain(t *testing.T) {
	for _, name := range []string{"an entry left out", "a forged credential", "two logs"} {
		var first string
		for i := range 2 {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				trace := runAttack(t, attackNamed(name), 7, true).Trace()
				if first == "" {
					first = trace
				}
				if trace != first {
					t.Errorf("two runs of a seed differ: %s, %s", first, trace)
				}
			})
		}
	}
}

// TestHostAttacksAreTold says that the threat model names every attack, and no other.
func TestHostAttacksAreTold(t *testing.T) {
	b, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.Join(strings.Fields(string(b)), " "), "`TestHostAttacks/", "`/")
	for _, a := range HostAttacks {
		if !strings.Contains(text, "`/"+a.Name+"`") {
			t.Errorf("the threat model does not name %q", a.Name)
		}
	}
	for _, part := range strings.Split(text, "`/")[1:] {
		if name, _, _ := strings.Cut(part, "`"); name != "name" && attackNamed(name) == nil { // "name" is the explanation
			t.Errorf("there is no attack %q", name)
		}
	}
}

// TestHostAttackInPlans says that an attack of a plan begins and ends by itself.
func TestHostAttackInPlans(t *testing.T) {
	s := newStage(t, 3, false)
	for _, name := range []string{"an entry left out", "an entry repeated", "stale for ever", "a device added"} {
		a := s.evil.Attack(name, s.bo, 20*time.Second)
		s.talk(30*time.Second, nil)
		if !a.ended || len(s.evil.Evil.under) > 0 {
			t.Errorf("%s goes on", name)
		}
	}
	if s.Failure() != "" {
		t.Error(s.Failure())
	}
}
