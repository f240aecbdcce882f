package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"sotto/mls"
)

// What tiny computes stands in appendix B, as the document writes it.
func TestAppendixB(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	stands := func(what string, b octets) {
		t.Helper()
		lines := hex.EncodeToString([]byte(b))
		var block strings.Builder
		for ; len(lines) > 96; lines = lines[96:] {
			block.WriteString(lines[:96] + "\n")
		}
		if !strings.Contains(string(page), "```\n"+block.String()+lines+"\n```") {
			t.Errorf("%s: %x is not in appendix B", what, string(b))
		}
	}
	of := func(b byte, n int) octets { return octets(bytes.Repeat([]byte{b}, n)) }
	log := octets("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")
	empty := sum("sotto log v1", string(log))
	stands("running hash of the empty log", empty)
	one := runningHash(empty, 1, "entry")
	stands("running hash after entry 1", one)
	stands("hello", encode([]any{1, 1, pack(fields{"lowest": 1, "highest": 1}, "hello")}))
	stands("append", encode([]any{2, 2, pack(fields{"log": log, "token": of(0x11, 32), "entry": octets("entry")}, "append")}))

	box, err := hpke.MLKEM768X25519().NewPrivateKey([]byte(of(0xa2, 32)))
	if err != nil {
		t.Fatal(err)
	}
	ana := &client{state: state{Handle: "ana@example.org", Device: of(0xa0, 16), Seed: of(0xa1, 32)}}
	key := ana.signer().Public().(ed25519.PublicKey)
	stands("Ed25519 key", octets(key))
	stands("X-Wing key", sum(string(box.PublicKey().Bytes())))
	statement := encode(pack(fields{"version": 1, "kind": 1, "position": 0, "previous": of(0, 32), "time": 1750000000, "signer": ana.Device,
		"handle": ana.Handle, "device": fields{"name": ana.Device, "key": octets(key), "xwing": box.PublicKey().Bytes()}}, "statement"))
	stands("genesis", sum(string(statement)))
	signed := encode(pack(fields{"statement": statement, "signature": ana.sign(chainLabel, statement)}, "signed"))
	stands("signed genesis", sum(string(signed)))
	own := verify([]any{signed})
	stands("account", own.account)
	message := encode([]any{"sotto auth v1", of(0x99, 32), "example.org", ana.Handle, ana.Device})
	stands("AuthMessage", message)
	stands("its signature", ana.sign("", message))
	stands("credential", encode(pack(fields{"version": 1, "account": own.account, "device": ana.Device, "head": own.account, "length": 1,
		"handle": ana.Handle}, "credential")))
	stands("tag", tag(of(0xc1, 32), &mls.LeafNode{SignatureKey: key}))
	stands("payload", encode(pack(fields{"kind": 1, "body": octets("body"), "number": 1, "hash": one, "time": 1750000000000}, "payload")))
	stands("joined", encode(pack(fields{"host": "example.org", "inbox": of(0xd0, 16), "capability": of(0xd1, 32)}, "joined")))
	proofs := encode(pack([]any{fields{"account": own.account, "from": 1, "statements": []any{octets("statement")}}}, "*proof"))
	stands("proofs", proofs)
	stands("AAD of proofs", sum("sotto proofs v1", string(proofs)))
	inner := encode(pack(fields{"message": octets("message")}, "inner"))
	nonce := []byte(of(0x24, 12))
	entry := "\x01" + octets(nonce) + octets(gcm([]byte(of(0x42, 16))).Seal(nil, nonce, pad(inner), []byte(log)))
	stands("seal of an entry", entry)
	if got := openEntry([]byte(of(0x42, 16)), log, entry); got != inner {
		t.Errorf("opened: %x", string(got))
	}
	next := fields{"next": sum(string(of(0x33, 32)))}
	stands("claim of a swap", claim(next))
	commit := "\x02" + claim(next) + octets(nonce) + octets(gcm([]byte(of(0x42, 16))).Seal(nil, nonce, pad(inner), []byte(log+claim(next))))
	stands("seal of an entry with a swap", commit)
	if got := openEntry([]byte(of(0x42, 16)), log, commit); got != inner || !names(commit, next) || names(commit, nil) || names(entry, next) || !names(entry, nil) {
		t.Errorf("opened: %x", string(got))
	}
	for n, want := range map[int]int{0: 256, 255: 256, 256: 272, 300: 304, 511: 512, 512: 544, 1000: 1024, 5000: 5120, 100000: 100352, 245000: 245760} {
		if got := len(pad(of(1, n))); got != want {
			t.Errorf("Pad of %d bytes: %d, not %d", n, got, want)
		}
	}
}
