package room

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// exporter answers one secret, whatever is asked.
type exporter []byte

func (e exporter) Export(string, []byte, int) ([]byte, error) { return bytes.Clone(e), nil }

// What appendix B of docs/protocol.md says of signals and knocks.
func TestBytesOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	says := func(what string, b []byte) {
		t.Helper()
		var lines []string
		for s := hex.EncodeToString(b); s != ""; s = s[min(96, len(s)):] {
			lines = append(lines, s[:min(96, len(s))])
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(string(page), "\n"+text+"\n") {
			t.Errorf("%s is not in the page:\n%s", what, text)
		}
	}
	log := wire.LogName{}
	for i := range log {
		log[i] = byte(i)
	}
	k, err := NewSignalKey(exporter(bytes.Repeat([]byte{0x42}, 32)), log, 1)
	if err != nil {
		t.Fatal(err)
	}
	salt := [16]byte(bytes.Repeat([]byte{0x5a}, 16))
	s := Signal{Leaf: 0, Kind: SignalTyping, Body: Switch(true), TimeMS: 1750000000000}
	says("what a signal signs", k.signed(salt, s)[len(signalContext):])
	sealed, err := k.Seal(bytes.NewReader(salt[:]), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0xa1}, 32)), s)
	if err != nil {
		t.Fatal(err)
	}
	says("a signal", sealed)
	ana, err := hex.DecodeString("74a35436a07cfb05fd39cd7e537e76572195063cb40e7925ace1226bf8f66e82")
	if err != nil {
		t.Fatal(err)
	}
	knock := NewKnock(LinkID(bytes.Repeat([]byte{0x1c}, 16)), wire.Secret(bytes.Repeat([]byte{0x5e}, 32)), salt, identity.ID(ana), "Ana")
	says("a knock", wire.Marshal(knock))
	says("a profile", wire.Marshal(Profile{Version: 1750000000000, Name: "Ana", Status: "away"}))
	says("a pin", wire.Marshal(Pin{Message: [32]byte(bytes.Repeat([]byte{1}, 32)), On: true}))
}
