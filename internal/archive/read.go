package archive

import (
	"cmp"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
)

// Place is how far a past was read: the sections come one after the other.
type Place struct {
	Section  uint8       `cbor:"1,keyasint,omitempty"`
	Account  identity.ID `cbor:"2,keyasint"`            // of people
	Room     room.ID     `cbor:"8,keyasint"`            // of rooms
	Row      int64       `cbor:"3,keyasint,omitempty"`  // of messages
	Event    int64       `cbor:"6,keyasint,omitempty"`  // of what happened
	Index    uint64      `cbor:"4,keyasint,omitempty"`  // of the next chunk
	Messages uint64      `cbor:"5,keyasint,omitempty"`  // read so far
	Total    uint64      `cbor:"7,keyasint,omitempty"`  // messages in all, when this began
	Since    int64       `cbor:"9,keyasint,omitempty"`  // the next place in the order for people, when this began
	Late     int64       `cbor:"10,keyasint,omitempty"` // row through which late messages were read
}

// The sections, in their order.
const (
	sectionPeople uint8 = iota
	sectionRooms
	sectionMessages
	sectionHappened
	sectionEnd
	sectionLate // and back to the end
)

// Done says whether everything was read. More may have come since: of messages and of what
// happened, Read goes on from any place.
func (p Place) Done() bool { return p.Section == sectionEnd }

// Again is where to go on for what has come since.
func (p Place) Again() Place {
	if p.Section == sectionEnd {
		p.Section = sectionMessages
	}
	return p
}

// AfterLate is the place for the messages that waited to be sent when their rows were read, and have
// been sent since; false when there are none. What was kept since the reading began may be among
// them a second time: a reader passes over what it has.
func (p Place) AfterLate(tx store.Tx) (Place, bool, error) {
	list, _, err := tx.MessagesPlaced(p.Since, p.Late, p.Row, 1, 1)
	p.Section = sectionLate
	return p, len(list) > 0, err
}

// Self is what the client knows of the person whose past it is.
type Self struct {
	Account  identity.ID
	Settings []byte // JSON
	Labels   []Label
}

// Read reads the next chunk from a place, and the place after it. Its Last is not set: the
// caller knows when it is done.
func Read(tx store.Tx, p Place, self Self) (c Chunk, next Place, err error) {
	c = Chunk{Version: Version, Index: p.Index}
	next = p
	next.Index++
	switch p.Section {
	case sectionPeople:
		if p.Account == (identity.ID{}) {
			err = readSelf(tx, &c, &next, self)
		}
		err = cmp.Or(err, readPeople(tx, &c, &next))
	case sectionRooms:
		err = readRooms(tx, &c, &next)
	case sectionMessages:
		err = readMessages(tx, &c, &next)
	case sectionHappened:
		err = readHappened(tx, &c, &next)
	case sectionLate:
		next.Section = sectionEnd
		next.Late, err = readRows(tx, &c, &next, func() ([]store.Message, int64, error) {
			return tx.MessagesPlaced(next.Since, next.Late, next.Row, chunkRows, chunkBytes)
		})
	}
	if err != nil {
		return c, p, err
	}
	c.Total = max(next.Total, next.Messages)
	return c, next, nil
}

// How many people, and rooms, are read at once: a room has at most 32 pins and five marks, and
// a chunk at most 4,096 of anything.
const (
	peopleRows = 100
	roomRows   = 40
)

// readSelf reads what stands at the beginning.
func readSelf(tx store.Tx, c *Chunk, next *Place, self Self) error {
	total, err := tx.CountMessages()
	if err != nil {
		return err
	}
	if next.Since, err = tx.NextPos(); err != nil {
		return err
	}
	next.Total, c.Settings, c.Labels = uint64(total), self.Settings, self.Labels
	_, err = readProfile(tx, c, self.Account)
	return err
}

// readProfile reads what an account shows, if anything, and says how large its picture is.
func readProfile(tx store.Tx, c *Chunk, account identity.ID) (size int, err error) {
	p, err := tx.Profile(account)
	if err != nil || p == nil {
		return 0, err
	}
	picture, err := tx.ProfilePicture(account)
	c.Profiles = append(c.Profiles, Profile{Account: account, Version: p.Version, Name: p.Name, Status: p.Status, Hash: p.Hash, Picture: picture})
	return len(picture), err
}

func readPeople(tx store.Tx, c *Chunk, next *Place) error {
	list, err := tx.PeopleAfter(next.Account, peopleRows)
	if err != nil {
		return err
	}
	size := 0
	for _, p := range list {
		if size > chunkBytes {
			return nil
		}
		next.Account = p.Account
		c.People = append(c.People, Person{
			Chain: p.Chain.Statements(0), Standing: uint8(p.Standing), Nickname: p.Nickname, Since: p.Since, Compared: p.Compared, Changed: p.Changed,
		})
		n, err := readProfile(tx, c, p.Account)
		if err != nil {
			return err
		}
		for _, s := range p.Chain.Statements(0) {
			n += len(s)
		}
		size += n
	}
	if len(list) < peopleRows {
		next.Section, next.Account = sectionRooms, identity.ID{}
	}
	return nil
}

// readRooms reads, of some rooms, what they are to this person.
func readRooms(tx store.Tx, c *Chunk, next *Place) error {
	rooms, err := tx.RoomsAfter(next.Room, roomRows)
	if err != nil {
		return err
	}
	size := 0
	for _, r := range rooms {
		if size > chunkBytes {
			return nil
		}
		next.Room = r.ID
		if r.Kind != room.Alike && r.State != store.RoomMerged {
			c.Rooms = append(c.Rooms, Room{ID: r.ID, Kind: r.Kind, Title: r.Title, Peer: r.Peer, State: uint8(r.State), Generation: r.Generation, Created: r.Created})
		}
		pins, err := tx.Pins(r.ID)
		if err != nil {
			return err
		}
		for _, p := range pins {
			c.Pins = append(c.Pins, Pin{Room: r.ID, Message: p.Message, Account: p.Account, Time: p.Time})
		}
		marks, err := tx.MarkFields(r.ID)
		if err != nil {
			return err
		}
		for _, m := range marks {
			size += len(m.Text)
			c.Marks = append(c.Marks, Mark{Room: m.Room, Field: m.Field, Number: m.Number, Text: m.Text, Changed: m.Changed})
		}
	}
	if len(rooms) < roomRows {
		next.Section, next.Room = sectionMessages, room.ID{}
	}
	return nil
}

func readMessages(tx store.Tx, c *Chunk, next *Place) error {
	through, err := readRows(tx, c, next, func() ([]store.Message, int64, error) { return tx.MessagesFrom(next.Row, chunkRows, chunkBytes) })
	if err != nil {
		return err
	}
	if through == next.Row {
		next.Section = sectionHappened
		return nil
	}
	next.Row = through
	return nil
}

// readRows puts messages into a chunk, and answers the row of the last one.
func readRows(tx store.Tx, c *Chunk, next *Place, from func() ([]store.Message, int64, error)) (through int64, err error) {
	list, through, err := from()
	if err != nil {
		return through, err
	}
	for _, m := range list {
		if m.State == store.Queued { // it is said by who still has it to send
			continue
		}
		x := Message{
			Room: m.Room, ID: m.ID, Pos: m.Pos, Generation: m.Generation, Seq: m.Seq, Account: m.Account, Device: m.Device, Kind: uint8(m.Kind), Target: m.Target,
			Text: m.Text, Content: m.Content, Arrived: m.Arrived, Sent: m.Sent, State: uint8(m.State), Expires: m.Expires, Flags: m.Flags, Vanish: m.Vanish, At: m.At,
		}
		if m.State == store.Stored || m.State == store.Delivered {
			told, err := tx.Receipts(m.Room, m.ID)
			if err != nil {
				return through, err
			}
			for _, a := range sorted(told) {
				x.Receipts = append(x.Receipts, Receipt{a, uint8(told[a])})
			}
		}
		c.Messages = append(c.Messages, x)
	}
	next.Messages += uint64(len(c.Messages))
	return through, nil
}

func sorted(m map[identity.ID]store.MessageState) []identity.ID {
	var out []identity.ID
	for a := range m {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b identity.ID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// block is which of the blocks of so many rows a row is in. A chunk ends with its block: what is
// deleted changes the chunks that held it, and leaves the others as they are.
func block(row int64) int64 { return (row - 1) / chunkRows }

// readCall is the call that something tells of; nil where it tells of none.
func readCall(tx store.Tx, id *room.CallID) (*Call, error) {
	if id == nil {
		return nil, nil
	}
	x, err := tx.Call(*id)
	if err != nil || x == nil {
		return nil, err
	}
	return &Call{ID: x.ID, Peer: x.Peer, Outgoing: x.Outgoing, Video: x.Video, Matched: x.Matched, End: uint8(x.End), Began: x.Began, Answered: x.Answered, Ended: x.Ended}, nil
}

func readHappened(tx store.Tx, c *Chunk, next *Place) error {
	list, err := tx.HappenedFrom(next.Event, chunkRows)
	if err != nil {
		return err
	}
	for _, n := range list {
		if block(n.ID) != block(list[0].ID) {
			return nil
		}
		next.Event = n.ID
		if n.Room != nil {
			e := Event{Room: *n.Room, Time: n.Time, Kind: n.Kind, Text: n.Text, Pos: n.Pos, Said: n.Said}
			if e.Call, err = readCall(tx, n.Call); err != nil {
				return err
			}
			c.Happened = append(c.Happened, e)
		}
	}
	if len(list) < chunkRows {
		next.Section = sectionEnd
	}
	return nil
}
