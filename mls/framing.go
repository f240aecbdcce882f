package mls

import (
	"crypto/ed25519"
	"crypto/hmac"
)

// Wire formats (RFC 9420 section 17.2).
const (
	wirePublic     uint16 = 1
	wirePrivate    uint16 = 2
	wireWelcome    uint16 = 3
	wireGroupInfo  uint16 = 4
	wireKeyPackage uint16 = 5
)

const (
	contentApplication uint8 = 1
	contentProposal    uint8 = 2
	contentCommit      uint8 = 3
)

const (
	senderMember            uint8 = 1
	senderExternal          uint8 = 2
	senderNewMemberProposal uint8 = 3
	senderNewMemberCommit   uint8 = 4
)

// messageHead reads the head of an MLSMessage that must have this wire format.
func (d *decoder) messageHead(wire uint16) error {
	version, format := d.u16(), d.u16()
	switch {
	case d.err != nil:
		return d.err
	case version != mls10:
		return fail(ErrUnsupported, "protocol version %d", version)
	case format != wire:
		return fail(ErrMalformed, "wire format %d where %d should stand", format, wire)
	}
	return nil
}

type sender struct {
	kind  uint8
	index uint32 // leaf of a member, place of an external sender
}

func (s *sender) encode(e *encoder) {
	e.u8(s.kind)
	if s.kind == senderMember || s.kind == senderExternal {
		e.u32(s.index)
	}
}

func (s *sender) decode(d *decoder) {
	switch s.kind = d.u8(); s.kind {
	case senderMember, senderExternal:
		s.index = d.u32()
	case senderNewMemberProposal, senderNewMemberCommit:
	default:
		d.fail("sender type %d", s.kind)
	}
}

// framedContent is FramedContent (RFC 9420 section 6).
type framedContent struct {
	groupID     []byte
	epoch       uint64
	sender      sender
	aad         []byte
	contentType uint8
	application []byte
	proposal    *Proposal
	commit      *commit
}

func (c *framedContent) encode(e *encoder) {
	e.bytes(c.groupID)
	e.u64(c.epoch)
	c.sender.encode(e)
	e.bytes(c.aad)
	e.u8(c.contentType)
	c.encodeBody(e)
}

func (c *framedContent) encodeBody(e *encoder) {
	switch c.contentType {
	case contentApplication:
		e.bytes(c.application)
	case contentProposal:
		c.proposal.encode(e)
	case contentCommit:
		c.commit.encode(e)
	}
}

func (c *framedContent) decode(d *decoder) {
	c.groupID, c.epoch = d.bytes(), d.u64()
	c.sender.decode(d)
	c.aad = d.bytes()
	c.contentType = d.u8()
	c.decodeBody(d)
}

func (c *framedContent) decodeBody(d *decoder) {
	switch c.contentType {
	case contentApplication:
		c.application = d.bytes()
	case contentProposal:
		c.proposal = new(Proposal)
		c.proposal.decode(d)
	case contentCommit:
		c.commit = new(commit)
		c.commit.decode(d)
	default:
		d.fail("content type %d", c.contentType)
	}
}

// authContent is AuthenticatedContent: content with FramedContentAuthData.
type authContent struct {
	wire            uint16
	content         framedContent
	signature       []byte
	confirmationTag []byte // commits
}

func (a *authContent) encodeAuth(e *encoder) {
	e.bytes(a.signature)
	if a.content.contentType == contentCommit {
		e.bytes(a.confirmationTag)
	}
}

func (a *authContent) decodeAuth(d *decoder) {
	a.signature = d.bytes()
	if a.content.contentType == contentCommit {
		a.confirmationTag = d.bytes()
	}
}

func (a *authContent) marshal() []byte {
	var e encoder
	e.u16(a.wire)
	a.content.encode(&e)
	a.encodeAuth(&e)
	return e.b
}

func (a *authContent) decode(d *decoder) {
	a.wire = d.u16()
	a.content.decode(d)
	a.decodeAuth(d)
}

// tbs is FramedContentTBS (RFC 9420 section 6.1); context is the encoded group
// context of the message's epoch.
func (a *authContent) tbs(context []byte) []byte {
	e := encoder{make([]byte, 0, 256+len(context)+len(a.content.application))}
	e.u16(mls10)
	e.u16(a.wire)
	a.content.encode(&e)
	if k := a.content.sender.kind; k == senderMember || k == senderNewMemberCommit {
		e.raw(context)
	}
	return e.b
}

func (a *authContent) sign(key ed25519.PrivateKey, context []byte) {
	a.signature = signWithLabel(key, "FramedContentTBS", a.tbs(context))
}

func (a *authContent) verify(key ed25519.PublicKey, context []byte) error {
	if !verifyWithLabel(key, "FramedContentTBS", a.tbs(context), a.signature) {
		return fail(ErrSignature, "of a message")
	}
	return nil
}

// confirmedHashInput is ConfirmedTranscriptHashInput (RFC 9420 section 8.2).
func (a *authContent) confirmedHashInput() []byte {
	var e encoder
	e.u16(a.wire)
	a.content.encode(&e)
	e.bytes(a.signature)
	return e.b
}

func interimHash(confirmed, tag []byte) []byte {
	var e encoder
	e.bytes(tag)
	sum := hash(confirmed, e.b)
	return sum[:]
}

// publicMessage is PublicMessage (RFC 9420 section 6.2).
type publicMessage struct {
	authContent
	membershipTag []byte
}

func (m *publicMessage) encode(e *encoder) {
	m.content.encode(e)
	m.encodeAuth(e)
	if m.content.sender.kind == senderMember {
		e.bytes(m.membershipTag)
	}
}

func (m *publicMessage) decode(d *decoder) {
	m.wire = wirePublic
	m.content.decode(d)
	m.decodeAuth(d)
	if m.content.sender.kind == senderMember {
		m.membershipTag = d.bytes()
	}
}

func (m *publicMessage) tag(membershipKey, context []byte) []byte {
	e := encoder{m.tbs(context)}
	m.encodeAuth(&e)
	return mac(membershipKey, e.b)
}

func (m *publicMessage) checkTag(membershipKey, context []byte) error {
	if !hmac.Equal(m.tag(membershipKey, context), m.membershipTag) {
		return fail(ErrSignature, "membership tag")
	}
	return nil
}

// privateMessage is PrivateMessage (RFC 9420 section 6.3).
type privateMessage struct {
	groupID     []byte
	epoch       uint64
	contentType uint8
	aad         []byte
	senderData  []byte
	ciphertext  []byte
}

func (m *privateMessage) encode(e *encoder) {
	e.bytes(m.groupID)
	e.u64(m.epoch)
	e.u8(m.contentType)
	e.bytes(m.aad)
	e.bytes(m.senderData)
	e.bytes(m.ciphertext)
}

func (m *privateMessage) decode(d *decoder) {
	m.groupID, m.epoch, m.contentType = d.bytes(), d.u64(), d.u8()
	if d.err == nil && (m.contentType < contentApplication || m.contentType > contentCommit) {
		d.fail("content type %d", m.contentType)
	}
	m.aad, m.senderData, m.ciphertext = d.bytes(), d.bytes(), d.bytes()
}

// contentAAD is PrivateContentAAD (RFC 9420 section 6.3.1).
func (m *privateMessage) contentAAD() []byte {
	e := encoder{make([]byte, 0, 64+len(m.aad))}
	e.raw(m.senderAAD())
	e.bytes(m.aad)
	return e.b
}

// senderAAD is SenderDataAAD (RFC 9420 section 6.3.2).
func (m *privateMessage) senderAAD() []byte {
	var e encoder
	e.bytes(m.groupID)
	e.u64(m.epoch)
	e.u8(m.contentType)
	return e.b
}

// senderDataKey answers key and nonce for the sender data of a ciphertext.
func senderDataKey(secret, ciphertext []byte) (key, nonce []byte) {
	sample := ciphertext[:min(hashSize, len(ciphertext))]
	return expandWithLabel(secret, "key", sample, keySize), expandWithLabel(secret, "nonce", sample, nonceSize)
}

type senderData struct {
	leaf       uint32
	generation uint32
	guard      [4]byte
}

func (m *privateMessage) sealSenderData(secret []byte, s senderData) {
	var e encoder
	e.u32(s.leaf)
	e.u32(s.generation)
	e.raw(s.guard[:])
	key, nonce := senderDataKey(secret, m.ciphertext)
	m.senderData = aead(key).Seal(nil, nonce, e.b, m.senderAAD())
	clear(key)
}

func (m *privateMessage) openSenderData(secret []byte) (s senderData, err error) {
	key, nonce := senderDataKey(secret, m.ciphertext)
	plain, err := aead(key).Open(nil, nonce, m.senderData, m.senderAAD())
	clear(key)
	if err != nil {
		return s, fail(ErrDecrypt, "sender data")
	}
	d := decoder{b: plain}
	s.leaf, s.generation = d.u32(), d.u32()
	copy(s.guard[:], d.take(4))
	return s, d.finish()
}

// guarded is the nonce with the reuse guard applied (RFC 9420 section 6.3.1).
func guarded(nonce [nonceSize]byte, guard [4]byte) [nonceSize]byte {
	for i, g := range guard {
		nonce[i] ^= g
	}
	return nonce
}

// sealContent encrypts a with a message key; padding rounds the plaintext up.
func (m *privateMessage) sealContent(a *authContent, k *messageKey, guard [4]byte, padding int) {
	e := encoder{make([]byte, 0, len(a.content.application)+padding+256)}
	a.content.encodeBody(&e)
	a.encodeAuth(&e)
	if padding > 0 {
		for len(e.b)%padding != 0 {
			e.b = append(e.b, 0)
		}
	}
	nonce := guarded(k.nonce, guard)
	m.ciphertext = aead(k.key[:]).Seal(nil, nonce[:], e.b, m.contentAAD())
	clear(e.b)
}

func (m *privateMessage) openContent(k *messageKey, s senderData) (*authContent, error) {
	nonce := guarded(k.nonce, s.guard)
	plain, err := aead(k.key[:]).Open(nil, nonce[:], m.ciphertext, m.contentAAD())
	if err != nil {
		return nil, fail(ErrDecrypt, "content")
	}
	a := &authContent{wire: wirePrivate, content: framedContent{
		groupID: m.groupID, epoch: m.epoch, aad: m.aad, contentType: m.contentType,
		sender: sender{senderMember, s.leaf},
	}}
	d := decoder{b: plain}
	a.content.decodeBody(&d)
	a.decodeAuth(&d)
	if d.err != nil {
		return nil, d.err
	}
	for _, b := range d.b {
		if b != 0 {
			return nil, fail(ErrMalformed, "padding is not zero")
		}
	}
	return a, nil
}
