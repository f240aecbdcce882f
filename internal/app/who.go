package app

import (
	"slices"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// The page "Who can see this?" says only what this device itself knows: who is in its
// group state, what their chains name, which receipts came, when lifetimes end. Where it
// cannot know, it says what may still be. Its words are stable names that the interface
// puts into sentences; docs/api.md lists them.

// Limits: what nothing here helps against.
const (
	limitShow     = "show-to-others"  // who can read can show
	limitUnlocked = "unlocked-device" // who sits at an open device reads along
	limitTraffic  = "traffic"         // the server sees addresses and times
	limitCompare  = "not-compared"    // numbers were not compared with everybody
	limitChanged  = "key-changed"     // a key changed since
	limitVanish   = "vanish-honoured" // vanishing is done by the others' programs
	limitMembers  = "members-changed" // people came or went after this was said
	limitBlocked  = "blocked-sees"    // somebody blocked is in the room, and reads on
)

func messageWho(c *call) (api.Who, error) {
	s, err := c.found()
	if err != nil {
		return api.Who{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Who{}, err
	}
	w, o, err := c.roomLetter(v, s.Room, "message")
	if err != nil {
		return api.Who{}, err
	}
	m := v.message(*s)
	w.Quote = &m
	f := fate{v: v, s: *s, ttl: int64(v.termsOf(s.Room).TTL) * 1000, others: w.Others, devices: w.Devices}
	if m.Own {
		if f.receipts, err = c.c.Receipts(s.Room, s.ID); err != nil {
			return w, err
		}
	}
	w.Keeps = f.keeps()
	w.Timeline = f.timeline()
	if s.Vanish != 0 || s.Expires != 0 {
		w.Limits = append(w.Limits, limitVanish)
	}
	changed, err := c.membersChanged(o.ID, s.Sent)
	if changed {
		w.Limits = append(w.Limits, limitMembers)
	}
	return w, err
}

func roomWho(c *call) (api.Who, error) {
	id, err := c.room()
	if err != nil {
		return api.Who{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Who{}, err
	}
	w, _, err := c.roomLetter(v, id, "room")
	if err != nil {
		return w, err
	}
	t := v.termsOf(id)
	w.Keeps = []api.KeptThing{
		{What: "message", Value: "until-fetched", Seconds: int64(t.TTL)},
		{What: "room", Value: "log-and-cursors", Count: w.Devices},
		never,
	}
	if t.Disappear != 0 {
		w.Limits = append(w.Limits, limitVanish)
	}
	return w, nil
}

func personWho(c *call) (api.Who, error) {
	p, err := c.somebody()
	if err != nil {
		return api.Who{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Who{}, err
	}
	w := api.Who{About: "person", Name: p.Name, Limits: []string{limitShow, limitUnlocked, limitTraffic}}
	if h, err := wire.ParseHandle(p.Handle); err == nil {
		w.Host = h.Host
	}
	if err := v.hold(&w, v.self.Account, p.Account); err != nil {
		return w, err
	}
	w.Keeps = []api.KeptThing{
		{What: "account", Value: "handle-keys", Count: len(w.Holders[len(w.Holders)-1].Devices)},
		{What: "inbox", Value: "invitations-until-fetched", Seconds: int64(wire.InboxStrangerTime.Seconds())},
		never,
	}
	return w, nil
}

// never is what no server of a conversation has.
var never = api.KeptThing{What: "never", Value: "words-names-members"}

// roomLetter is what is the same for a room and a message in it.
func (c *call) roomLetter(v *viewer, id room.ID, about string) (api.Who, client.Overview, error) {
	o, err := c.c.OverviewOf(id)
	if err != nil {
		return api.Who{}, o, err
	}
	w := api.Who{About: about, Name: v.room(o).Name, Host: o.Host, Limits: []string{limitShow, limitUnlocked}}
	if len(o.Members) > 1 {
		w.Limits = append(w.Limits, limitTraffic)
	}
	var accounts []identity.ID
	for _, m := range o.Members {
		accounts = append(accounts, m.Account)
	}
	return w, o, v.hold(&w, accounts...)
}

// hold fills in who holds keys: oneself first.
func (v *viewer) hold(w *api.Who, accounts ...identity.ID) error {
	limits := map[string]bool{}
	for _, id := range accounts {
		p := v.card(id)
		devices, err := v.c.Devices(id)
		if err != nil {
			return err
		}
		h := api.Holder{Account: text(id[:]), Handle: p.Handle, Name: p.Name, Tint: tint(id[:]), Self: id == v.self.Account, Compared: p.Compared, Changed: p.Changed != 0}
		for _, d := range devices {
			h.Devices = append(h.Devices, d.Name)
		}
		w.Devices += len(devices)
		if !h.Self {
			w.Others++
			limits[limitCompare] = limits[limitCompare] || p.Compared == 0
			limits[limitChanged] = limits[limitChanged] || h.Changed
			limits[limitBlocked] = limits[limitBlocked] || p.Standing == store.Blocked
		}
		w.Holders = append(w.Holders, h)
	}
	slices.SortStableFunc(w.Holders, func(a, b api.Holder) int {
		switch {
		case a.Self == b.Self:
			return 0
		case a.Self:
			return -1
		}
		return 1
	})
	for _, l := range []string{limitCompare, limitChanged, limitBlocked} {
		if limits[l] {
			w.Limits = append(w.Limits, l)
		}
	}
	return nil
}

// membersChanged says whether people came into a room or left it after a time.
func (c *call) membersChanged(id room.ID, since int64) (bool, error) {
	list, err := c.c.Notices(0)
	return slices.ContainsFunc(list, func(n store.Notice) bool {
		return n.Room != nil && *n.Room == id && n.Time > since && slices.Contains([]string{client.NoticeJoined, client.NoticeLeft, client.NoticeRemoved}, n.Kind)
	}), err
}

// fate is what became of a message, as far as this device knows.
type fate struct {
	v        *viewer
	s        client.Shown
	ttl      int64 // milliseconds
	others   int
	devices  int // of all people
	receipts map[identity.ID]store.MessageState
}

// end is when the server erases the message whatever comes; 0 when it does not have it.
func (f fate) end() int64 {
	if f.s.Arrived == 0 || f.ttl == 0 {
		return 0
	}
	return f.s.Arrived + f.ttl
}

// erased says whether this device knows that the server has erased the message: its time is
// over, or everybody told that they have it. A person's receipt is one device's: with more
// devices than people others may still have to fetch it, and nobody tells this device.
func (f fate) erased() bool {
	if end := f.end(); end != 0 && f.v.now > end+wire.ErasedWithin.Milliseconds() {
		return true
	}
	return (f.s.State == store.Delivered || f.s.State == store.Read) && f.devices <= f.others+1
}

func (f fate) keeps() []api.KeptThing {
	k := api.KeptThing{What: "message", Value: "waiting", Time: f.end()}
	switch {
	case f.s.State == store.Queued || f.s.State == store.Failed:
		k = api.KeptThing{What: "message", Value: "not-there"}
	case f.erased():
		k = api.KeptThing{What: "message", Value: "nothing-erased"}
	}
	return []api.KeptThing{k, {What: "before", Value: "one-entry"}, never}
}

func (f fate) timeline() []api.Moment {
	s := f.s
	own := s.Account == f.v.self.Account
	out := []api.Moment{{What: "written", Time: s.Sent, Done: true}}
	stored := !own || s.State >= store.Stored && s.State <= store.Read || s.State == store.Expired
	out = append(out, api.Moment{What: "stored", Time: s.Arrived, Done: stored})
	if own && f.others > 0 {
		has, read := 0, 0
		for _, x := range f.receipts {
			if x == store.Delivered || x == store.Read {
				has++
			}
			if x == store.Read {
				read++
			}
		}
		out = append(out,
			api.Moment{What: "delivered", Done: s.State == store.Delivered || s.State == store.Read, Count: has, Of: f.others},
			api.Moment{What: "read", Done: s.State == store.Read, Count: read, Of: f.others})
	}
	switch {
	case f.erased():
		out = append(out, api.Moment{What: "erased", Done: true})
	case f.end() != 0:
		out = append(out, api.Moment{What: "expires", Time: f.end()})
	}
	if s.Expires != 0 || s.Vanish != 0 {
		out = append(out, api.Moment{What: "vanishes", Time: s.Expires})
	}
	return out
}
