package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// Card is the little that lists show of an account. Unlike a Person it holds no chain, whose
// signatures would be checked for each.
type Card struct {
	Account  identity.ID
	Handle   string
	Standing Standing
	Nickname string
	Compared int64
	Changed  int64
	Paused   int64
	Own      string     // the name they show
	Picture  *wire.Hash // nil: none here
}

const cardColumns = `p.account, p.handle, p.state, p.nickname, p.compared, p.changed, p.paused, COALESCE(f.name, ''), CASE WHEN f.picture IS NULL THEN NULL ELSE f.hash END
	FROM people p LEFT JOIN profiles f ON f.account = p.account`

func scanCard(r *sqlite.Row) (Card, error) {
	var c Card
	err := r.Scan(&c.Account, &c.Handle, &c.Standing, &c.Nickname, &c.Compared, &c.Changed, &c.Paused, &c.Own, &c.Picture)
	return c, err
}

// Cards are the cards of everybody known.
func (t Tx) Cards() ([]Card, error) {
	return collect(t, `SELECT `+cardColumns, scanCard)
}

// Card is the card of an account; false when it is not known.
func (t Tx) Card(id identity.ID) (c Card, ok bool, err error) {
	ok, err = t.one(`SELECT `+cardColumns+` WHERE p.account = ?`, func(r *sqlite.Row) (err error) { c, err = scanCard(r); return err }, id)
	return c, ok, err
}

// WaitingKnocks counts who waits at each room.
func (t Tx) WaitingKnocks() (map[room.ID]int, error) {
	out := map[room.ID]int{}
	err := t.tx.Query(`SELECT room, COUNT(*) FROM knocks WHERE state = ? GROUP BY room`, func(r *sqlite.Row) error {
		var id room.ID
		var n int64
		err := r.Scan(&id, &n)
		out[id] = int(n)
		return err
	}, KnockWaits)
	return out, err
}

// RoomPictures are the hashes of the pictures of rooms that are here.
func (t Tx) RoomPictures() (map[room.ID]map[wire.Hash]bool, error) {
	out := map[room.ID]map[wire.Hash]bool{}
	err := t.tx.Query(`SELECT room, hash FROM room_pictures`, func(r *sqlite.Row) error {
		var id room.ID
		var h wire.Hash
		err := r.Scan(&id, &h)
		if out[id] == nil {
			out[id] = map[wire.Hash]bool{}
		}
		out[id][h] = true
		return err
	})
	return out, err
}
