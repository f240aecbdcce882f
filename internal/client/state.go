package client

import "sotto/internal/store"

const factTold = "told" // notices through here were shown to the person

// HostState is how a host can be reached.
type HostState struct {
	Name  string
	Home  bool // the account's own; the same host may serve logs too
	Up    bool
	Fails int   // connections that failed in a row
	Err   error // the last failure, nil while up
	Since int64 // unreachable since, Unix milliseconds; 0 while up

	Retiring int64  // when it will be switched off, as it says itself, Unix milliseconds; 0: it does not say so
	Reason   string // what its operator says about that
}

// Hosts says how the home server and the hosts of rooms can be reached.
func (c *Client) Hosts() (out []HostState) {
	c.on(func() {
		if c.account != nil {
			l := c.account.link
			out = append(out, c.stateOf(l, true))
		}
		for _, l := range c.sortedHosts() {
			out = append(out, c.stateOf(l, false))
		}
	})
	return out
}

func (c *Client) stateOf(l *link, home bool) HostState {
	h := HostState{Name: l.host, Home: home, Up: l.up, Fails: l.fails, Err: l.lastErr, Since: l.since}
	if r := c.retiringOf(l.host); r != nil {
		h.Retiring, h.Reason = r.On, r.Reason
	}
	return h
}

// Told is the last notice that was shown to the person.
func (c *Client) Told() (id int64, err error) {
	c.on(func() {
		err = c.st.View(func(tx store.Tx) error {
			n, err := tx.FactUint(factTold)
			id = int64(n)
			return err
		})
	})
	return id, err
}

// SetTold notes that notices through this one were shown to the person.
func (c *Client) SetTold(id int64) (err error) {
	c.on(func() {
		err = c.st.Update(func(tx store.Tx) error { return tx.SetFactUint(factTold, uint64(id)) })
	})
	return err
}
