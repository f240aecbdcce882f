package main

import "testing"

// FuzzParse reads bytes as everything in the grammar: they are refused, or they are the
// only encoding of what they say. Anything else panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte(encode(pack(fields{"lowest": 1, "highest": 1}, "hello"))))
	f.Add([]byte(encode(pack(fields{"text": "no"}, "failure"))))
	f.Add([]byte("\xa1\x01\x9b\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind := range grammar {
			_ = guard(func() {
				if again := encode(pack(parse(octets(b), kind), kind)); again != octets(b) {
					t.Errorf("%x is taken for %s, which is %x", b, kind, string(again))
				}
			})
		}
	})
}

// FuzzUnpad takes padding off.
func FuzzUnpad(f *testing.F) {
	f.Add([]byte(pad("entry")))
	f.Add([]byte("\x80"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = guard(func() { unpad(b) })
	})
}
