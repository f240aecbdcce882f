package store

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// Profile is what an account shows of itself, as far as it came here.
type Profile struct {
	Account identity.ID
	Version uint64
	Name    string
	Status  string
	Hash    *wire.Hash // of the picture; nil without one
	Have    bool       // the picture itself is here
}

// Profile finds what an account shows of itself; nil when nothing came.
func (t Tx) Profile(id identity.ID) (*Profile, error) {
	var p Profile
	ok, err := t.one(`SELECT `+profileColumns+` FROM profiles WHERE account = ?`, func(r *sqlite.Row) (err error) { p, err = scanProfile(r); return err }, id)
	if err != nil || !ok {
		return nil, err
	}
	return &p, nil
}

const profileColumns = `account, version, name, status, hash, picture IS NOT NULL`

func scanProfile(r *sqlite.Row) (Profile, error) {
	var p Profile
	err := r.Scan(&p.Account, &p.Version, &p.Name, &p.Status, &p.Hash, &p.Have)
	return p, err
}

// Profiles are all profiles, by account.
func (t Tx) Profiles() (map[identity.ID]Profile, error) {
	list, err := collect(t, `SELECT `+profileColumns+` FROM profiles`, scanProfile)
	out := make(map[identity.ID]Profile, len(list))
	for _, p := range list {
		out[p.Account] = p
	}
	return out, err
}

// PutProfile keeps what an account shows of itself. picture nil: it did not come, and the one
// that is here stays if it is the same.
func (t Tx) PutProfile(p Profile, picture []byte) error {
	return t.tx.Exec(`INSERT INTO profiles (account, version, name, status, hash, picture) VALUES (?,?,?,?,?,?)
		ON CONFLICT (account) DO UPDATE SET version = excluded.version, name = excluded.name, status = excluded.status, hash = excluded.hash,
		picture = COALESCE(excluded.picture, CASE WHEN hash IS excluded.hash THEN picture END)`, p.Account, p.Version, p.Name, p.Status, p.Hash, picture)
}

// ProfilePicture is an account's picture, nil when there is none here.
func (t Tx) ProfilePicture(id identity.ID) (b []byte, err error) {
	_, err = t.one(`SELECT picture FROM profiles WHERE account = ? AND picture IS NOT NULL`, func(r *sqlite.Row) error { b = r.Bytes(0); return nil }, id)
	return b, err
}

// PersonChange is something that changed about a person.
type PersonChange struct {
	Time int64  // Unix milliseconds
	What string // a stable name
	Text string // the new value, if there is one to show
}

// changesKept is how many changes are remembered of one person.
const changesKept = 64

// AddPersonChange notes what changed about a person; the latest ones are kept.
func (t Tx) AddPersonChange(id identity.ID, c PersonChange) error {
	if err := t.tx.Exec(`INSERT INTO person_changes (account, time, what, text) VALUES (?,?,?,?)`, id, c.Time, c.What, c.Text); err != nil {
		return err
	}
	return t.tx.Exec(`DELETE FROM person_changes WHERE account = ? AND id NOT IN
		(SELECT id FROM person_changes WHERE account = ? ORDER BY id DESC LIMIT ?)`, id, id, changesKept)
}

// PersonChanges are what changed about a person, newest first.
func (t Tx) PersonChanges(id identity.ID) ([]PersonChange, error) {
	return collect(t, `SELECT time, what, text FROM person_changes WHERE account = ? ORDER BY id DESC`, func(r *sqlite.Row) (c PersonChange, err error) {
		err = r.Scan(&c.Time, &c.What, &c.Text)
		return c, err
	}, id)
}

// OweProfile notes that a room is to get this account's profile, not before a time. One that
// is owed already waits no longer for it.
func (t Tx) OweProfile(id room.ID, due int64) error {
	return t.tx.Exec(`INSERT INTO profiles_owed (room, due) VALUES (?,?) ON CONFLICT (room) DO UPDATE SET due = MIN(due, excluded.due)`, id, due)
}

// OwePicture notes that a room's newcomers are to get its picture, not before a time.
func (t Tx) OwePicture(id room.ID, due int64) error {
	return t.tx.Exec(`INSERT INTO pictures_owed (room, due) VALUES (?,?) ON CONFLICT (room) DO UPDATE SET due = MIN(due, excluded.due)`, id, due)
}

// Due is something owed to a room, not before a time.
type Due struct {
	Room room.ID
	Due  int64
}

// ProfilesOwed are the rooms that wait for this account's profile.
func (t Tx) ProfilesOwed() ([]Due, error) { return t.due(`profiles_owed`) }

// PicturesOwed are the rooms whose newcomers wait for the picture.
func (t Tx) PicturesOwed() ([]Due, error) { return t.due(`pictures_owed`) }

func (t Tx) due(table string) ([]Due, error) {
	return collect(t, `SELECT room, due FROM `+table+` ORDER BY due, room`, func(r *sqlite.Row) (d Due, err error) {
		err = r.Scan(&d.Room, &d.Due)
		return d, err
	})
}

// ProfileOwed says whether a room waits for this account's profile.
func (t Tx) ProfileOwed(id room.ID) (bool, error) {
	return t.one(`SELECT 1 FROM profiles_owed WHERE room = ?`, func(*sqlite.Row) error { return nil }, id)
}

// PaidProfile forgets that a room waits for this account's profile.
func (t Tx) PaidProfile(id room.ID) error {
	return t.tx.Exec(`DELETE FROM profiles_owed WHERE room = ?`, id)
}

// PaidPicture forgets that a room's newcomers wait for its picture.
func (t Tx) PaidPicture(id room.ID) error {
	return t.tx.Exec(`DELETE FROM pictures_owed WHERE room = ?`, id)
}

// PutRoomPicture keeps a picture of a room.
func (t Tx) PutRoomPicture(id room.ID, hash wire.Hash, picture []byte) error {
	return t.tx.Exec(`INSERT OR IGNORE INTO room_pictures (room, hash, picture) VALUES (?,?,?)`, id, hash, picture)
}

// RoomPicture is a room's picture of that hash, nil when it is not here.
func (t Tx) RoomPicture(id room.ID, hash wire.Hash) (b []byte, err error) {
	_, err = t.one(`SELECT picture FROM room_pictures WHERE room = ? AND hash = ?`, func(r *sqlite.Row) error { b = r.Bytes(0); return nil }, id, hash)
	return b, err
}

// HasRoomPicture says whether a room's picture of that hash is here.
func (t Tx) HasRoomPicture(id room.ID, hash wire.Hash) (bool, error) {
	return t.one(`SELECT 1 FROM room_pictures WHERE room = ? AND hash = ?`, func(*sqlite.Row) error { return nil }, id, hash)
}

// KeepRoomPicture forgets all pictures of a room but one; nil: all.
func (t Tx) KeepRoomPicture(id room.ID, hash *wire.Hash) error {
	return t.tx.Exec(`DELETE FROM room_pictures WHERE room = ? AND hash IS NOT ?`, id, hash)
}
