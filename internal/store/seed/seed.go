// Package seed fills a device's database with a plausible past, for tests and benchmarks of
// what has to stay fast: many conversations, and one that is very long. What it writes is what
// a device would have read, but for the groups: nobody can write in these rooms any more than
// in rooms whose generation is closed. The same plan makes the same database.
package seed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Plan says how much there is to be.
type Plan struct {
	Handle   string // of the account, when the database has none; "" is ana@home.invalid
	Rooms    int    // conversations
	Messages int    // in all of them
	Longest  int    // of them in the first room, which is called LongRoom
	People   int    // other accounts; 0 stands for one for every four rooms, 500 at most
	Unseen   int    // of the messages, the newest, that were not seen
	Until    time.Time
	Seed     uint64
}

// LongRoom is the title of the room with the most messages.
const LongRoom = "The long conversation"

// Filled says what was made.
type Filled struct {
	Self     identity.ID
	Long     room.ID // the room with the most messages
	Rooms    []room.ID
	Messages int
}

// seeder is a plan while it is carried out.
type seeder struct {
	Plan
	r      *rand.Rand
	self   identity.ID
	device wire.DeviceName
	people []person
	rooms  []place
	out    Filled
	pos    int64
	at     int64
	step   int64 // between two messages, on average, milliseconds
}

type person struct {
	id     identity.ID
	device wire.DeviceName
	handle string
}

// place is a room with who writes there and its last messages.
type place struct {
	id     room.ID
	kind   room.Kind
	others []int
	last   []mimi.MessageID
	seq    uint64
}

// Fill carries out a plan. A database that has an account keeps it, and what it holds; one that
// was filled before is to be filled with another Seed.
func Fill(st *store.Store, p Plan) (Filled, error) {
	if p.People == 0 {
		p.People = max(1, min(p.Rooms/4, 500))
	}
	if p.Until.IsZero() {
		p.Until = time.Unix(1_750_000_000, 0)
	}
	if p.Rooms < 1 || p.Messages < 0 || p.Longest > p.Messages {
		return Filled{}, fmt.Errorf("seed: %d rooms, %d messages, %d of them in one", p.Rooms, p.Messages, p.Longest)
	}
	s := &seeder{Plan: p, r: rand.New(rand.NewPCG(p.Seed, 7))}
	for _, f := range []func(tx store.Tx) error{s.account, s.meet, s.open} {
		if err := st.Update(f); err != nil {
			return s.out, err
		}
	}
	const batch = 5000
	s.step = max(1, 2*365*24*3_600_000/int64(max(p.Messages, 1))) // two years of it
	s.at = p.Until.UnixMilli() - s.step*int64(p.Messages)
	for n := 0; n < p.Messages; {
		err := st.Update(func(tx store.Tx) error {
			for range min(batch, p.Messages-n) {
				if err := s.say(tx, n); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return s.out, err
		}
	}
	s.out.Messages = p.Messages
	return s.out, st.Tidy()
}

// Facts of the store that make an account: see the client's.
const (
	factKeys, factChain, factHandle, factInbox, factPublic, factOpened = "keys", "chain", "handle", "inbox", "public", "opened"
)

// account finds the account of the device, or makes one at a host that nobody can reach.
func (s *seeder) account(tx store.Tx) error {
	b, ok, err := tx.Fact(factKeys)
	if err != nil {
		return err
	}
	var keys *identity.Keys
	var statements [][]byte
	if ok {
		chain, _, err := tx.Fact(factChain)
		if err != nil {
			return err
		}
		if keys, err = identity.ParseKeys(b); err != nil {
			return err
		}
		if err := wire.Unmarshal(chain, &statements); err != nil {
			return err
		}
	} else {
		if s.Handle == "" {
			s.Handle = "ana@home.invalid"
		}
		h, err := wire.ParseHandle(s.Handle)
		if err != nil {
			return err
		}
		if keys, err = identity.NewKeys(reader{s.r}); err != nil {
			return err
		}
		statements = [][]byte{keys.Genesis(h, s.Until.Add(-3*365*24*time.Hour))}
		inbox, public := make([]byte, 16), make([]byte, 32)
		reader{s.r}.Read(inbox)
		reader{s.r}.Read(public)
		for name, value := range map[string][]byte{factKeys: keys.Marshal(), factChain: wire.Marshal(statements), factHandle: []byte(h.String()), factInbox: inbox, factPublic: public, factOpened: {1}} {
			if err := tx.SetFact(name, value); err != nil {
				return err
			}
		}
	}
	chain, err := identity.Verify(statements)
	if err != nil {
		return err
	}
	s.self, s.device = chain.ID(), keys.Name
	if s.pos, err = tx.NextPos(); err != nil { // behind what is here already
		return err
	}
	s.pos--
	s.out.Self = s.self
	return nil
}

// reader draws bytes from the plan's seed.
type reader struct{ r *rand.Rand }

func (r reader) Read(b []byte) (int, error) {
	for i := 0; i < len(b); i += 8 {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], r.r.Uint64())
		copy(b[i:], w[:])
	}
	return len(b), nil
}

// meet makes the other people.
func (s *seeder) meet(tx store.Tx) error {
	for i := range s.People {
		keys, err := identity.NewKeys(reader{s.r})
		if err != nil {
			return err
		}
		name := names[i%len(names)]
		if i >= len(names) {
			name = fmt.Sprintf("%s-%d", name, i/len(names)+1)
		}
		h := wire.Handle{Name: name, Host: hosts[i%len(hosts)]}
		chain, err := identity.Verify([][]byte{keys.Genesis(h, s.Until.Add(-3*365*24*time.Hour))})
		if err != nil {
			return err
		}
		if err := tx.PutPerson(chain.ID(), h.String(), chain, s.Until.Add(-2*365*24*time.Hour).UnixMilli()); err != nil {
			return err
		}
		if err := tx.SetStanding(chain.ID(), store.Contact); err != nil {
			return err
		}
		s.people = append(s.people, person{chain.ID(), keys.Name, h.String()})
	}
	return nil
}

// open makes the rooms: pairs while there are people for them, every third one a group.
func (s *seeder) open(tx store.Tx) error {
	pairs := 0
	for i := range s.Rooms {
		x := place{kind: room.Group, id: sha256.Sum256(binary.BigEndian.AppendUint64([]byte("seed room"), s.Seed<<20+uint64(i)))}
		row := store.Room{ID: x.id, Kind: room.Group, Generation: 1, State: store.RoomActive, Created: s.Until.Add(-2 * 365 * 24 * time.Hour).UnixMilli()}
		switch {
		case i == 0:
			row.Title = LongRoom
		case i%3 != 0 && pairs < len(s.people):
			x.kind, x.others = room.Pair, []int{pairs}
			row.Kind, row.Peer = room.Pair, &s.people[pairs].id
			pairs++
		default:
			row.Title = fmt.Sprintf("%s %d", titles[i%len(titles)], i)
		}
		for len(x.others) == 0 || x.kind == room.Group && len(x.others) < 2+i%7 {
			x.others = append(x.others, s.r.IntN(len(s.people)))
		}
		if err := tx.PutRoom(row); err != nil {
			return err
		}
		s.rooms = append(s.rooms, x)
		s.out.Rooms = append(s.out.Rooms, x.id)
	}
	s.out.Long = s.rooms[0].id
	return nil
}

// say adds the n-th message of all: to the long room, or to one of the others.
func (s *seeder) say(tx store.Tx, n int) error {
	i := 0
	if s.Rooms > 1 && s.r.IntN(s.Messages) >= s.Longest {
		i = 1 + s.r.IntN(s.Rooms-1)
	}
	x := &s.rooms[i]
	s.pos++
	s.at += 1 + s.r.Int64N(2*s.step)
	x.seq++
	m := store.Message{
		Room: x.id, Pos: s.pos, Generation: 1, Seq: x.seq, Arrived: s.at, Sent: s.at - s.r.Int64N(3000), At: s.at,
		Account: s.self, Device: s.device, State: store.Read, Flags: store.FlagSeen,
	}
	own := s.r.IntN(5) < 2
	if !own {
		p := s.people[x.others[s.r.IntN(len(x.others))]]
		m.Account, m.Device, m.State = p.id, p.device, store.Received
		if n >= s.Messages-s.Unseen {
			m.Flags = 0
		}
	}
	content, err := s.content(x, &m)
	if err != nil {
		return err
	}
	if m.Content, err = content.Marshal(); err != nil {
		return err
	}
	if m.ID, err = content.MessageID(fmt.Sprintf("seed:a/%x", m.Account[:8]), fmt.Sprintf("seed:r/%x", x.id[:8])); err != nil {
		return err
	}
	if m.At != 0 {
		if x.last = append(x.last, m.ID); len(x.last) > 20 {
			x.last = x.last[1:]
		}
		if s.r.IntN(200) == 0 {
			m.Flags |= store.FlagStarred
		}
	}
	if own && m.Kind == mimi.KindText && s.r.IntN(30) == 0 {
		return s.edited(tx, m)
	}
	_, err = tx.AddMessage(m)
	return err
}

// edited adds a message and its edit, the message as it is when the edit has acted on it.
func (s *seeder) edited(tx store.Tx, m store.Message) error {
	m.Flags |= store.FlagEdited
	edit := m
	content, err := mimi.NewEdit(reader{s.r}, m.ID, m.Text)
	if err != nil {
		return err
	}
	if edit.Content, err = content.Marshal(); err != nil {
		return err
	}
	s.pos++
	edit.Kind, edit.Target, edit.Pos, edit.At, edit.Flags = mimi.KindEdit, &m.ID, s.pos, 0, store.FlagSeen
	reader{s.r}.Read(edit.ID[:])
	if _, err := tx.AddMessage(m); err != nil {
		return err
	}
	_, err = tx.AddMessage(edit)
	return err
}

// content makes what a message says: mostly texts, some replies and reactions.
func (s *seeder) content(x *place, m *store.Message) (*mimi.Content, error) {
	salt := reader{s.r}
	if len(x.last) > 0 {
		target := x.last[s.r.IntN(len(x.last))]
		switch dice := s.r.IntN(100); {
		case dice < 8:
			m.Kind, m.Target, m.Text = mimi.KindReply, &target, s.text()
			return mimi.NewReply(salt, target, m.Text)
		case dice < 16:
			m.Kind, m.Target, m.Text, m.At = mimi.KindReaction, &target, emoji[s.r.IntN(len(emoji))], 0
			return mimi.NewReaction(salt, target, m.Text)
		}
	}
	m.Kind, m.Text = mimi.KindText, s.text()
	return mimi.NewText(salt, m.Text)
}
