package pake

import (
	"crypto/sha512"
	"encoding/binary"

	"github.com/gtank/ristretto255"
)

// dsi is G.DSI of ristretto255 (draft, "Ristretto255 and Decaf448").
const dsi = "CPaceRistretto255"

// calculateGenerator is G.calculate_generator (draft, there too).
func calculateGenerator(prs, ci, sid []byte) *ristretto255.Element {
	s := generatorString(prs, ci, sid)
	defer clear(s)
	h := sha512.Sum512(s)
	defer clear(h[:])
	return ristretto255.NewElement().FromUniformBytes(h[:])
}

// generatorString is generator_string (draft, "Common function for computing generators"): the password is padded, so that
// the first block of the hash holds it and nothing that differs between sessions.
func generatorString(prs, ci, sid []byte) []byte {
	padding := max(0, sha512.BlockSize-1-len(lvCat(prs))-len(lvCat([]byte(dsi))))
	return lvCat([]byte(dsi), prs, make([]byte, padding), ci, sid)
}

// lvCat is lv_cat (draft appendix A.1.3): each part after its length in LEB128, which is
// what binary calls a uvarint.
func lvCat(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += binary.MaxVarintLen64 + len(p)
	}
	out := make([]byte, 0, n) // never moved: a password leaves no copy behind
	for _, p := range parts {
		out = append(binary.AppendUvarint(out, uint64(len(p))), p...)
	}
	return out
}
