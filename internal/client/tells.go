package client

import "sotto/internal/store"

// Facts of the store.
const (
	factQuiet   = "no typing" // set: others are not told that this person writes
	factVisible = "presence"  // set: others are told when this person is here
)

// Tells is what a person lets others know besides what they write.
type Tells struct {
	Typing   bool // that they write: yes, unless they say otherwise
	Presence bool // that they are here: no, unless they say otherwise
}

// Tells is what this person lets others know.
func (c *Client) Tells() (t Tells) {
	c.on(func() { t = c.tells })
	return t
}

// SetTells changes it, at once: who was told that this person is here is told that they are
// not any more.
func (c *Client) SetTells(t Tells) (err error) {
	c.on(func() {
		err = c.write(func(tx store.Tx) error { return c.putTells(tx, t) })
		if err == nil {
			c.applyTells(t)
		}
	})
	return err
}

func (c *Client) putTells(tx store.Tx, t Tells) error {
	for fact, on := range map[string]bool{factQuiet: !t.Typing, factVisible: t.Presence} {
		err := tx.DropFacts(fact)
		if err == nil && on {
			err = tx.SetFact(fact, []byte{1})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) loadTells(tx store.Tx) error {
	_, quiet, err := tx.Fact(factQuiet)
	if err != nil {
		return err
	}
	_, visible, err := tx.Fact(factVisible)
	c.tells = Tells{Typing: !quiet, Presence: visible}
	return err
}
