package linking

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"io"

	"github.com/tyler-smith/go-bip39/wordlists"

	"sotto/internal/pake"
	"sotto/internal/wire"
)

// What both sides put into the exchange besides the code.
const (
	channel = "sotto link v1" // and the handle: the channel identifier of CPace
	oldData = "sotto link old device"
	newData = "sotto link new device"
)

// exchange is the key exchange of a talk, and the sealing that follows it: AES-256-GCM under
// one key for each direction, the nonce the number of the message.
type exchange struct {
	fresh  bool // of the new device, which initiates
	run    *pake.Exchange
	secret *pake.Secret
	share  []byte
	mine   []byte // tag
	words  [2]string
	out    direction
	in     direction
}

type direction struct {
	aead cipher.AEAD
	n    uint64
}

func newExchange(rand io.Reader, code Code, fresh bool) (*exchange, error) {
	in := pake.Input{Password: []byte(code.Digits), Channel: []byte(channel + "\x00" + code.Handle), Data: []byte(oldData)}
	role := pake.Responder
	if fresh {
		role, in.Data = pake.Initiator, []byte(newData)
	}
	run, err := pake.Start(role, in, rand)
	if err != nil {
		return nil, err
	}
	return &exchange{fresh: fresh, run: run, share: run.Share()}, nil
}

// finish takes the other side's share.
func (x *exchange) finish(share []byte) (err error) {
	data := newData
	if x.fresh {
		data = oldData
	}
	if x.secret, err = x.run.Finish(share, []byte(data)); err != nil {
		return ErrTalk
	}
	x.mine = x.secret.Tag()
	return nil
}

func (x *exchange) tag() []byte { return x.mine }

// confirm takes the other side's tag, which shows that it has the code too, and derives the
// keys and the words: HKDF-SHA512 (RFC 5869) of the secret, without salt.
func (x *exchange) confirm(tag []byte) error {
	if x.secret == nil {
		return ErrTalk
	}
	isk, err := x.secret.Confirm(tag)
	if err != nil {
		return ErrCode
	}
	defer clear(isk)
	derive := func(info string, size int) []byte {
		k, e := hkdf.Key(sha512.New, isk, nil, info, size)
		err = errors.Join(err, e)
		return k
	}
	toNew, toOld, words := derive("sotto link old to new", 32), derive("sotto link new to old", 32), derive("sotto link words", 4)
	if err != nil {
		return err
	}
	defer clear(toNew)
	defer clear(toOld)
	x.out.aead, x.in.aead = sealer(toNew), sealer(toOld)
	if x.fresh {
		x.out, x.in = x.in, x.out
	}
	list := wordlists.English // 2048 words: 22 bits, of which whoever stands between can choose none
	x.words = [2]string{list[binary.BigEndian.Uint16(words)%2048], list[binary.BigEndian.Uint16(words[2:])%2048]}
	return nil
}

func sealer(key []byte) cipher.AEAD {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // of a key of 32 bytes there is no error
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		panic(err)
	}
	return a
}

func (d *direction) nonce() []byte {
	b := make([]byte, 12)
	binary.BigEndian.PutUint64(b[4:], d.n)
	d.n++
	return b
}

// sealBytes seals what is said next.
func (x *exchange) sealBytes(body any) ([]byte, error) {
	if x.out.aead == nil {
		return nil, ErrTalk
	}
	return x.out.aead.Seal(nil, x.out.nonce(), wire.Marshal(body), nil), nil
}

// seal is a whole message of it.
func (x *exchange) seal(body any) ([]byte, error) {
	b, err := x.sealBytes(body)
	if err != nil {
		return nil, err
	}
	return wire.Marshal(sealed{b}), nil
}

// open opens what the other side sealed next.
func (x *exchange) open(b []byte, body any) error {
	if x.in.aead == nil {
		return ErrTalk
	}
	plain, err := x.in.aead.Open(nil, x.in.nonce(), b, nil)
	if err != nil {
		return ErrTalk
	}
	if err := wire.Unmarshal(plain, body); err != nil {
		return ErrTalk
	}
	return nil
}

// openIn opens a whole message of it.
func (x *exchange) openIn(m []byte, body any) error {
	var in sealed
	if err := wire.Unmarshal(m, &in); err != nil {
		return ErrTalk
	}
	return x.open(in.Sealed, body)
}

func (x *exchange) erase() {
	x.run.Erase()
	if x.secret != nil {
		x.secret.Erase()
	}
	x.out, x.in = direction{}, direction{}
}
