package store

import (
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/store/sqlite"
	"sotto/internal/wire"
)

// Standing is what an account is to this person.
type Standing uint8

// The standings.
const (
	Stranger Standing = 0 // seen in a room or an invitation, nothing more
	Contact  Standing = 1 // written to, or accepted
	Blocked  Standing = 2
)

// Person is an account as this device knows it.
type Person struct {
	Account  identity.ID
	Handle   string
	Chain    *identity.Chain
	Standing Standing
	Nickname string // given here
	Since    int64  // first known, Unix milliseconds
	Compared int64  // when numbers were compared; 0: never, or something changed since
	Changed  int64  // when a key changed that nobody has looked at since; 0: none
	Paused   int64  // since when nothing is sent to them, until the person says so; 0: it is
}

const personColumns = `account, handle, chain, state, nickname, since, compared, changed, paused`

func scanPerson(r *sqlite.Row) (Person, error) {
	var p Person
	var chain []byte
	if err := r.Scan(&p.Account, &p.Handle, &chain, &p.Standing, &p.Nickname, &p.Since, &p.Compared, &p.Changed, &p.Paused); err != nil {
		return p, err
	}
	c, err := decodeChain(chain)
	p.Chain = c
	return p, err
}

func encodeChain(c *identity.Chain) []byte { return wire.Marshal(c.Statements(0)) }

func decodeChain(b []byte) (*identity.Chain, error) {
	var statements [][]byte
	if err := wire.Unmarshal(b, &statements); err != nil {
		return nil, fmt.Errorf("store: chain: %w", err)
	}
	return identity.Verify(statements)
}

// Person finds an account; nil when it is not known.
func (t Tx) Person(id identity.ID) (*Person, error) {
	return t.person(`SELECT `+personColumns+` FROM people WHERE account = ?`, id)
}

// PersonByHandle finds the account last seen under a handle; nil when there is none.
func (t Tx) PersonByHandle(handle string) (*Person, error) {
	return t.person(`SELECT `+personColumns+` FROM people WHERE handle = ? ORDER BY state = 1 DESC LIMIT 1`, handle)
}

func (t Tx) person(sql string, args ...any) (*Person, error) {
	var p Person
	ok, err := t.one(sql, func(r *sqlite.Row) (err error) { p, err = scanPerson(r); return err }, args...)
	if err != nil || !ok {
		return nil, err
	}
	return &p, nil
}

// People are all known accounts of a standing.
func (t Tx) People(s Standing) ([]Person, error) {
	return collect(t, `SELECT `+personColumns+` FROM people WHERE state = ? ORDER BY handle, account`, scanPerson, s)
}

// Standing is what an account is, Stranger when it is not known.
func (t Tx) Standing(id identity.ID) (Standing, error) {
	var s Standing
	_, err := t.one(`SELECT state FROM people WHERE account = ?`, func(r *sqlite.Row) error { return r.Scan(&s) }, id)
	return s, err
}

// PutPerson keeps an account's chain and handle; what else is known of it stays. One that is
// new is a Stranger, known since now.
func (t Tx) PutPerson(id identity.ID, handle string, c *identity.Chain, now int64) error {
	return t.tx.Exec(`INSERT INTO people (account, handle, chain, since) VALUES (?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET handle = excluded.handle, chain = excluded.chain`, id, handle, encodeChain(c), now)
}

// Block changes what an account is to Blocked, and remembers what it was.
func (t Tx) Block(id identity.ID) error {
	return t.tx.Exec(`UPDATE people SET was = state, state = ? WHERE account = ? AND state <> ?`, Blocked, id, Blocked)
}

// Unblock makes an account again what it was before it was blocked.
func (t Tx) Unblock(id identity.ID) error {
	return t.tx.Exec(`UPDATE people SET state = was, was = 0 WHERE account = ? AND state = ?`, id, Blocked)
}

// SetNickname keeps the name that an account has here; "" for none.
func (t Tx) SetNickname(id identity.ID, name string) error {
	return t.tx.Exec(`UPDATE people SET nickname = ? WHERE account = ?`, name, id)
}

// SetCompared keeps when numbers were compared, 0 for never, and when a key changed since, 0
// for not.
func (t Tx) SetCompared(id identity.ID, compared, changed int64) error {
	return t.tx.Exec(`UPDATE people SET compared = ?, changed = ?, once = once OR ? WHERE account = ?`, compared, changed, compared != 0, id)
}

// Paused says whether nothing is sent to an account.
func (t Tx) Paused(id identity.ID) (bool, error) {
	var since int64
	_, err := t.one(`SELECT paused FROM people WHERE account = ?`, func(r *sqlite.Row) error { return r.Scan(&since) }, id)
	return since != 0, err
}

// Pause sends nothing to an account from now on, if numbers were ever compared with it.
func (t Tx) Pause(id identity.ID, now int64) error {
	return t.tx.Exec(`UPDATE people SET paused = ? WHERE account = ? AND once`, now, id)
}

// Resume sends to an account again.
func (t Tx) Resume(id identity.ID) error {
	return t.tx.Exec(`UPDATE people SET paused = 0 WHERE account = ?`, id)
}

// SetStanding changes what an account is.
func (t Tx) SetStanding(id identity.ID, s Standing) error {
	return t.tx.Exec(`UPDATE people SET state = ? WHERE account = ?`, s, id)
}

// Named is how an account can be called.
type Named struct {
	Account  identity.ID
	Handle   string
	Nickname string // given here
	Own      string // that they show
}

// Names are all known accounts with what they can be called; no chain is read for it.
func (t Tx) Names() ([]Named, error) {
	return collect(t, `SELECT p.account, p.handle, p.nickname, COALESCE(s.name, '') FROM people p LEFT JOIN profiles s ON s.account = p.account`, scanNamed)
}

// NameOf is what an account can be called.
func (t Tx) NameOf(id identity.ID) (n Named, err error) {
	_, err = t.one(`SELECT p.account, p.handle, p.nickname, COALESCE(s.name, '') FROM people p LEFT JOIN profiles s ON s.account = p.account WHERE p.account = ?`,
		func(r *sqlite.Row) (err error) { n, err = scanNamed(r); return err }, id)
	return n, err
}

func scanNamed(r *sqlite.Row) (n Named, err error) {
	err = r.Scan(&n.Account, &n.Handle, &n.Nickname, &n.Own)
	return n, err
}

// Handle is the handle of an account, "" when it is not known.
func (t Tx) Handle(id identity.ID) (string, error) {
	var h string
	_, err := t.one(`SELECT handle FROM people WHERE account = ?`, func(r *sqlite.Row) error { return r.Scan(&h) }, id)
	return h, err
}
