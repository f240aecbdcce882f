package server

import (
	"bytes"
	"reflect"
	"testing"

	"sotto/internal/wire"
)

// FuzzPlainAppend: what the short way reads, the general way reads alike.
func FuzzPlainAppend(f *testing.F) {
	for _, n := range []int{0, 1, 23, 24, 255, 256, 1024, 70_000} {
		f.Add(wire.EncodeFrame(uint64(n)*7919+1, uint16(wire.OpAppend), wire.Append{Log: wire.LogName{1}, Token: wire.Secret{2}, Entry: make([]byte, n)}))
	}
	f.Add(wire.EncodeFrame(1, uint16(wire.OpAppend), wire.Append{Entry: []byte("x"), Parts: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, a, ok := plainAppend(b)
		if !ok {
			return
		}
		fr, err := wire.DecodeFrame(b)
		if err != nil || fr.ID != id || fr.Number != uint16(wire.OpAppend) {
			t.Fatal(err, fr.ID, id)
		}
		var general wire.Append
		if err := wire.Unmarshal(fr.Body, &general); err != nil || !reflect.DeepEqual(general, a) {
			t.Fatal(err)
		}
	})
}

func TestPlainAppendTakesWhatClientsSend(t *testing.T) {
	for _, n := range []int{0, 1, 23, 24, 255, 256, 1024, wire.MaxEntry} {
		if _, a, ok := plainAppend(wire.EncodeFrame(1<<40, uint16(wire.OpAppend), wire.Append{Entry: make([]byte, n)})); !ok || len(a.Entry) != n {
			t.Errorf("an entry of %d bytes went the long way", n)
		}
	}
}

func FuzzEncodeAppended(f *testing.F) {
	for _, n := range []uint64{0, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, 1<<64 - 1} {
		f.Add(n, n, n)
	}
	f.Fuzz(func(t *testing.T, id, seq, ms uint64) {
		r := wire.Appended{Seq: seq, TimeMS: ms, Chain: wire.Hash{byte(id)}}
		if !bytes.Equal(encodeAppended(id, r), wire.EncodeFrame(id, 0, r)) {
			t.Fatal("another encoding")
		}
	})
}
