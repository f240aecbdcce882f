package linking

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// Messages of a talk. Sealed parts hold the CBOR of what their name says.
type (
	opening struct {
		Version uint16 `cbor:"1,keyasint"`
		Share   []byte `cbor:"2,keyasint"`
	}
	answer struct {
		Share []byte `cbor:"1,keyasint"`
		Tag   []byte `cbor:"2,keyasint"`
	}
	proof struct {
		Tag    []byte `cbor:"1,keyasint"`
		Sealed []byte `cbor:"2,keyasint"` // Newcomer
	}
	sealed struct {
		Sealed []byte `cbor:"1,keyasint"`
	}
)

// Newcomer is what the new device says of itself.
type Newcomer struct {
	Device identity.Device `cbor:"1,keyasint"`
	Label  string          `cbor:"2,keyasint,omitempty"` // what it would like to be called
}

type offer struct {
	Chain     [][]byte `cbor:"1,keyasint"`
	Statement []byte   `cbor:"2,keyasint"` // that adds the new device, unsigned
}

type possession struct {
	Signature []byte  `cbor:"1,keyasint"`
	Arrival   Arrival `cbor:"2,keyasint"`
}

// Arrival is how the old device brings the new one into rooms without asking a server for
// each: a key package that may be used for all of them (RFC 9420 section 16.8), and where its
// invitations go. The caller checks both.
type Arrival struct {
	KeyPackage []byte         `cbor:"1,keyasint"`
	Inbox      wire.InboxName `cbor:"2,keyasint"`
	Capability wire.Secret    `cbor:"3,keyasint"`
}

type welcome struct {
	Signed []byte `cbor:"1,keyasint"` // the statement, in the chain now
	Base   int64  `cbor:"2,keyasint,omitempty"`
}

// version of the talk.
const version = 1

// MaxLabel is how long a device's label may be, bytes.
const MaxLabel = 64

// Old is the side of the device that has the account. Its methods are called in order; any
// error ends the talk.
type Old struct {
	x         *exchange
	Newcomer  Newcomer
	chain     *identity.Chain
	statement []byte
	Arrival   Arrival // of the new device, from Complete on
}

// NewOld begins for a code that this device shows.
func NewOld(rand io.Reader, code Code) (*Old, error) {
	x, err := newExchange(rand, code, false)
	return &Old{x: x}, err
}

// Answer takes message 1 and makes message 2.
func (o *Old) Answer(m []byte) ([]byte, error) {
	var in opening
	if err := wire.Unmarshal(m, &in); err != nil {
		return nil, ErrTalk
	}
	if in.Version != version {
		return nil, fmt.Errorf("%w: it speaks another version", ErrTalk)
	}
	if err := o.x.finish(in.Share); err != nil {
		return nil, err
	}
	return wire.Marshal(answer{Share: o.x.share, Tag: o.x.tag()}), nil
}

// Meet takes message 3: the other side has the code, and says who it is. From here both
// show the same words.
func (o *Old) Meet(m []byte) error {
	var in proof
	if err := wire.Unmarshal(m, &in); err != nil {
		return ErrTalk
	}
	if err := o.x.confirm(in.Tag); err != nil {
		return err
	}
	if err := o.x.open(in.Sealed, &o.Newcomer); err != nil {
		return err
	}
	if d := o.Newcomer.Device; len(d.Signature) != ed25519.PublicKeySize || len(o.Newcomer.Label) > MaxLabel {
		return ErrTalk
	}
	return nil
}

// Words are what both screens show.
func (o *Old) Words() [2]string { return o.x.words }

// Offer makes message 4, when the person has said that the words match.
func (o *Old) Offer(keys *identity.Keys, chain *identity.Chain, now time.Time) ([]byte, error) {
	o.chain, o.statement = chain, keys.ProposeDevice(chain, o.Newcomer.Device, now)
	// What the chain would not take is not offered.
	return o.x.seal(offer{Chain: chain.Statements(0), Statement: o.statement})
}

// Complete takes message 5. It answers the signed statement, which the caller brings into the
// chain at the home server before it goes on.
func (o *Old) Complete(keys *identity.Keys, m []byte) ([]byte, error) {
	var in possession
	if err := o.x.openIn(m, &in); err != nil {
		return nil, err
	}
	o.Arrival = in.Arrival
	signed := keys.AddProposed(o.statement, in.Signature)
	if err := o.chain.Clone().Append(signed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTalk, err)
	}
	return signed, nil
}

// Welcome makes message 6, the last.
//
// base is a place in the old device's order of messages above all that it will hand over.
func (o *Old) Welcome(signed []byte, base int64) ([]byte, error) {
	return o.x.seal(welcome{signed, base})
}

// Erase forgets the keys of the talk.
func (o *Old) Erase() { o.x.erase() }

// New is the side of the device that has no account yet.
type New struct {
	x      *exchange
	code   Code
	keys   *identity.Keys
	label  string
	chain  *identity.Chain
	linker wire.DeviceName
	base   int64
}

// Linker is the device that links this one.
func (n *New) Linker() wire.DeviceName { return n.linker }

// Base is a place in the order of messages above all that the old device hands over; 0 when
// its last message was lost.
func (n *New) Base() int64 { return n.base }

// NewNew begins with a code that the old device shows, for the keys of this device.
func NewNew(rand io.Reader, code Code, keys *identity.Keys, label string) (*New, error) {
	x, err := newExchange(rand, code, true)
	return &New{x: x, code: code, keys: keys, label: label}, err
}

// Open makes message 1.
func (n *New) Open() []byte { return wire.Marshal(opening{Version: version, Share: n.x.share}) }

// Prove takes message 2 and makes message 3. From here both show the same words.
func (n *New) Prove(m []byte) ([]byte, error) {
	var in answer
	if err := wire.Unmarshal(m, &in); err != nil {
		return nil, ErrTalk
	}
	if err := n.x.finish(in.Share); err != nil {
		return nil, err
	}
	if err := n.x.confirm(in.Tag); err != nil {
		return nil, err
	}
	b, err := n.x.sealBytes(Newcomer{Device: n.keys.Device(), Label: n.label})
	if err != nil {
		return nil, err
	}
	return wire.Marshal(proof{Tag: n.x.tag(), Sealed: b}), nil
}

// Words are what both screens show.
func (n *New) Words() [2]string { return n.x.words }

// Possess takes message 4 and makes message 5. The account is the one that was typed, and the
// statement adds this device to its chain, and nothing else. arrive makes what the old device
// needs, for the credential that this device is to have.
func (n *New) Possess(m []byte, arrive func(identity.Credential) (Arrival, error)) ([]byte, error) {
	var in offer
	if err := n.x.openIn(m, &in); err != nil {
		return nil, err
	}
	chain, err := identity.Verify(in.Chain)
	if err != nil {
		return nil, err
	}
	if chain.Handle() != n.code.Handle {
		return nil, ErrHandle
	}
	signature, err := n.keys.Possess(chain, in.Statement)
	if err != nil {
		return nil, err
	}
	var s identity.Statement
	if err := wire.Unmarshal(in.Statement, &s); err != nil || s.Signer == nil {
		return nil, ErrTalk // Possess has looked at it
	}
	n.chain, n.linker = chain, *s.Signer
	a, err := arrive(identity.Credential{
		Version: 1, Account: chain.ID(), Device: n.keys.Name, Head: identity.HashStatement(in.Statement), Length: uint32(chain.Len() + 1), Handle: chain.Handle(),
	})
	if err != nil {
		return nil, err
	}
	return n.x.seal(possession{signature, a})
}

// Enter takes message 6: the account's chain, with this device in it.
func (n *New) Enter(m []byte) (*identity.Chain, error) {
	var in welcome
	if err := n.x.openIn(m, &in); err != nil {
		return nil, err
	}
	next := n.chain.Clone()
	if err := next.Append(in.Signed); err != nil {
		return nil, err
	}
	if in.Base < 0 || in.Base > 1<<52 {
		return nil, ErrTalk
	}
	n.base = in.Base
	return next, n.holds(next)
}

// Find looks for this device in a longer chain of the account, as its home server shows it:
// the last message may have been lost after the statement was taken.
func (n *New) Find(signed [][]byte) (*identity.Chain, error) {
	if n.chain == nil {
		return nil, ErrTalk
	}
	next := n.chain.Clone()
	if _, err := next.Extend(0, signed); err != nil {
		return nil, err
	}
	return next, n.holds(next)
}

func (n *New) holds(chain *identity.Chain) error {
	if d, ok := chain.Device(n.keys.Name); !ok || !n.keys.Signature.Public().(ed25519.PublicKey).Equal(ed25519.PublicKey(d.Signature)) {
		return fmt.Errorf("%w: this device is not in the chain", ErrTalk)
	}
	return nil
}

// Erase forgets the keys of the talk.
func (n *New) Erase() { n.x.erase() }
