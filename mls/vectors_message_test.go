package mls

import (
	"crypto/ed25519"
	"testing"
)

// codec is anything with both directions.
type codec interface {
	encode(*encoder)
	decode(*decoder)
}

func recode(t *testing.T, what string, raw []byte, wire uint16, v codec) {
	t.Helper()
	d := decoder{b: raw}
	var e encoder
	if wire != 0 {
		ok(t, d.messageHead(wire))
		e.u16(mls10)
		e.u16(wire)
	}
	v.decode(&d)
	if err := d.finish(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	v.encode(&e)
	same(t, what, e.b, raw)
}

// bodyOf is a proposal without its type.
type bodyOf struct{ *Proposal }

func (b bodyOf) encode(e *encoder) { b.encodeBody(e) }
func (b bodyOf) decode(d *decoder) { b.decodeBody(d) }

func TestVectorMessages(t *testing.T) {
	type vector struct {
		Welcome     hexBytes `json:"mls_welcome"`
		GroupInfo   hexBytes `json:"mls_group_info"`
		KeyPackage  hexBytes `json:"mls_key_package"`
		Tree        hexBytes `json:"ratchet_tree"`
		Secrets     hexBytes `json:"group_secrets"`
		Add         hexBytes `json:"add_proposal"`
		Update      hexBytes `json:"update_proposal"`
		Remove      hexBytes `json:"remove_proposal"`
		PSK         hexBytes `json:"pre_shared_key_proposal"`
		ReInit      hexBytes `json:"re_init_proposal"`
		External    hexBytes `json:"external_init_proposal"`
		Extensions  hexBytes `json:"group_context_extensions_proposal"`
		Commit      hexBytes `json:"commit"`
		Application hexBytes `json:"public_message_application"`
		Proposal    hexBytes `json:"public_message_proposal"`
		PubCommit   hexBytes `json:"public_message_commit"`
		Private     hexBytes `json:"private_message"`
	}
	eachVector(t, "messages", func(t *testing.T, v vector) {
		recode(t, "welcome", v.Welcome, wireWelcome, new(welcome))
		recode(t, "group info", v.GroupInfo, wireGroupInfo, new(groupInfo))
		recode(t, "key package", v.KeyPackage, wireKeyPackage, new(KeyPackage))
		tr, err := parseTree(v.Tree)
		ok(t, err)
		same(t, "tree", tr.marshal(), v.Tree)
		recode(t, "group secrets", v.Secrets, 0, new(groupSecrets))
		for i, raw := range []hexBytes{v.Add, v.Update, v.Remove, v.PSK, v.ReInit, v.External, v.Extensions} {
			recode(t, "proposal", raw, 0, bodyOf{&Proposal{Type: ProposalType(i + 1)}})
		}
		recode(t, "commit", v.Commit, 0, new(commit))
		for _, raw := range []hexBytes{v.Application, v.Proposal, v.PubCommit} {
			recode(t, "public message", raw, wirePublic, new(publicMessage))
		}
		recode(t, "private message", v.Private, wirePrivate, new(privateMessage))
	})
}

func TestVectorMessageProtection(t *testing.T) {
	type vector struct {
		Suite      CipherSuite `json:"cipher_suite"`
		GroupID    hexBytes    `json:"group_id"`
		Epoch      uint64      `json:"epoch"`
		TreeHash   hexBytes    `json:"tree_hash"`
		Confirmed  hexBytes    `json:"confirmed_transcript_hash"`
		Priv       hexBytes    `json:"signature_priv"`
		Pub        hexBytes    `json:"signature_pub"`
		Encryption hexBytes    `json:"encryption_secret"`
		SenderData hexBytes    `json:"sender_data_secret"`
		Membership hexBytes    `json:"membership_key"`

		Proposal     hexBytes
		ProposalPub  hexBytes `json:"proposal_pub"`
		ProposalPriv hexBytes `json:"proposal_priv"`
		Commit       hexBytes
		CommitPub    hexBytes `json:"commit_pub"`
		CommitPriv   hexBytes `json:"commit_priv"`
		App          hexBytes `json:"application"`
		AppPriv      hexBytes `json:"application_priv"`
	}
	eachVector(t, "message-protection", func(t *testing.T, v vector) {
		key := seedKey(v.Priv)
		leaf := &LeafNode{SignatureKey: ed25519.PublicKey(v.Pub)}
		// both: opens what the vector holds and what we seal, as leaf 0 reads leaf 1.
		group := func(own uint32) *Group {
			e := &epoch{own: own, tree: newTree(2)}
			e.tree.set(0, &treeNode{leaf: &LeafNode{}})
			e.tree.set(2, &treeNode{leaf: leaf})
			e.context = groupContext{suite: v.Suite, groupID: v.GroupID, epoch: v.Epoch, treeHash: v.TreeHash, confirmed: v.Confirmed}
			e.secrets = epochSecrets{senderData: v.SenderData, membership: v.Membership, encryption: append([]byte(nil), v.Encryption...)}
			e.begin()
			cfg := Config{Suite: v.Suite, AllowPublic: true}
			ok(t, cfg.complete())
			return &Group{cfg: cfg, signer: key, now: e}
		}
		open := func(raw []byte) *authContent {
			t.Helper()
			g := group(0)
			d := decoder{b: raw}
			d.u16()
			if d.u16() == wirePublic {
				var m publicMessage
				m.decode(&d)
				ok(t, d.finish())
				ok(t, m.checkTag(v.Membership, g.now.encoded))
				ok(t, m.verify(leaf.SignatureKey, g.now.encoded))
				return &m.authContent
			}
			var m privateMessage
			m.decode(&d)
			ok(t, d.finish())
			s, err := m.openSenderData(v.SenderData)
			ok(t, err)
			id := ratchetID{s.leaf, ratchetHandshake}
			if m.contentType == contentApplication {
				id.kind = ratchetApplication
			}
			step, err := g.now.keys.step(id, s.generation, 1024)
			ok(t, err)
			a, err := m.openContent(&step.key, s)
			ok(t, err)
			ok(t, a.verify(leaf.SignatureKey, g.now.encoded))
			return a
		}
		body := func(a *authContent) []byte {
			if a.content.contentType == contentApplication {
				return a.content.application
			}
			var e encoder
			a.content.encodeBody(&e)
			return e.b
		}
		for _, c := range []struct{ raw, pub, priv hexBytes }{
			{v.Proposal, v.ProposalPub, v.ProposalPriv}, {v.Commit, v.CommitPub, v.CommitPriv}, {v.App, nil, v.AppPriv},
		} {
			if c.pub != nil {
				a := open(c.pub)
				same(t, "public", body(a), c.raw)
				g := group(1)
				a.sign(key, g.now.encoded)
				same(t, "public of ours", body(open(g.framePublic(a))), c.raw)
			}
			a := open(c.priv)
			same(t, "private", body(a), c.raw)
			g := group(1)
			a.sign(key, g.now.encoded)
			raw, _, err := g.framePrivate(a, boolKind(a.content.contentType == contentApplication))
			ok(t, err)
			same(t, "private of ours", body(open(raw)), c.raw)
		}
		m := publicMessage{authContent: *open(v.AppPriv)}
		m.wire = wirePublic
		m.sign(key, group(1).now.encoded)
		if _, err := group(0).Open(group(1).framePublic(&m.authContent)); err == nil {
			t.Fatal("an application message in public was accepted")
		}
	})
}

func boolKind(b bool) uint8 {
	if b {
		return ratchetApplication
	}
	return ratchetHandshake
}
