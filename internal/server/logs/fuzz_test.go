package logs

import (
	"bytes"
	"testing"

	"sotto/internal/wire"
)

func FuzzDecodeStored(f *testing.F) {
	f.Add(stored{time: 1, size: 2, chain: wire.Hash{3}, token: wire.Hash{4}, hash: wire.Hash{5}, did: wire.Marshal(wire.Did{}), bytes: []byte("x")}.append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeStored(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.append(nil), b) {
			t.Errorf("%x becomes %x", b, s.append(nil))
		}
		_, _ = s.entry(1)
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(wire.Marshal(record{Head: 5, Tail: 4, Held: []span{{From: 1, To: 2}}}), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, seq uint64) {
		var r record
		if wire.Unmarshal(b, &r) != nil {
			return
		}
		_, _, _ = r.first(), r.count(), r.stands(seq)
		_, _ = r.needed([]*cursor{{place: place{Acked: seq}}, {place: place{Acked: seq / 2, End: &ending{Seq: seq}}}})
		var p place
		_ = wire.Unmarshal(b, &p)
	})
}

func FuzzMinus(f *testing.F) {
	f.Add(uint8(1), uint8(9), uint8(2), uint8(3), uint8(5), uint8(6), uint8(8))
	f.Fuzz(func(t *testing.T, from, to, a, b, c, d, tail uint8) {
		s := span{From: uint64(from), To: uint64(to)}
		held := []span{{From: uint64(a), To: uint64(b)}, {From: uint64(c), To: uint64(d)}}
		if from == 0 || a > b || b >= c || c > d || d >= tail {
			return
		}
		left := minus(s, held, uint64(tail))
		in := func(n uint64, of ...span) bool {
			for _, s := range of {
				if s.From <= n && n <= s.To {
					return true
				}
			}
			return false
		}
		for n := range uint64(260) {
			if want := in(n, s) && !in(n, held...) && n < uint64(tail); in(n, left...) != want {
				t.Fatalf("%v without %v and %d is %v", s, held, tail, left)
			}
		}
	})
}
