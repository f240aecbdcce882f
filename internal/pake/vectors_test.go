package pake

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/gtank/ristretto255"
)

// section reads one of the JSON files that the draft embeds, by the section it stands in.
func section(t testing.TB, number string) map[string]json.RawMessage {
	t.Helper()
	var file struct {
		Sections map[string]map[string]json.RawMessage `json:"sections"`
	}
	read(t, "testdata/draft-irtf-cfrg-cpace-21.json", &file)
	if len(file.Sections) != 8 || len(file.Sections[number]) == 0 {
		t.Fatalf("no section %s among %d", number, len(file.Sections))
	}
	return file.Sections[number]
}

func read(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// octets is one octet string of a section.
func octets(t testing.TB, s map[string]json.RawMessage, key string) []byte {
	t.Helper()
	var text string
	if err := json.Unmarshal(s[key], &text); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return unhex(t, text)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if len(want) == 0 || !bytes.Equal(got, want) {
		t.Errorf("%s: %x, not %x", what, got, want)
	}
}

// ordered is o_cat of the draft, for its vectors of runs without roles, which sotto does
// not use: the hashing around it is the same.
func ordered(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		a, b = b, a
	}
	return append(append([]byte("oc"), a...), b...)
}

func count(n int) (b []byte) {
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

// Appendix A: the functions on strings.
func TestVectorStrings(t *testing.T) {
	s := section(t, "A.1.2.1")
	for key, in := range map[string][]byte{
		"prepend_len(b'')": nil, "prepend_len(b'1234')": []byte("1234"),
		"prepend_len(bytes(range(127)))": count(127), "prepend_len(bytes(range(128)))": count(128),
	} {
		same(t, key, lvCat(in), octets(t, s, key))
	}
	list := func(args string) (out [][]byte) {
		for a := range strings.SplitSeq(args, ",") {
			out = append(out, []byte(strings.Trim(a, "b'")))
		}
		return out
	}
	ran := 0
	for number, f := range map[string]func(p [][]byte) []byte{
		"A.1.4.1": func(p [][]byte) []byte { return lvCat(p...) },
		"A.3.3.1": func(p [][]byte) []byte { return ordered(p[0], p[1]) },
		"A.3.5.1": func(p [][]byte) []byte { return append(lvCat(p[:2]...), lvCat(p[2:]...)...) },
		"A.3.7.1": func(p [][]byte) []byte { return ordered(lvCat(p[:2]...), lvCat(p[2:]...)) },
	} {
		s := section(t, number)
		for key := range s {
			name, args, isCall := strings.Cut(strings.TrimSuffix(key, ")"), "(")
			if !isCall {
				continue
			}
			ran++
			same(t, name, f(list(args)), octets(t, s, key))
		}
	}
	if ran != 7 {
		t.Errorf("%d vectors", ran)
	}
}

// Appendix B.3.1.
func TestVectorGenerator(t *testing.T) {
	s := section(t, "B.3.1.1")
	prs, ci, sid := octets(t, s, "PRS"), octets(t, s, "CI"), octets(t, s, "sid")
	same(t, "DSI", []byte(dsi), octets(t, s, "DSI"))
	str := generatorString(prs, ci, sid)
	same(t, "generator string", str, octets(t, s, "generator_string(G.DSI,PRS,CI,sid,H.s_in_bytes)"))
	h := sha512.Sum512(str)
	same(t, "hash", h[:], octets(t, s, "hash result"))
	same(t, "generator", calculateGenerator(prs, ci, sid).Encode(nil), octets(t, s, "encoded generator g"))
}

// Appendices B.3.2 to B.3.8, whose values B.3.9 repeats: shares, K, ISK with roles and
// without, the session identifiers, which hold the transcripts.
func TestVectorRun(t *testing.T) {
	s := section(t, "B.3.9")
	get := func(key string) []byte { return octets(t, s, key) }
	in := Input{Password: get("PRS"), Channel: get("CI"), Session: get("sid")}
	same(t, "g", calculateGenerator(in.Password, in.Channel, in.Session).Encode(nil), get("g"))
	begin := func(role Role, scalar, data, share string) *Exchange {
		in := in
		in.Data = get(data)
		x, err := Start(role, in, bytes.NewReader(get(scalar)))
		if err != nil {
			t.Fatal(err)
		}
		same(t, share, x.Share(), get(share))
		k, ok := scalarMultVerify(x.scalar, get(map[string]string{"Ya": "Yb", "Yb": "Ya"}[share]))
		if !ok {
			t.Error("the other share is refused")
		}
		same(t, "K", k, get("K"))
		return x
	}
	a, b := begin(Initiator, "ya", "ADa", "Ya"), begin(Responder, "yb", "ADb", "Yb")
	sa, err := a.Finish(get("Yb"), get("ADb"))
	if err != nil {
		t.Fatal(err)
	}
	sb, err := b.Finish(get("Ya"), get("ADa"))
	if err != nil {
		t.Fatal(err)
	}
	isk, err := sa.Confirm(sb.Tag())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "ISK of A", isk, get("ISK_IR"))
	if isk, err = sb.Confirm(sa.Tag()); err != nil {
		t.Fatal(err)
	}
	same(t, "ISK of B", isk, get("ISK_IR"))

	ma, mb := lvCat(get("Ya"), get("ADa")), lvCat(get("Yb"), get("ADb"))
	same(t, "ISK without roles", intermediateKey(in.Session, get("K"), ordered(ma, mb)), get("ISK_SY"))
	for key, transcript := range map[string][]byte{
		"sid_output_ir": append(clone(ma), mb...), "sid_output_oc": ordered(ma, mb),
	} {
		h := sha512.Sum512(append([]byte("CPaceSidOutput"), transcript...))
		same(t, key, h[:], get(key))
	}
}

// Appendices B.3.10 and B.3.11: scalar_mult_vfy, with valid and with invalid points.
func TestVectorPoints(t *testing.T) {
	s := section(t, "B.3.11.1")
	var valid map[string]json.RawMessage
	if err := json.Unmarshal(s["Valid"], &valid); err != nil {
		t.Fatal(err)
	}
	y := ristretto255.NewScalar()
	if err := y.Decode(octets(t, valid, "s")); err != nil {
		t.Fatal(err)
	}
	k, ok := scalarMultVerify(y, octets(t, valid, "X"))
	if !ok {
		t.Error("the valid one is refused")
	}
	same(t, "scalar_mult_vfy", k, octets(t, valid, "G.scalar_mult_vfy(s,X)"))
	same(t, "scalar_mult", k, octets(t, valid, "G.scalar_mult(s,decode(X))"))
	for _, key := range []string{"Invalid Y1", "Invalid Y2"} {
		refusesShare(t, key, octets(t, s, key))
	}
}

// RFC 9496, appendix A.2: what is no encoding of an element.
func TestVectorEncodings(t *testing.T) {
	var file struct {
		Encodings []string `json:"encodings"`
	}
	read(t, "testdata/rfc9496-a2.json", &file)
	if len(file.Encodings) != 29 {
		t.Fatalf("%d encodings", len(file.Encodings))
	}
	for _, e := range file.Encodings {
		refusesShare(t, e, unhex(t, e))
	}
}
