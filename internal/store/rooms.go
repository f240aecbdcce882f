package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
	"sotto/mls"
)

// RoomState is a room's state for people.
type RoomState uint8

// The states of a room.
const (
	RoomActive  RoomState = 1
	RoomLeft    RoomState = 2 // this person left
	RoomRemoved RoomState = 3 // this person was removed
	RoomMerged  RoomState = 4 // a pair's second room: Alias is the one that counts
)

// Room is a conversation.
type Room struct {
	ID         room.ID
	Kind       room.Kind
	Title      string
	Peer       *identity.ID // a pair's other account
	Generation uint64       // the one written to
	State      RoomState
	Alias      *room.ID
	Created    int64 // Unix milliseconds
}

// Live says whether this device takes part in the room.
func (r Room) Live() bool { return r.State == RoomActive || r.State == RoomMerged }

const roomColumns = `room, kind, title, peer, generation, state, alias, created`

func scanRoom(r *sqlite.Row) (Room, error) {
	var x Room
	err := r.Scan(&x.ID, &x.Kind, &x.Title, &x.Peer, &x.Generation, &x.State, &x.Alias, &x.Created)
	return x, err
}

// Room finds a room; nil when there is none.
func (t Tx) Room(id room.ID) (*Room, error) {
	var x Room
	ok, err := t.one(`SELECT `+roomColumns+` FROM rooms WHERE room = ?`, func(r *sqlite.Row) (err error) { x, err = scanRoom(r); return err }, id)
	if err != nil || !ok {
		return nil, err
	}
	return &x, nil
}

// Rooms are all rooms, oldest first.
func (t Tx) Rooms() ([]Room, error) {
	return collect(t, `SELECT `+roomColumns+` FROM rooms ORDER BY created, room`, scanRoom)
}

// PairRooms are the rooms of a pair with an account, the lowest id first.
func (t Tx) PairRooms(peer identity.ID) ([]Room, error) {
	return collect(t, `SELECT `+roomColumns+` FROM rooms WHERE peer = ? AND kind = 1 ORDER BY room`, scanRoom, peer)
}

// PutRoom keeps a room.
func (t Tx) PutRoom(x Room) error {
	return t.tx.Exec(`INSERT INTO rooms (`+roomColumns+`) VALUES (?,?,?,?,?,?,?,?)
		ON CONFLICT (room) DO UPDATE SET title = excluded.title, peer = excluded.peer,
		generation = excluded.generation, state = excluded.state, alias = excluded.alias`,
		x.ID, x.Kind, x.Title, x.Peer, x.Generation, x.State, x.Alias, x.Created)
}

// GenState is the state of one generation of a room.
type GenState uint8

// The states of a generation.
const (
	GenLive     GenState = 1
	GenCreating GenState = 2 // the host has not made the log yet
	GenWedged   GenState = 3 // it cannot go on: the room is to move
	GenLost     GenState = 4 // this device's group state is gone: it asks to be added again
	GenClosed   GenState = 5 // read out, or left
)

// Generation is a room's group and log while they last.
type Generation struct {
	Room    room.ID
	Number  uint64
	Host    string
	Log     wire.LogName
	Secret  wire.Secret
	Next    *wire.Secret
	Claimed bool
	Seq     uint64
	Chain   wire.Hash
	State   GenState
	Since   int64
	Seen    int64  // when the host was last read to its head
	Last    uint64 // 0: no end known
	Updated int64
	Created []byte
	TTL     uint64 // seconds
	Suite   mls.CipherSuite
	Orphan  bool   // made by a member when no admin was left to
	Adds    uint64 // members added since the last commit with a path
	Context []byte // room.Context, kept when the group is lost
}

const genColumns = `room, generation, host, log, secret, next, claimed, seq, chain, state, since, seen, last, updated, created, ttl, suite, orphan, adds, context`

func scanGen(r *sqlite.Row) (Generation, error) {
	var g Generation
	err := r.Scan(&g.Room, &g.Number, &g.Host, &g.Log, &g.Secret, &g.Next, &g.Claimed, &g.Seq, &g.Chain,
		&g.State, &g.Since, &g.Seen, &g.Last, &g.Updated, &g.Created, &g.TTL, &g.Suite, &g.Orphan, &g.Adds, &g.Context)
	return g, err
}

// Generations are all generations that are not closed.
func (t Tx) Generations() ([]Generation, error) {
	return collect(t, `SELECT `+genColumns+` FROM generations WHERE state <> 5 ORDER BY room, generation`, scanGen)
}

// PutGeneration keeps a generation whole.
func (t Tx) PutGeneration(g Generation) error {
	return t.tx.Exec(`INSERT OR REPLACE INTO generations (`+genColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		g.Room, g.Number, g.Host, g.Log, g.Secret, g.Next, g.Claimed, g.Seq, g.Chain, g.State, g.Since, g.Seen, g.Last, g.Updated, g.Created, g.TTL, g.Suite, g.Orphan, g.Adds, g.Context)
}

// SetPlace moves a generation's place on and remembers the running hash there, for the
// last keep entries.
func (t Tx) SetPlace(g Generation, keep uint64) error {
	if err := t.tx.Exec(`UPDATE generations SET seq = ?, chain = ?, seen = ? WHERE room = ? AND generation = ?`, g.Seq, g.Chain, g.Seen, g.Room, g.Number); err != nil {
		return err
	}
	if err := t.tx.Exec(`INSERT OR REPLACE INTO places (room, generation, seq, chain) VALUES (?,?,?,?)`, g.Room, g.Number, g.Seq, g.Chain); err != nil {
		return err
	}
	if g.Seq <= keep {
		return nil
	}
	return t.tx.Exec(`DELETE FROM places WHERE room = ? AND generation = ? AND seq = ?`, g.Room, g.Number, g.Seq-keep)
}

// PlaceAt is the running hash that this device saw at a place, if it still knows.
func (t Tx) PlaceAt(id room.ID, generation, seq uint64) (wire.Hash, bool, error) {
	var h wire.Hash
	ok, err := t.one(`SELECT chain FROM places WHERE room = ? AND generation = ? AND seq = ?`,
		func(r *sqlite.Row) error { return r.Scan(&h) }, id, generation, seq)
	return h, ok, err
}

// EraseGeneration drops what a generation's group held: secrets, knowledge, places, a
// commit on its way. History stays.
func (t Tx) EraseGeneration(id room.ID, generation uint64) error {
	if err := t.tx.Exec(`DELETE FROM known WHERE room = ? AND generation = ?`, id, generation); err != nil {
		return err
	}
	return t.EraseGroup(id, generation)
}

// EraseGroup drops the secrets and keeps who was in the group.
func (t Tx) EraseGroup(id room.ID, generation uint64) error {
	for _, table := range []string{"mls", "places", "staged", "joins", "past"} {
		if err := t.tx.Exec(`DELETE FROM `+table+` WHERE room = ? AND generation = ?`, id, generation); err != nil {
			return err
		}
	}
	return nil
}

// Known reads what a generation's group knows of its members' chains.
func (t Tx) Known(id room.ID, generation uint64) (room.Knowledge, error) {
	k := room.Knowledge{}
	err := t.tx.Query(`SELECT account, chain FROM known WHERE room = ? AND generation = ?`, func(r *sqlite.Row) error {
		var account identity.ID
		var b []byte
		if err := r.Scan(&account, &b); err != nil {
			return err
		}
		c, err := decodeChain(b)
		k[account] = c
		return err
	}, id, generation)
	return k, err
}

// Since says of each account that a group knows with which entry it came into the room, 0 for
// those who were in it when this device came.
func (t Tx) Since(id room.ID, generation uint64) (map[identity.ID]uint64, error) {
	out := map[identity.ID]uint64{}
	err := t.tx.Query(`SELECT account, since FROM known WHERE room = ? AND generation = ?`, func(r *sqlite.Row) error {
		var a identity.ID
		var n uint64
		err := r.Scan(&a, &n)
		out[a] = n
		return err
	}, id, generation)
	return out, err
}

// SetSince keeps with which entry an account came into the room.
func (t Tx) SetSince(id room.ID, generation uint64, account identity.ID, seq uint64) error {
	return t.tx.Exec(`UPDATE known SET since = ? WHERE room = ? AND generation = ? AND account = ?`, seq, id, generation, account)
}

// PutKnown keeps what a group knows: what differs from before.
func (t Tx) PutKnown(id room.ID, generation uint64, before, after room.Knowledge) error {
	for account, c := range after {
		if old := before[account]; old != nil && old.Len() == c.Len() {
			continue
		}
		if err := t.tx.Exec(`INSERT INTO known (room, generation, account, chain) VALUES (?,?,?,?)
			ON CONFLICT (room, generation, account) DO UPDATE SET chain = excluded.chain`, id, generation, account, encodeChain(c)); err != nil {
			return err
		}
	}
	for account := range before {
		if after[account] == nil {
			if err := t.tx.Exec(`DELETE FROM known WHERE room = ? AND generation = ? AND account = ?`, id, generation, account); err != nil {
				return err
			}
		}
	}
	return nil
}

// Generation finds a generation; nil when there is none.
func (t Tx) Generation(id room.ID, generation uint64) (*Generation, error) {
	var g Generation
	ok, err := t.one(`SELECT `+genColumns+` FROM generations WHERE room = ? AND generation = ?`, func(r *sqlite.Row) (err error) { g, err = scanGen(r); return err }, id, generation)
	if err != nil || !ok {
		return nil, err
	}
	return &g, nil
}
