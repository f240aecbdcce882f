package mls

import (
	"crypto/ed25519"
	"testing"
)

func seedKey(b []byte) ed25519.PrivateKey {
	if len(b) == ed25519.PrivateKeySize {
		return b
	}
	return ed25519.NewKeyFromSeed(b)
}

func TestVectorTreeMath(t *testing.T) {
	type vector struct {
		Leaves  uint32    `json:"n_leaves"`
		Nodes   int       `json:"n_nodes"`
		Root    uint32    `json:"root"`
		Left    []*uint32 `json:"left"`
		Right   []*uint32 `json:"right"`
		Parent  []*uint32 `json:"parent"`
		Sibling []*uint32 `json:"sibling"`
	}
	eachVector(t, "tree-math", func(t *testing.T, v vector) {
		if nodeWidth(v.Leaves) != v.Nodes || rootOf(v.Leaves) != v.Root {
			t.Fatal("width or root")
		}
		check := func(what string, want *uint32, has bool, fn func(uint32) uint32, n uint32) {
			if (want != nil) != has || has && fn(n) != *want {
				t.Fatalf("%s of %d", what, n)
			}
		}
		for i := range v.Nodes {
			n := uint32(i)
			check("left", v.Left[i], !isLeaf(n), leftOf, n)
			check("right", v.Right[i], !isLeaf(n), rightOf, n)
			check("parent", v.Parent[i], n != v.Root, parentOf, n)
			check("sibling", v.Sibling[i], n != v.Root, siblingOf, n)
		}
	})
}

func TestVectorDeserialization(t *testing.T) {
	type vector struct {
		Header hexBytes `json:"vlbytes_header"`
		Length int      `json:"length"`
	}
	eachVector(t, "deserialization", func(t *testing.T, v vector) {
		d := decoder{b: v.Header}
		if n := d.length(); d.finish() != nil || n != v.Length {
			t.Fatal(n, d.err)
		}
		var e encoder
		e.length(v.Length)
		same(t, "header", e.b, v.Header)
	})
}

func TestVectorCryptoBasics(t *testing.T) {
	type vector struct {
		Suite   CipherSuite `json:"cipher_suite"`
		RefHash struct {
			Label      string
			Value, Out hexBytes
		} `json:"ref_hash"`
		Expand struct {
			Secret, Context, Out hexBytes
			Label                string
			Length               int
		} `json:"expand_with_label"`
		Derive struct {
			Secret, Out hexBytes
			Label       string
		} `json:"derive_secret"`
		Tree struct {
			Secret, Out hexBytes
			Label       string
			Generation  uint32
			Length      int
		} `json:"derive_tree_secret"`
		Sign struct {
			Priv, Pub, Content, Signature hexBytes
			Label                         string
		} `json:"sign_with_label"`
		Encrypt struct {
			Priv, Pub, Context, Plaintext hexBytes
			KEM                           hexBytes `json:"kem_output"`
			Ciphertext                    hexBytes
			Label                         string
		} `json:"encrypt_with_label"`
	}
	eachVector(t, "crypto-basics", func(t *testing.T, v vector) {
		ref := refHash(v.RefHash.Label, v.RefHash.Value)
		same(t, "ref_hash", ref[:], v.RefHash.Out)
		same(t, "expand", expandWithLabel(v.Expand.Secret, v.Expand.Label, v.Expand.Context, v.Expand.Length), v.Expand.Out)
		same(t, "derive", deriveSecret(v.Derive.Secret, v.Derive.Label), v.Derive.Out)
		same(t, "tree", deriveTreeSecret(v.Tree.Secret, v.Tree.Label, v.Tree.Generation, v.Tree.Length), v.Tree.Out)
		s := v.Sign
		if !verifyWithLabel(ed25519.PublicKey(s.Pub), s.Label, s.Content, s.Signature) ||
			!verifyWithLabel(ed25519.PublicKey(s.Pub), s.Label, s.Content, signWithLabel(seedKey(s.Priv), s.Label, s.Content)) {
			t.Fatal("signature")
		}
		e := v.Encrypt
		pt, err := v.Suite.decryptWithLabel(e.Priv, e.Label, e.Context, hpkeCiphertext{e.KEM, e.Ciphertext})
		ok(t, err)
		same(t, "decrypt", pt, e.Plaintext)
		c, err := v.Suite.encryptWithLabel(e.Pub, e.Label, e.Context, e.Plaintext)
		ok(t, err)
		pt, err = v.Suite.decryptWithLabel(e.Priv, e.Label, e.Context, c)
		ok(t, err)
		same(t, "round trip", pt, e.Plaintext)
	})
}

func TestVectorSecretTree(t *testing.T) {
	type vector struct {
		SenderData struct {
			Secret                 hexBytes `json:"sender_data_secret"`
			Ciphertext, Key, Nonce hexBytes
		} `json:"sender_data"`
		Encryption hexBytes `json:"encryption_secret"`
		Leaves     [][]struct {
			Generation uint32
			HKey       hexBytes `json:"handshake_key"`
			HNonce     hexBytes `json:"handshake_nonce"`
			AKey       hexBytes `json:"application_key"`
			ANonce     hexBytes `json:"application_nonce"`
		}
	}
	eachVector(t, "secret-tree", func(t *testing.T, v vector) {
		key, nonce := senderDataKey(v.SenderData.Secret, v.SenderData.Ciphertext)
		same(t, "sender key", key, v.SenderData.Key)
		same(t, "sender nonce", nonce, v.SenderData.Nonce)
		tr := newSecretTree(leavesFor(uint32(len(v.Leaves))), v.Encryption)
		for leaf, generations := range v.Leaves {
			for _, g := range generations {
				for kind, want := range [][2]hexBytes{{g.HKey, g.HNonce}, {g.AKey, g.ANonce}} {
					s, err := tr.step(ratchetID{uint32(leaf), uint8(kind)}, g.Generation, 1024)
					ok(t, err)
					same(t, "key", s.key.key[:], want[0])
					same(t, "nonce", s.key.nonce[:], want[1])
					tr.take(s, 1024)
				}
			}
		}
	})
}

func TestVectorKeySchedule(t *testing.T) {
	type vector struct {
		Suite   CipherSuite `json:"cipher_suite"`
		GroupID hexBytes    `json:"group_id"`
		Init    hexBytes    `json:"initial_init_secret"`
		Epochs  []struct {
			TreeHash      hexBytes `json:"tree_hash"`
			Commit        hexBytes `json:"commit_secret"`
			PSK           hexBytes `json:"psk_secret"`
			Confirmed     hexBytes `json:"confirmed_transcript_hash"`
			Context       hexBytes `json:"group_context"`
			Joiner        hexBytes `json:"joiner_secret"`
			Welcome       hexBytes `json:"welcome_secret"`
			InitSecret    hexBytes `json:"init_secret"`
			SenderData    hexBytes `json:"sender_data_secret"`
			Encryption    hexBytes `json:"encryption_secret"`
			Exporter      hexBytes `json:"exporter_secret"`
			Authenticator hexBytes `json:"epoch_authenticator"`
			External      hexBytes `json:"external_secret"`
			Confirmation  hexBytes `json:"confirmation_key"`
			Membership    hexBytes `json:"membership_key"`
			Resumption    hexBytes `json:"resumption_psk"`
			ExternalPub   hexBytes `json:"external_pub"`
			Export        struct {
				Label           string
				Context, Secret hexBytes
				Length          int
			} `json:"exporter"`
		}
	}
	eachVector(t, "key-schedule", func(t *testing.T, v vector) {
		init := []byte(v.Init)
		for i, e := range v.Epochs {
			c := groupContext{suite: v.Suite, groupID: v.GroupID, epoch: uint64(i), treeHash: e.TreeHash, confirmed: e.Confirmed}
			same(t, "context", c.marshal(), e.Context)
			joiner := joinerSecret(init, e.Commit, e.Context)
			same(t, "joiner", joiner, e.Joiner)
			member := memberSecret(joiner, e.PSK)
			same(t, "welcome", deriveSecret(member, "welcome"), e.Welcome)
			s := deriveEpoch(member, e.Context)
			for _, p := range [][2][]byte{
				{s.init, e.InitSecret}, {s.senderData, e.SenderData}, {s.encryption, e.Encryption}, {s.exporter, e.Exporter},
				{s.authenticator, e.Authenticator}, {s.external, e.External}, {s.confirmation, e.Confirmation},
				{s.membership, e.Membership}, {s.resumption, e.Resumption},
			} {
				same(t, "epoch secret", p[0], p[1])
			}
			_, pub, err := v.Suite.deriveKeyPair(s.external)
			ok(t, err)
			same(t, "external_pub", pub, e.ExternalPub)
			out, err := s.export(e.Export.Label, e.Export.Context, e.Export.Length)
			ok(t, err)
			same(t, "export", out, e.Export.Secret)
			init = s.init
		}
	})
}

func TestVectorPSKSecret(t *testing.T) {
	type vector struct {
		PSKs []struct {
			ID    hexBytes `json:"psk_id"`
			PSK   hexBytes `json:"psk"`
			Nonce hexBytes `json:"psk_nonce"`
		}
		Secret hexBytes `json:"psk_secret"`
	}
	eachVector(t, "psk_secret", func(t *testing.T, v vector) {
		var ids []PSKID
		keys := map[string][]byte{}
		for _, p := range v.PSKs {
			ids = append(ids, PSKID{Type: PSKExternal, ID: p.ID, Nonce: p.Nonce})
			keys[string(p.ID)+string(p.Nonce)] = p.PSK
		}
		cfg := Config{PSK: func(id PSKID) ([]byte, bool) { k, ok := keys[string(id.ID)+string(id.Nonce)]; return k, ok }}
		got, err := cfg.lookupPSKs(ids, nil)
		ok(t, err)
		same(t, "psk_secret", got, v.Secret)
	})
}

func TestVectorTranscriptHashes(t *testing.T) {
	type vector struct {
		Key            hexBytes `json:"confirmation_key"`
		Content        hexBytes `json:"authenticated_content"`
		InterimBefore  hexBytes `json:"interim_transcript_hash_before"`
		ConfirmedAfter hexBytes `json:"confirmed_transcript_hash_after"`
		InterimAfter   hexBytes `json:"interim_transcript_hash_after"`
	}
	eachVector(t, "transcript-hashes", func(t *testing.T, v vector) {
		var a authContent
		d := decoder{b: v.Content}
		a.decode(&d)
		ok(t, d.finish())
		confirmed := hash(v.InterimBefore, a.confirmedHashInput())
		same(t, "confirmed", confirmed[:], v.ConfirmedAfter)
		same(t, "tag", mac(v.Key, confirmed[:]), a.confirmationTag)
		same(t, "interim", interimHash(confirmed[:], a.confirmationTag), v.InterimAfter)
		same(t, "again", a.marshal(), v.Content)
	})
}

func TestVectorWelcome(t *testing.T) {
	type vector struct {
		Suite      CipherSuite `json:"cipher_suite"`
		Init       hexBytes    `json:"init_priv"`
		Signer     hexBytes    `json:"signer_pub"`
		KeyPackage hexBytes    `json:"key_package"`
		Welcome    hexBytes    `json:"welcome"`
	}
	eachVector(t, "welcome", func(t *testing.T, v vector) {
		kp, err := ParseKeyPackage(v.KeyPackage)
		ok(t, err)
		w, err := parseWelcome(v.Welcome)
		ok(t, err)
		j := &joining{cfg: Config{Suite: v.Suite}, kp: &KeyPackageSecrets{Public: kp, initPriv: v.Init}, welcome: w}
		ok(t, j.openSecrets())
		ok(t, j.openInfo())
		if !j.info.verify(ed25519.PublicKey(v.Signer)) {
			t.Fatal("signature of the group info")
		}
		e := &epoch{context: j.info.context, secrets: deriveEpoch(j.member, j.info.context.marshal())}
		if !tagFits(e, j.info.confirmationTag) {
			t.Fatal("confirmation tag")
		}
	})
}
