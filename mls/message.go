package mls

import (
	"bytes"
	"crypto/ed25519"
	"errors"
)

// Kind of a received message.
type Kind uint8

// Kinds of message.
const (
	KindApplication Kind = 1
	KindProposal    Kind = 2
	KindCommit      Kind = 3
)

// Received is an opened message.
type Received struct {
	Kind       Kind
	Sender     uint32 // leaf index; meaningless for a proposal from outside
	Generation uint32 // of a PrivateMessage
	AAD        []byte
	Plaintext  []byte           // KindApplication
	Proposal   *PendingProposal // KindProposal, now pending
	Staged     *StagedCommit    // KindCommit
}

// maxMessage bounds what Seal takes, so that vectors stay under 2^30 bytes.
const maxMessage = 1 << 28

// Seal encrypts an application message (RFC 9420 section 15) and answers it with
// its generation. Flush before it leaves. Pending proposals do not stop it; the
// application decides when they are committed (section 12.4).
func (g *Group) Seal(aad, plaintext []byte) (message []byte, generation uint32, err error) {
	if err := g.usable(); err != nil {
		return nil, 0, err
	}
	if len(aad)+len(plaintext) > maxMessage {
		return nil, 0, fail(ErrArgument, "a message of %d bytes", len(aad)+len(plaintext))
	}
	a := g.authored(contentApplication, aad)
	a.content.application = plaintext
	a.sign(g.signer, g.now.encoded)
	message, step, err := g.framePrivate(a, ratchetApplication)
	if err != nil {
		return nil, 0, err
	}
	generation = step.generation
	g.now.keys.take(step, g.cfg.MaxForward)
	return message, generation, nil
}

// authored is content of ours, to be filled and signed.
func (g *Group) authored(kind uint8, aad []byte) *authContent {
	return &authContent{wire: wirePrivate, content: framedContent{
		groupID: g.now.context.groupID, epoch: g.now.context.epoch,
		sender: sender{senderMember, g.now.own}, aad: aad, contentType: kind,
	}}
}

// framePrivate encrypts signed content with our next key; the step of the
// ratchet is for the caller to take.
func (g *Group) framePrivate(a *authContent, kind uint8) ([]byte, *ratchetStep, error) {
	var d senderData
	guard, err := random(g.cfg.Rand, len(d.guard))
	if err != nil {
		return nil, nil, err
	}
	step, err := g.now.keys.send(ratchetID{g.now.own, kind})
	if err != nil {
		return nil, nil, err
	}
	d = senderData{leaf: g.now.own, generation: step.generation, guard: [4]byte(guard)}
	m := privateMessage{groupID: a.content.groupID, epoch: a.content.epoch, contentType: a.content.contentType, aad: a.content.aad}
	m.sealContent(a, &step.key, d.guard, g.cfg.Padding)
	m.sealSenderData(g.now.secrets.senderData, d)
	e := encoder{make([]byte, 0, len(m.ciphertext)+len(m.aad)+128)}
	e.u16(mls10)
	e.u16(wirePrivate)
	m.encode(&e)
	return e.b, step, nil
}

func (g *Group) framePublic(a *authContent) []byte {
	m := publicMessage{authContent: *a}
	m.membershipTag = m.tag(g.now.secrets.membership, g.now.encoded)
	var e encoder
	e.u16(mls10)
	e.u16(wirePublic)
	m.encode(&e)
	return e.b
}

// Open opens an MLSMessage of the present epoch. On an error the group is
// unchanged. A commit is only staged; Open and Merge belong into one atomic step
// of the store, because the key of a message that was opened is gone. With ErrPath, and
// only then, Kind and Sender are answered too: the signature has been verified.
func (g *Group) Open(message []byte) (*Received, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	message = bytes.Clone(message)
	d := decoder{b: message}
	version, wire := d.u16(), d.u16()
	switch {
	case d.err != nil:
		return nil, d.err
	case version != mls10:
		return nil, fail(ErrUnsupported, "protocol version %d", version)
	case wire == wirePrivate:
		return g.openPrivate(&d, message)
	case wire == wirePublic && g.cfg.AllowPublic:
		return g.openPublic(&d, message)
	}
	return nil, fail(ErrUnsupported, "wire format %d", wire)
}

func (g *Group) here(groupID []byte, epoch uint64) error {
	switch {
	case !bytes.Equal(groupID, g.now.context.groupID):
		return ErrWrongGroup
	case epoch != g.now.context.epoch:
		return fail(ErrWrongEpoch, "%d, we are in %d", epoch, g.now.context.epoch)
	}
	return nil
}

// openPrivate is RFC 9420 section 6.3. The ratchet moves last.
func (g *Group) openPrivate(d *decoder, message []byte) (*Received, error) {
	var m privateMessage
	m.decode(d)
	if err := d.finish(); err != nil {
		return nil, err
	}
	if err := g.here(m.groupID, m.epoch); err != nil {
		return nil, err
	}
	from, err := m.openSenderData(g.now.secrets.senderData)
	if err != nil {
		return nil, err
	}
	leaf := g.now.tree.leaf(from.leaf)
	if leaf == nil {
		return nil, fail(ErrUnknownSender, "leaf %d is blank", from.leaf)
	}
	id := ratchetID{from.leaf, ratchetHandshake}
	if m.contentType == contentApplication {
		id.kind = ratchetApplication
	}
	step, err := g.now.keys.step(id, from.generation, g.cfg.MaxForward)
	if errors.Is(err, ErrGeneration) && from.leaf == g.now.own {
		return nil, ErrOwnMessage
	}
	if err != nil {
		return nil, err
	}
	defer step.erase()
	a, err := m.openContent(&step.key, from)
	if err != nil {
		return nil, err
	}
	if err := a.verify(leaf.SignatureKey, g.now.encoded); err != nil {
		return nil, err
	}
	if from.leaf == g.now.own {
		// Any member can write our leaf into the sender data, and seal again what we
		// sent. Only who has our keys makes what is still to come, and signs it.
		return nil, ErrCopy
	}
	r, err := g.receive(a, message)
	if errors.Is(err, ErrPath) {
		return &Received{Kind: KindCommit, Sender: from.leaf, Generation: from.generation}, err
	}
	if err != nil {
		return nil, err
	}
	r.Generation = from.generation
	g.now.keys.take(step, g.cfg.MaxForward)
	return r, nil
}

// openPublic is RFC 9420 section 6.2.
func (g *Group) openPublic(d *decoder, message []byte) (*Received, error) {
	var m publicMessage
	m.decode(d)
	if err := d.finish(); err != nil {
		return nil, err
	}
	if err := g.here(m.content.groupID, m.content.epoch); err != nil {
		return nil, err
	}
	if m.content.contentType == contentApplication {
		return nil, fail(ErrMalformed, "an application message that is not encrypted")
	}
	key, err := g.publicSender(&m)
	if err != nil {
		return nil, err
	}
	if err := m.verify(key, g.now.encoded); err != nil {
		return nil, err
	}
	return g.receive(&m.authContent, message)
}

// publicSender answers the key that must have signed (RFC 9420 section 6.1).
func (g *Group) publicSender(m *publicMessage) (ed25519.PublicKey, error) {
	from := m.content.sender
	if from.kind != senderMember && !g.cfg.AllowExternal {
		return nil, fail(ErrUnsupported, "senders outside the group are off")
	}
	switch {
	case from.kind == senderMember:
		leaf := g.now.tree.leaf(from.index)
		if leaf == nil {
			return nil, fail(ErrUnknownSender, "leaf %d is blank", from.index)
		}
		if err := m.checkTag(g.now.secrets.membership, g.now.encoded); err != nil {
			return nil, err
		}
		if from.index == g.now.own {
			return nil, ErrOwnMessage
		}
		return leaf.SignatureKey, nil
	case from.kind == senderNewMemberCommit && m.content.contentType == contentCommit:
		if p := m.content.commit.path; p != nil {
			return p.leaf.SignatureKey, nil
		}
	case from.kind == senderNewMemberProposal && m.content.contentType == contentProposal:
		if kp := m.content.proposal.KeyPackage; kp != nil {
			return kp.Leaf.SignatureKey, nil
		}
	case from.kind == senderExternal && m.content.contentType == contentProposal:
		return g.externalSender(from.index, m.content.proposal.Type)
	}
	return nil, fail(ErrMalformed, "such a sender does not send that")
}

// externalSender is RFC 9420 sections 12.1.8 and 12.1.8.1.
func (g *Group) externalSender(index uint32, t ProposalType) (ed25519.PublicKey, error) {
	if t == ProposalUpdate || t == ProposalExternalInit {
		return nil, fail(ErrMalformed, "proposal type %d from an external sender", t)
	}
	raw, _ := findExtension(g.now.context.extensions, ExtExternalSenders)
	list, err := parseExternalSenders(raw)
	if err != nil || int64(index) >= int64(len(list)) {
		return nil, fail(ErrUnknownSender, "external sender %d", index)
	}
	return list[index].key, nil
}

// receive handles authenticated content.
func (g *Group) receive(a *authContent, message []byte) (*Received, error) {
	r := &Received{Sender: a.content.sender.index, AAD: a.content.aad}
	switch a.content.contentType {
	case contentApplication:
		r.Kind, r.Plaintext = KindApplication, a.content.application
	case contentProposal:
		p, err := g.receiveProposal(a)
		if err != nil {
			return nil, err
		}
		r.Kind, r.Proposal = KindProposal, p
	case contentCommit:
		s, err := g.receiveCommit(a, message)
		if err != nil {
			return nil, err
		}
		r.Kind, r.Sender, r.Staged = KindCommit, s.committer, s
	}
	return r, nil
}
