package identity

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"

	"sotto/internal/wire"
)

// Chain is an account's verified statements and what follows from them. The zero
// Chain is empty; only Verify and Append fill it, so a Chain that exists is valid.
type Chain struct {
	signed   [][]byte
	hashes   []wire.Hash
	handle   string
	devices  []deviceState // in order of addition
	recovery *Recovery
	replaced [][]byte // signature keys of recovery keys before this one
}

type deviceState struct {
	Device
	added   int // position of the statement that added it
	revoked int // position of the statement that revoked it, 0 while active
}

// Verify checks a whole chain, oldest statement first.
func Verify(signed [][]byte) (*Chain, error) {
	c := new(Chain)
	if len(signed) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrChain)
	}
	for _, s := range signed {
		if err := c.Append(s); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Append verifies one more statement and adds it. On an error the chain is as before.
func (c *Chain) Append(signed []byte) error {
	s, sig, err := parse(signed)
	if err != nil {
		return err
	}
	bad := func(what string) error {
		return fmt.Errorf("%w: statement %d: %s", ErrChain, s.Position, what)
	}
	switch {
	case len(c.signed) >= wire.MaxChain:
		return bad("the chain is as long as a chain may be")
	case s.Position != uint64(len(c.signed)):
		return bad("not the next one")
	case len(c.signed) > 0 && s.Previous != c.Head():
		return bad("it follows another statement than the last one")
	}
	if err := c.permits(s); err != nil {
		return err
	}
	if s.Signer != nil && len(c.signed)+1+wire.ChainReserve+c.activeAfter(s) > wire.MaxChain {
		return bad("a device leaves no place for the recovery key")
	}
	key, possession := c.signerKey(s), newKey(s)
	if key == nil {
		return bad("signed by nobody the chain holds at this point")
	}
	if !ed25519.Verify(key, append([]byte(signContext), sig.Statement...), sig.Signature) {
		return bad("its signature is wrong")
	}
	if possession == nil {
		if sig.Possession != nil {
			return bad("a second signature that nobody asked for")
		}
	} else if !ed25519.Verify(possession, append([]byte(possessionContext), sig.Statement...), sig.Possession) {
		return bad("the new key did not sign it")
	}
	c.apply(s)
	c.signed = append(c.signed, bytes.Clone(signed))
	c.hashes = append(c.hashes, HashStatement(sig.Statement))
	return nil
}

// signerKey is the public key that must have signed s, nil when there is none.
func (c *Chain) signerKey(s *Statement) ed25519.PublicKey {
	switch {
	case s.Kind == Genesis:
		if *s.Signer != s.Device.Name {
			return nil
		}
		return s.Device.Signature
	case s.Signer == nil:
		if c.recovery == nil {
			return nil
		}
		return c.recovery.Signature
	}
	d := c.find(*s.Signer)
	if d == nil || d.revoked != 0 {
		return nil
	}
	return d.Signature
}

// newKey is the signature key that s brings into the chain. A recovery key inside a
// genesis statement is vouched for by the device alone.
func newKey(s *Statement) ed25519.PublicKey {
	switch s.Kind {
	case AddDevice:
		return s.Device.Signature
	case SetRecovery:
		return s.Recovery.Signature
	}
	return nil
}

// permits checks what the statement does against the state of the chain.
func (c *Chain) permits(s *Statement) error {
	bad := func(what string) error {
		return fmt.Errorf("%w: statement %d: %s", ErrChain, s.Position, what)
	}
	switch s.Kind {
	case Genesis:
		// form has checked that it is the first; Append that it is the next.
		if s.Recovery != nil && bytes.Equal(s.Recovery.Signature, s.Device.Signature) {
			return bad("a recovery key that is the device's own")
		}
	case AddDevice:
		if c.find(s.Device.Name) != nil || c.held(s.Device.Signature) {
			return bad("a device that the chain has held before")
		}
	case RevokeDevice:
		d := c.find(*s.Revoked)
		if d == nil || d.revoked != 0 {
			return bad("it revokes a device that is not active")
		}
		if c.activeCount() == 1 && c.recovery == nil {
			return bad("it revokes the last device, and there is no recovery key")
		}
	case SetRecovery:
		if c.recovery != nil && s.Signer != nil {
			return bad("only the recovery key replaces itself")
		}
		if c.held(s.Recovery.Signature) {
			return bad("a key that the chain has held before")
		}
	case Move:
		if s.Handle == c.handle {
			return bad("it moves to where the account is")
		}
	}
	return nil
}

func (c *Chain) apply(s *Statement) {
	if s.Handle != "" {
		c.handle = s.Handle
	}
	if s.Device != nil {
		c.devices = append(c.devices, deviceState{Device: *s.Device, added: int(s.Position)})
	}
	if s.Recovery != nil {
		if c.recovery != nil {
			c.replaced = append(c.replaced, c.recovery.Signature)
		}
		c.recovery = s.Recovery
	}
	if s.Revoked != nil {
		c.find(*s.Revoked).revoked = int(s.Position)
	}
}

func (c *Chain) find(name wire.DeviceName) *deviceState {
	for i := range c.devices {
		if c.devices[i].Name == name {
			return &c.devices[i]
		}
	}
	return nil
}

// held says whether the chain has ever held a signature key, as a device's or as a
// recovery key: a key has one part to play and does not come back.
func (c *Chain) held(key []byte) bool {
	is := func(k []byte) bool { return bytes.Equal(k, key) }
	return slices.ContainsFunc(c.devices, func(d deviceState) bool { return is(d.Signature) }) ||
		c.recovery != nil && is(c.recovery.Signature) || slices.ContainsFunc(c.replaced, is)
}

func (c *Chain) activeCount() (n int) {
	for i := range c.devices {
		if c.devices[i].revoked == 0 {
			n++
		}
	}
	return n
}

// activeAfter is how many devices would be active after a statement. Whoever holds a device
// cannot fill the chain: the recovery key always finds place to revoke them all.
func (c *Chain) activeAfter(s *Statement) int {
	n := c.activeCount()
	switch {
	case s.Device != nil:
		n++
	case s.Revoked != nil:
		n--
	}
	return n
}

// ID is the account's identity.
func (c *Chain) ID() ID { return c.hashes[0] }

// Head is the hash of the last statement.
func (c *Chain) Head() wire.Hash { return c.hashes[len(c.hashes)-1] }

// Len is the number of statements.
func (c *Chain) Len() int { return len(c.signed) }

// Handle is the account's address after the last statement.
func (c *Chain) Handle() string { return c.handle }

// Lived says whether the account has ever had this handle.
func (c *Chain) Lived(handle string) bool {
	return slices.ContainsFunc(c.Record(0), func(s Statement) bool { return s.Handle == handle })
}

// Recovery is the recovery key, nil while the account has none.
func (c *Chain) Recovery() *Recovery { return c.recovery }

// Statements are the signed statements from position from on. The caller must not
// change them.
func (c *Chain) Statements(from int) [][]byte {
	if from < 0 || from >= len(c.signed) {
		return nil
	}
	return c.signed[from:len(c.signed):len(c.signed)]
}

// Device is the active device of that name.
func (c *Chain) Device(name wire.DeviceName) (Device, bool) {
	d := c.find(name)
	if d == nil || d.revoked != 0 {
		return Device{}, false
	}
	return d.Device, true
}

// ActiveDevices are the devices that may speak for the account, oldest first.
func (c *Chain) ActiveDevices() []Device {
	var out []Device
	for i := range c.devices {
		if c.devices[i].revoked == 0 {
			out = append(out, c.devices[i].Device)
		}
	}
	return out
}

// Active says whether the chain holds the device.
func (c *Chain) Active(name wire.DeviceName) bool {
	_, active := c.Device(name)
	return active
}

// Includes says whether the chain had this head when it had this length.
func (c *Chain) Includes(head wire.Hash, length int) bool {
	return length >= 1 && length <= len(c.hashes) && c.hashes[length-1] == head
}

// At is the chain as it was when it had this length, which must not be longer than it
// is now.
func (c *Chain) At(length int) (*Chain, error) {
	if length == len(c.signed) {
		return c, nil
	}
	if length < 1 || length > len(c.signed) {
		return nil, fmt.Errorf("%w: it has %d statements, not %d", ErrChain, len(c.signed), length)
	}
	return Verify(c.signed[:length])
}

// Clone is an independent copy.
func (c *Chain) Clone() *Chain {
	d := *c
	d.signed, d.hashes, d.devices = slices.Clone(c.signed), slices.Clone(c.hashes), slices.Clone(c.devices)
	d.replaced = slices.Clone(c.replaced)
	return &d
}

// Extend brings in another view of the same account: statements from position from
// on. What the chain holds already is compared, what is new is verified and added.
// It answers how many were added. A different statement at a place that the chain
// holds, validly signed, is ErrFork; any error leaves the chain as before.
func (c *Chain) Extend(from int, signed [][]byte) (int, error) {
	if from < 0 || from > len(c.signed) {
		return 0, fmt.Errorf("%w: statements from %d on, after one of length %d", ErrChain, from, len(c.signed))
	}
	next := c.Clone()
	for i, s := range signed {
		if at := from + i; at < len(c.hashes) {
			st, sig, err := parse(s)
			if err != nil {
				return 0, err
			}
			if HashStatement(sig.Statement) == c.hashes[at] {
				continue
			}
			if at == 0 || st.Position != uint64(at) {
				return 0, errOther
			}
			before, err := Verify(c.signed[:at])
			if err != nil {
				return 0, err
			}
			if err := before.Append(s); err != nil {
				return 0, err
			}
			return 0, forkAt(at)
		}
		if err := next.Append(s); err != nil {
			return 0, err
		}
	}
	added := len(next.signed) - len(c.signed)
	*c = *next
	return added, nil
}

// Record are the statements from a position on, read: what the account says of itself, for
// people to look at. They are verified already.
func (c *Chain) Record(from int) []Statement {
	var out []Statement
	for _, signed := range c.Statements(from) {
		if s, _, err := parse(signed); err == nil { // Append took it
			out = append(out, *s)
		}
	}
	return out
}
