package mls

import (
	"slices"
	"testing"
)

func TestVectorTreeOperations(t *testing.T) {
	type vector struct {
		Proposal   hexBytes
		Sender     uint32   `json:"proposal_sender"`
		Before     hexBytes `json:"tree_before"`
		HashBefore hexBytes `json:"tree_hash_before"`
		After      hexBytes `json:"tree_after"`
		HashAfter  hexBytes `json:"tree_hash_after"`
	}
	eachVector(t, "tree-operations", func(t *testing.T, v vector) {
		tr, err := parseTree(v.Before)
		ok(t, err)
		same(t, "hash before", tr.rootHash(), v.HashBefore)
		var p Proposal
		d := decoder{b: v.Proposal}
		p.decode(&d)
		ok(t, d.finish())
		old := tr
		tr = tr.clone()
		switch p.Type {
		case ProposalAdd:
			_, err := tr.add(&p.KeyPackage.Leaf)
			ok(t, err)
		case ProposalUpdate:
			tr.update(v.Sender, p.Leaf)
		case ProposalRemove:
			tr.remove(p.Removed)
		}
		same(t, "tree after", tr.marshal(), v.After)
		same(t, "hash after", tr.rootHash(), v.HashAfter)
		same(t, "the old tree", old.marshal(), v.Before)
	})
}

func TestVectorTreeValidation(t *testing.T) {
	type vector struct {
		Suite       CipherSuite `json:"cipher_suite"`
		Tree        hexBytes
		GroupID     hexBytes `json:"group_id"`
		Resolutions [][]uint32
		Hashes      []hexBytes `json:"tree_hashes"`
	}
	eachVector(t, "tree-validation", func(t *testing.T, v vector) {
		tr, err := parseTree(v.Tree)
		ok(t, err)
		if len(v.Hashes) != len(tr.nodes) {
			t.Fatal("size")
		}
		for i := range tr.nodes {
			if got := tr.resolution(uint32(i)); !slices.Equal(got, v.Resolutions[i]) {
				t.Fatalf("resolution of %d: %v, want %v", i, got, v.Resolutions[i])
			}
			same(t, "tree hash", tr.hash(uint32(i))[:], v.Hashes[i])
		}
		ok(t, tr.checkUnmerged())
		ok(t, tr.checkParentHashes())
		for i, l := range tr.members() {
			if !l.verify(v.GroupID, i) {
				t.Fatalf("signature of leaf %d", i)
			}
		}
		ok(t, tr.validate(v.GroupID, nil, rules{suite: v.Suite, longest: -1}))
		same(t, "tree", tr.marshal(), v.Tree)
	})
}

func TestVectorTreeKEM(t *testing.T) {
	type vector struct {
		Suite     CipherSuite `json:"cipher_suite"`
		GroupID   hexBytes    `json:"group_id"`
		Epoch     uint64
		Confirmed hexBytes `json:"confirmed_transcript_hash"`
		Tree      hexBytes `json:"ratchet_tree"`
		Leaves    []struct {
			Index       uint32
			Encryption  hexBytes `json:"encryption_priv"`
			Signature   hexBytes `json:"signature_priv"`
			PathSecrets []struct {
				Node   uint32
				Secret hexBytes `json:"path_secret"`
			} `json:"path_secrets"`
		} `json:"leaves_private"`
		Paths []struct {
			Sender  uint32
			Path    hexBytes   `json:"update_path"`
			Secrets []hexBytes `json:"path_secrets"`
			Commit  hexBytes   `json:"commit_secret"`
			Hash    hexBytes   `json:"tree_hash_after"`
		} `json:"update_paths"`
	}
	eachVector(t, "treekem", func(t *testing.T, v vector) {
		base, err := parseTree(v.Tree)
		ok(t, err)
		context := groupContext{suite: v.Suite, groupID: v.GroupID, epoch: v.Epoch, confirmed: v.Confirmed}
		privs := map[uint32]map[uint32][]byte{}
		signers := map[uint32][]byte{}
		for _, l := range v.Leaves {
			priv := map[uint32][]byte{leafNode(l.Index): l.Encryption}
			for _, p := range l.PathSecrets {
				s, err := v.Suite.derivePath(slices.Clone(p.Secret), []uint32{p.Node})
				ok(t, err)
				priv[p.Node] = s.priv[p.Node]
			}
			e := &epoch{tree: base, context: context}
			for n, k := range priv {
				if !e.sameKey(n, k) {
					t.Fatalf("private key of node %d", n)
				}
			}
			privs[l.Index], signers[l.Index] = priv, l.Signature
		}
		// everyone opens the path p of a sender in tree tr.
		open := func(tr *tree, p *updatePath, sender uint32, commit []byte, secrets []hexBytes) {
			t.Helper()
			steps := tr.filteredPath(sender)
			ok(t, tr.checkPath(v.Suite, p, steps, nil))
			c := context
			c.treeHash = tr.rootHash()
			for index, priv := range privs {
				if index == sender {
					continue
				}
				s, err := tr.decryptPath(v.Suite, p, steps, index, priv, nil, c.marshal())
				ok(t, err)
				same(t, "commit secret", s.commit, commit)
				if secrets != nil {
					same(t, "path secret", s.path[commonAncestor(index, sender)], secrets[index])
				}
			}
		}
		for _, u := range v.Paths {
			var p updatePath
			d := decoder{b: u.Path}
			p.decode(&d)
			ok(t, d.finish())
			g := &Group{now: &epoch{tree: base, context: context}}
			ch := &change{tree: base.clone()}
			_, err := g.mergeReceived(&StagedCommit{committer: u.Sender}, ch, &p)
			ok(t, err)
			same(t, "tree hash", ch.tree.rootHash(), u.Hash)
			open(ch.tree, &p, u.Sender, u.Commit, u.Secrets)

			tr := base.clone()
			cfg := Config{Suite: v.Suite}
			ok(t, cfg.complete())
			mine, s, err := tr.renewPath(v.Suite, cfg.Rand, u.Sender, *base.leaf(u.Sender), seedKey(signers[u.Sender]), v.GroupID)
			ok(t, err)
			c := context
			c.treeHash = tr.rootHash()
			ok(t, tr.encryptPath(v.Suite, mine, s, u.Sender, nil, c.marshal()))
			open(tr, mine, u.Sender, s.commit, nil)
		}
	})
}
