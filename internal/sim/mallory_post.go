package sim

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"slices"
	"strings"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mimi"
	"sotto/mls"
)

// foreign is a message of somebody else's.
type foreign struct {
	id mimi.MessageID
	by identity.ID
}

var lower32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// uri names an account or a room in message content (docs/protocol.md, section 13).
func uri(kind string, id []byte) string { return "sotto:" + kind + "/" + lower32.EncodeToString(id) }

// uri is the room's.
func (m *Mallory) uri() string {
	if m.Ctx.Kind != room.Pair {
		return uri("r", m.Ctx.Room[:])
	}
	var ids []string
	for id := range m.Known {
		ids = append(ids, lower32.EncodeToString(id[:]))
	}
	slices.Sort(ids)
	return "sotto:p/" + strings.Join(ids, "/")
}

// seal seals an entry as a member does; nil when she cannot any more.
func (m *Mallory) seal(inner room.Inner) []byte {
	b, err := room.SealEntry(m.rand, m.Group, m.Gen.Log, inner)
	if err != nil {
		return nil
	}
	return b
}

// sealSwap seals an entry that names its swap.
func (m *Mallory) sealSwap(inner room.Inner, swap wire.Swap) []byte {
	b, err := room.SealSwap(m.rand, m.Group, m.Gen.Log, inner, swap)
	if err != nil {
		return nil
	}
	return b
}

// take posts an entry that takes the write token away; make seals it, or does not.
func (m *Mallory) take(make func(swap wire.Swap) []byte) {
	m.again(func() error {
		swap := wire.Swap{Next: m.secret().Hash()}
		return m.append(make(swap), &swap)
	})
}

// named is what no seal is around, with the name of a swap before it.
func named(swap wire.Swap, b []byte) []byte {
	claim := swap.Claim()
	return slices.Concat([]byte{wire.SwapEntry}, claim[:], b)
}

// append posts an entry, perhaps with a swap, and answers the refusal.
func (m *Mallory) append(entry []byte, swap *wire.Swap) error {
	token, err := room.Token(m.Group, m.Gen.Log)
	if err != nil || !m.host.ready() {
		return errGone
	}
	a := wire.Append{Log: m.Gen.Log, Token: token, Swap: swap}
	if swap != nil {
		a.Cursor = &m.Gen.Secret
	}
	for len(entry) > wire.PartSize && len(entry) <= wire.MaxSwap+wire.PartSize {
		m.host.send(wire.OpPart, wire.Part{Index: a.Parts, Piece: entry[:wire.PartSize]}, func(wire.Frame, error) {})
		entry = entry[wire.PartSize:]
		a.Parts++
	}
	a.Entry = entry
	_, err = m.host.call(wire.OpAppend, a)
	return err
}

// again repeats an attempt until it is not others who were first, or it is no use.
func (m *Mallory) again(try func() error) {
	for range 100 {
		if m.over() {
			return
		}
		err := try()
		var refusal *wire.Error
		switch {
		case errors.Is(err, wire.Refuse(wire.CodeTooSoon, "")) && errors.As(err, &refusal):
			m.sleep(max(refusal.After, time.Millisecond))
		case errors.Is(err, wire.Refuse(wire.CodeStaleToken, "")), errors.Is(err, errGone):
			m.sleep(20 * time.Millisecond) // what was first comes in a moment
		default:
			m.tried(err)
			return
		}
	}
}

// put posts an entry without a swap, made anew in each epoch.
func (m *Mallory) put(make func() []byte) {
	m.again(func() error {
		b := make()
		if b == nil {
			return errGone
		}
		return m.append(b, nil)
	})
}

// message posts an application message with a plaintext of her own.
func (m *Mallory) message(plain []byte) {
	m.put(func() []byte {
		msg, _, err := m.Group.Seal(nil, plain)
		if err != nil {
			return nil
		}
		return m.seal(room.Inner{Message: msg})
	})
}

// payload is what an honest message says about itself, for a body.
func (m *Mallory) payload(kind room.PayloadKind, body []byte) room.Payload {
	return room.Payload{Kind: kind, Body: body, Seq: m.Gen.Seq, Chain: m.Gen.Chain, TimeMS: uint64(m.w.Now().UnixMilli())}
}

// say posts an application message that is honest but for its body.
func (m *Mallory) say(kind room.PayloadKind, body []byte) {
	m.message(wire.Marshal(m.payload(kind, body)))
}

// content posts MIMI content.
func (m *Mallory) content(c *mimi.Content, err error) {
	if err == nil {
		var b []byte
		if b, err = c.Marshal(); err == nil {
			m.say(room.PayloadContent, b)
			return
		}
	}
	m.cannot(err)
}

// cannot notes that an attack does not apply to the room as it is.
func (m *Mallory) cannot(err error) {
	m.w.Stats.Count("attack not possible: "+m.Attack.Name, 1)
	m.w.Log.Info("an attack is not possible", "attack", m.Attack.Name, "error", err)
}

// turn is a commit of hers: what it holds, and what she makes the host do with it.
type turn struct {
	mls.CommitParams
	proofs  []room.Proof
	swap    func(*wire.Swap) // what she changes in what an honest committer asks for
	message func([]byte) []byte
	around  func(do func()) // what she does while it is made
	keep    bool            // she goes on with it
}

// commit posts a commit, made anew in each epoch until it has its place.
func (m *Mallory) commit(make func() turn) {
	m.again(func() error {
		x := make()
		if x.proofs != nil {
			x.AAD = room.ProofsHash(x.proofs)
		}
		x.OmitTree = true
		var s *mls.StagedCommit
		var err error
		if x.around == nil {
			x.around = func(do func()) { do() }
		}
		x.around(func() { s, err = m.Group.Commit(x.CommitParams) })
		if err != nil {
			m.cannot(err)
			return nil
		}
		swap, err := m.swap(s)
		if err != nil {
			return errGone
		}
		if x.swap != nil {
			x.swap(&swap)
		}
		message := s.Message()
		if x.message != nil {
			message = x.message(message)
		}
		entry := m.sealSwap(room.Inner{Message: message, Proofs: x.proofs}, swap)
		if x.keep {
			m.staged, m.proofs, m.hash = s, x.proofs, sha256.Sum256(entry)
		}
		return m.append(entry, &swap)
	})
}

// swap is what an honest committer asks of the host for a commit.
func (m *Mallory) swap(s *mls.StagedCommit) (wire.Swap, error) {
	token, err := room.Token(s, m.Ctx.Log)
	if err != nil {
		return wire.Swap{}, err
	}
	swap := wire.Swap{Next: token.Hash()}
	for _, i := range s.Added() {
		swap.Add = append(swap.Add, wire.NewCursor{Tag: m.Ctx.Tag(s.Member(i).SignatureKey), Hash: m.secret().Hash()})
	}
	for _, i := range s.Removed() {
		swap.End = append(swap.End, m.Ctx.Tag(m.Group.Member(i).SignatureKey))
	}
	return swap, nil
}

// propose posts a proposal.
func (m *Mallory) propose(p mls.Proposal) (ref []byte) {
	m.put(func() []byte {
		msg, err := m.Group.Propose(p)
		if err != nil {
			return nil
		}
		own := m.Group.Pending()
		ref = own[len(own)-1].Ref
		return m.seal(room.Inner{Message: msg})
	})
	return ref
}
