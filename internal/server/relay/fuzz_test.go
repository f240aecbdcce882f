package relay

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

// What check lets pass is a whole message by the library's own reading, of a kind that is
// served, and short; and nothing makes it fall.
func FuzzCheck(f *testing.F) {
	for _, b := range junk {
		f.Add(b)
	}
	for _, kind := range []stun.MessageType{stun.BindingRequest, stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewType(stun.MethodSend, stun.ClassIndication), stun.NewType(stun.MethodConnect, stun.ClassRequest)} {
		f.Add(build(f, stun.TransactionID, kind, stun.NewUsername("x"), stun.NewRealm("y")))
		m := build(f, stun.TransactionID, kind)
		m = append(m, 0, attrPeer, 0, 8, 0, 1, 1, 2, 3, 4, 5, 6, 0, attrChannelNumber, 0, 4, 0x40, 1, 0, 0)
		binary.BigEndian.PutUint16(m[2:], uint16(len(m)-headSTUN))
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if channel, n, ok := channelData(b); ok && (channel < firstChannel || channel > lastChannel || n > len(b)-headChannel) {
			t.Fatal("data on no channel")
		}
		if len(b) >= 4 {
			if n, ok := frameSize(b); ok && (n < headChannel || n > maxFrame || n%4 != 0 && b[0]&0xC0 != 0) {
				t.Fatal("a frame of", n)
			}
		}
		q, ok := check(b)
		if !ok {
			return
		}
		m := &stun.Message{Raw: append([]byte(nil), b...)}
		if err := m.Decode(); err != nil {
			t.Fatal("the library does not read it:", err)
		}
		if m.Type.Value() != q.kind || len(b) > maxFrame || len(q.peers) > maxPeers {
			t.Fatalf("%v: %+v", m.Type, q)
		}
		for _, a := range q.peers {
			if !a.IsValid() || a.Is4In6() {
				t.Fatal("a peer at", a)
			}
		}
	})
}

// An address in XOR-PEER-ADDRESS is read as the library reads it.
func FuzzPeer(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, []byte("012345678901"))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}, []byte("012345678901"))
	f.Fuzz(func(t *testing.T, ip, id []byte) {
		want, ok := netip.AddrFromSlice(ip)
		if !ok || len(id) != stun.TransactionIDSize {
			return
		}
		m := new(stun.Message)
		m.TransactionID = [stun.TransactionIDSize]byte(id)
		m.Type = stun.NewType(stun.MethodCreatePermission, stun.ClassRequest)
		m.WriteHeader()
		if err := (stun.XORMappedAddress{IP: ip, Port: 1}).AddToAs(m, stun.AttrXORPeerAddress); err != nil {
			t.Fatal(err)
		}
		q, ok := check(m.Raw)
		if !ok || len(q.peers) != 1 || q.peers[0] != want.Unmap() {
			t.Fatalf("%v is read as %v", want, q.peers)
		}
	})
}
