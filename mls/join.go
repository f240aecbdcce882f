package mls

import (
	"bytes"
	"slices"
)

// JoinGroup joins with a Welcome (RFC 9420 section 12.4.3.1). ratchetTree is
// what RatchetTree answered, nil when the welcome carries it. kp is not erased:
// the caller does so unless it is a last resort. That the group is not one the
// client is already in is for the caller to check.
func JoinGroup(cfg Config, welcome []byte, kp *KeyPackageSecrets, ratchetTree []byte) (*Group, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if kp == nil || kp.Public == nil || kp.initPriv == nil || kp.leafPriv == nil {
		return nil, fail(ErrArgument, "no key package")
	}
	if kp.Public.Suite != cfg.Suite {
		return nil, fail(ErrArgument, "the key package is of another suite")
	}
	w, err := parseWelcome(welcome)
	if err != nil {
		return nil, err
	}
	j := &joining{cfg: cfg, kp: kp, welcome: w, treeBytes: bytes.Clone(ratchetTree)}
	defer j.erase()
	for _, step := range []func() error{j.openSecrets, j.openInfo, j.readTree, j.checkTree, j.deriveKeys, j.confirm} {
		if err := step(); err != nil {
			j.next.erase()
			return nil, err
		}
	}
	return newGroup(cfg, j.next)
}

// joining is a join under way; its methods are the steps in their order.
type joining struct {
	cfg       Config
	kp        *KeyPackageSecrets
	welcome   *welcome
	treeBytes []byte

	secrets groupSecrets
	plain   []byte // of secrets
	member  []byte
	info    groupInfo
	tree    *tree
	next    *epoch
}

func (j *joining) erase() {
	clear(j.plain)
	clear(j.member)
}

// openSecrets finds and decrypts our entry.
func (j *joining) openSecrets() error {
	if j.welcome.suite != j.cfg.Suite {
		return fail(ErrInvalidWelcome, "its suite is not the key package's")
	}
	ref := j.kp.Public.Ref()
	i := slices.IndexFunc(j.welcome.secrets, func(s sealedSecrets) bool { return bytes.Equal(s.ref, ref[:]) })
	if i < 0 {
		return fail(ErrInvalidWelcome, "it is not for this key package")
	}
	var err error
	j.plain, err = j.cfg.Suite.decryptWithLabel(j.kp.initPriv, "Welcome", j.welcome.info, j.welcome.secrets[i].sealed)
	if err != nil {
		return err
	}
	d := decoder{b: j.plain}
	j.secrets.decode(&d)
	if err := d.finish(); err != nil {
		return err
	}
	for k := range j.secrets.psks {
		id := &j.secrets.psks[k]
		switch {
		case id.Type == PSKResumption && id.Usage != usageApplication:
			return fail(ErrUnsupported, "a welcome to a re-initialised group or a branch")
		case len(id.Nonce) != hashSize:
			return fail(ErrInvalidWelcome, "PSK nonce of %d bytes", len(id.Nonce))
		case slices.ContainsFunc(j.secrets.psks[:k], func(o PSKID) bool { return o.equal(id) }):
			return fail(ErrInvalidWelcome, "a PSK twice")
		}
	}
	return nil
}

// openInfo decrypts the group info.
func (j *joining) openInfo() error {
	psk, err := j.cfg.lookupPSKs(j.secrets.psks, nil)
	if err != nil {
		return err
	}
	j.member = memberSecret(j.secrets.joiner, psk)
	clear(psk)
	key, nonce := welcomeKey(j.member)
	defer clear(key)
	plain, err := aead(key).Open(nil, nonce, j.welcome.info, nil)
	if err != nil {
		return fail(ErrDecrypt, "group info")
	}
	d := decoder{b: plain}
	j.info.decode(&d)
	if err := d.finish(); err != nil {
		return err
	}
	if j.info.context.suite != j.cfg.Suite {
		return fail(ErrInvalidWelcome, "the group's suite is not the key package's")
	}
	if t, twice := repeated(j.info.extensions); twice {
		return fail(ErrInvalidWelcome, "extension %#04x twice", t)
	}
	return nil
}

// readTree takes the tree from the caller or from the extension and checks the
// signature of the group info against it.
func (j *joining) readTree() error {
	raw := j.treeBytes
	if raw == nil {
		var ok bool
		if raw, ok = findExtension(j.info.extensions, ExtRatchetTree); !ok {
			return fail(ErrInvalidWelcome, "no ratchet tree")
		}
	}
	var err error
	if j.tree, err = parseTree(raw); err != nil {
		return err
	}
	signer := j.tree.leaf(j.info.signer)
	if signer == nil {
		return fail(ErrInvalidWelcome, "its signer's leaf is blank")
	}
	if !j.info.verify(signer.SignatureKey) {
		return fail(ErrSignature, "of the group info")
	}
	if !bytes.Equal(j.tree.rootHash(), j.info.context.treeHash) {
		return fail(ErrInvalidTree, "tree hash")
	}
	return nil
}

func (j *joining) checkTree() error {
	c := &j.info.context
	if err := checkContextExtensions(c.extensions); err != nil {
		return fail(ErrInvalidWelcome, "%v", err)
	}
	r := rules{suite: c.suite, longest: j.cfg.MaxLifetime}
	if j.cfg.StrictLifetime {
		r.now = j.cfg.Now()
	}
	return j.tree.validate(c.groupID, c.extensions, r)
}

// validate verifies the integrity of a whole tree (RFC 9420 section 12.4.3.1).
func (t *tree) validate(groupID []byte, context []Extension, r rules) error {
	if err := t.checkUnmerged(); err != nil {
		return err
	}
	if err := t.checkParentHashes(); err != nil {
		return err
	}
	err := parallel(len(t.nodes), func(i int) error { return t.checkNode(uint32(i), groupID, r) })
	if err != nil {
		return err
	}
	if err := t.checkMembers(nil, context, true); err != nil {
		return fail(ErrInvalidTree, "%v", err)
	}
	return nil
}

func (t *tree) checkNode(node uint32, groupID []byte, r rules) error {
	n := t.nodes[node]
	if n == nil {
		return nil
	}
	if n.leaf == nil {
		if _, err := r.suite.publicKey(n.key); err != nil {
			return fail(ErrInvalidTree, "node %d: %v", node, err)
		}
		return nil
	}
	if err := n.leaf.validate(r.suite, groupID, node/2); err != nil {
		return fail(ErrInvalidTree, "leaf %d: %v", node/2, err)
	}
	if err := n.leaf.lifetime(r.now, r.longest); err != nil {
		return fail(ErrInvalidTree, "leaf %d: %v", node/2, err)
	}
	return nil
}

// checkUnmerged verifies that unmerged leaves are members below their node and
// unmerged at every node between.
func (t *tree) checkUnmerged() error {
	for i := 1; i < len(t.nodes); i += 2 {
		n := t.nodes[i]
		if n == nil {
			continue
		}
		for _, u := range n.unmerged {
			if !under(u, uint32(i)) || t.leaf(u) == nil {
				return fail(ErrInvalidTree, "unmerged leaf %d of node %d is not a member below it", u, i)
			}
			for p := parentOf(leafNode(u)); p != uint32(i); p = parentOf(p) {
				if t.nodes[p] == nil {
					continue
				}
				if _, ok := slices.BinarySearch(t.nodes[p].unmerged, u); !ok {
					return fail(ErrInvalidTree, "leaf %d is unmerged at node %d but not at node %d", u, i, p)
				}
			}
		}
	}
	return nil
}

// deriveKeys finds our leaf and derives the private keys of our direct path.
func (j *joining) deriveKeys() error {
	mine := -1
	for i, l := range j.tree.members() {
		if l.equal(&j.kp.Public.Leaf) {
			mine = int(i)
		}
	}
	if mine < 0 {
		return fail(ErrInvalidWelcome, "our leaf is not in the tree")
	}
	own := uint32(mine)
	if own == j.info.signer {
		return fail(ErrInvalidWelcome, "signed by our own leaf")
	}
	j.next = &epoch{
		context: j.info.context, confirmationTag: j.info.confirmationTag, tree: j.tree, own: own,
		priv: map[uint32][]byte{leafNode(own): bytes.Clone(j.kp.leafPriv)},
	}
	if !j.next.sameKey(leafNode(own), j.kp.leafPriv) {
		return fail(ErrInvalidWelcome, "the key package's private key does not fit")
	}
	if j.secrets.path == nil {
		return nil
	}
	return j.derivePath(own)
}

func (j *joining) derivePath(own uint32) error {
	if len(j.secrets.path) != hashSize {
		return fail(ErrInvalidWelcome, "path secret of %d bytes", len(j.secrets.path))
	}
	from := commonAncestor(own, j.info.signer)
	var nodes []uint32
	for _, n := range directPath(leafNode(own), j.tree.leaves()) {
		if nodeLevel(n) >= nodeLevel(from) && j.tree.at(n) != nil {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 || nodes[0] != from {
		return fail(ErrInvalidWelcome, "path secret of a blank node")
	}
	s, err := j.cfg.Suite.derivePath(bytes.Clone(j.secrets.path), nodes)
	if err != nil {
		return err
	}
	defer s.erase()
	for _, n := range nodes {
		if !bytes.Equal(s.public[n], j.tree.at(n).encryptionKey()) {
			return fail(ErrInvalidWelcome, "path secret does not fit the key of node %d", n)
		}
		j.next.priv[n] = bytes.Clone(s.priv[n])
	}
	return nil
}

// confirm derives the epoch and checks the confirmation tag.
func (j *joining) confirm() error {
	j.next.secrets = deriveEpoch(j.member, j.next.context.marshal())
	if !tagFits(j.next, j.info.confirmationTag) {
		return fail(ErrInvalidWelcome, "confirmation tag")
	}
	j.next.begin()
	return nil
}
