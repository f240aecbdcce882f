package mls

import (
	"bytes"
	"crypto/ed25519"
)

// groupInfo is GroupInfo (RFC 9420 section 12.4.3).
type groupInfo struct {
	context         groupContext
	extensions      []Extension
	confirmationTag []byte
	signer          uint32
	signature       []byte
}

func (i *groupInfo) encodeUnsigned(e *encoder) {
	i.context.encode(e)
	encodeExtensions(e, i.extensions)
	e.bytes(i.confirmationTag)
	e.u32(i.signer)
}

func (i *groupInfo) encode(e *encoder) {
	i.encodeUnsigned(e)
	e.bytes(i.signature)
}

func (i *groupInfo) decode(d *decoder) {
	i.context.decode(d)
	i.extensions = decodeExtensions(d)
	i.confirmationTag = d.bytes()
	i.signer = d.u32()
	i.signature = d.bytes()
}

func (i *groupInfo) tbs() []byte {
	var e encoder
	i.encodeUnsigned(&e)
	return e.b
}

func (i *groupInfo) sign(key ed25519.PrivateKey) {
	i.signature = signWithLabel(key, "GroupInfoTBS", i.tbs())
}

func (i *groupInfo) verify(key ed25519.PublicKey) bool {
	return verifyWithLabel(key, "GroupInfoTBS", i.tbs(), i.signature)
}

// groupSecrets is GroupSecrets (RFC 9420 section 12.4.3.1).
type groupSecrets struct {
	joiner []byte
	path   []byte // path secret of the lowest node above committer and joiner; nil without a path
	psks   []PSKID
}

func (s *groupSecrets) encode(e *encoder) {
	e.bytes(s.joiner)
	e.bool(s.path != nil)
	if s.path != nil {
		e.bytes(s.path)
	}
	e.vec(func() {
		for i := range s.psks {
			s.psks[i].encode(e)
		}
	})
}

func (s *groupSecrets) decode(d *decoder) {
	s.joiner = d.bytes()
	if d.optional() {
		if s.path = d.bytes(); s.path == nil {
			s.path = []byte{}
		}
	}
	v := d.vec()
	for v.more() {
		var id PSKID
		id.decode(v)
		s.psks = append(s.psks, id)
	}
	d.end(v)
}

// welcome is Welcome (RFC 9420 section 12.4.3.1).
type welcome struct {
	suite   CipherSuite
	secrets []sealedSecrets
	info    []byte // encrypted GroupInfo
}

// sealedSecrets is EncryptedGroupSecrets.
type sealedSecrets struct {
	ref    []byte
	sealed hpkeCiphertext
}

func (w *welcome) encode(e *encoder) {
	e.u16(uint16(w.suite))
	e.vec(func() {
		for i := range w.secrets {
			e.bytes(w.secrets[i].ref)
			w.secrets[i].sealed.encode(e)
		}
	})
	e.bytes(w.info)
}

func (w *welcome) decode(d *decoder) {
	w.suite = CipherSuite(d.u16())
	v := d.vec()
	for v.more() {
		s := sealedSecrets{ref: v.bytes()}
		s.sealed.decode(v)
		w.secrets = append(w.secrets, s)
	}
	d.end(v)
	w.info = d.bytes()
}

func parseWelcome(b []byte) (*welcome, error) {
	d := decoder{b: bytes.Clone(b)}
	if err := d.messageHead(wireWelcome); err != nil {
		return nil, err
	}
	w := new(welcome)
	w.decode(&d)
	return w, d.finish()
}

// WelcomeRefs lists the references of the key packages a Welcome is for.
func WelcomeRefs(welcome []byte) ([][]byte, error) {
	w, err := parseWelcome(welcome)
	if err != nil {
		return nil, err
	}
	refs := make([][]byte, len(w.secrets))
	for i, s := range w.secrets {
		refs[i] = s.ref
	}
	return refs, nil
}

// welcome makes one Welcome for each joiner; they share the encrypted group info.
func (m *commitMaker) welcome(s *StagedCommit) ([][]byte, error) {
	if len(m.ch.added) == 0 {
		return nil, nil
	}
	info := groupInfo{context: s.next.context, confirmationTag: s.next.confirmationTag, signer: s.committer}
	if !m.params.OmitTree {
		info.extensions = []Extension{{ExtRatchetTree, s.next.tree.marshal()}}
	}
	info.sign(m.signer)
	var e encoder
	info.encode(&e)
	key, nonce := welcomeKey(m.member)
	sealed := aead(key).Seal(nil, nonce, e.b, nil)
	clear(key)
	out := make([][]byte, len(m.ch.added))
	return out, parallel(len(out), func(i int) error {
		w, err := m.welcomeFor(i, sealed)
		if err != nil {
			return err
		}
		var e encoder
		e.u16(mls10)
		e.u16(wireWelcome)
		w.encode(&e)
		out[i] = e.b
		return nil
	})
}

func (m *commitMaker) welcomeFor(i int, info []byte) (*welcome, error) {
	secrets := groupSecrets{joiner: m.joiner, psks: m.ch.psks}
	if m.secrets != nil {
		secrets.path = m.secrets.path[commonAncestor(m.g.now.own, m.ch.added[i])]
	}
	e := encoder{make([]byte, 0, 128+256*len(secrets.psks))} // no growth: it holds secrets
	secrets.encode(&e)
	defer clear(e.b)
	kp := m.ch.joiners[i]
	sealed, err := kp.Suite.encryptWithLabel(kp.InitKey, "Welcome", info, e.b)
	if err != nil {
		return nil, err
	}
	ref := kp.Ref()
	return &welcome{suite: kp.Suite, secrets: []sealedSecrets{{ref[:], sealed}}, info: info}, nil
}
