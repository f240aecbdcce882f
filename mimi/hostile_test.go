package mimi

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// unhex reads hexadecimal with spaces; the tests below write CBOR in it.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	saltHex = "50" + strings.Repeat("aa", 16)
	idHex   = "5820 01" + strings.Repeat("bb", 31)
	front   = "87" + saltHex + "f6 40 f6 f6 " // up to the extensions
	empty   = front + "a0"                    // up to the body
	single  = "85 01 60 01 60 40"
)

// nested is n levels of parts.
func nested(n int) string {
	if n == 1 {
		return single
	}
	return "85 01 60 03 02 82" + nested(n-1) + single
}

func extension(value string) string { return front + "a1 20" + value + single }

// external writes the items from encAlg to contentHash.
func external(middle string) string {
	return empty + "8f 06 60 02 60 60 00 00" + middle + "60 60"
}

func bstr(n int) string { return hex.EncodeToString(appendBytes(nil, make([]byte, n))) }

func tstr(n int) string {
	return hex.EncodeToString(appendText(nil, strings.Repeat("x", n)))
}

var hostile = []struct {
	name, hex string
	class     error // nil: accepted
}{
	{"the plain message", empty + single, nil},
	{"empty", "", ErrMalformed},
	{"six items", "86" + saltHex + "f6 40 f6 f6 a0", ErrMalformed},
	{"eight items", "88" + saltHex + "f6 40 f6 f6 a0" + single + "00", ErrMalformed},
	{"trailing byte", empty + single + "00", ErrTrailing},
	{"two messages", empty + single + empty + single, ErrTrailing},
	{"a map", "a0", ErrMalformed},
	{"indefinite array", "9f" + saltHex + "f6 40 f6 f6 a0" + single + "ff", ErrNotDeterministic},
	{"indefinite salt", "87 5f" + saltHex + "ff f6 40 f6 f6 a0" + single, ErrNotDeterministic},
	{"indefinite map", front + "bf ff" + single, ErrNotDeterministic},
	{"indefinite text", empty + "85 01 7f ff 01 60 40", ErrNotDeterministic},
	{"reserved length", "9c", ErrMalformed},
	{"long array head", "98 07" + saltHex + "f6 40 f6 f6 a0" + single, ErrNotDeterministic},
	{"long integer", empty + "85 18 01 60 01 60 40", ErrNotDeterministic},
	{"long string head", empty + "85 01 60 01 78 00 40", ErrNotDeterministic},
	{"tagged message", "d9 d9 f7" + empty + single, ErrMalformed},

	{"salt of 15", "87 4f" + strings.Repeat("aa", 15) + "f6 40 f6 f6 a0" + single, ErrMalformed},
	{"salt of 17", "87 51" + strings.Repeat("aa", 17) + "f6 40 f6 f6 a0" + single, ErrMalformed},
	{"salt as text", "87 70" + strings.Repeat("61", 16) + "f6 40 f6 f6 a0" + single, ErrMalformed},
	{"replaces undefined", "87" + saltHex + "f7 40 f6 f6 a0" + single, ErrMalformed},
	{"replaces short", "87" + saltHex + "41 01 40 f6 f6 a0" + single, ErrMalformed},
	{"replaces with another hash", "87" + saltHex + "5820 02" + strings.Repeat("bb", 31) + "40 f6 f6 a0" + single, ErrUnknown},
	{"reply to another hash", "87" + saltHex + "f6 40 f6 5820 00" + strings.Repeat("bb", 31) + "a0" + single, ErrUnknown},
	{"replaces and reply", "87" + saltHex + idHex + "40 f6" + idHex + "a0" + single, nil},
	{"topic as text", "87" + saltHex + "f6 60 f6 f6 a0" + single, ErrMalformed},
	{"topic of 4096", "87" + saltHex + "f6" + bstr(4096) + "f6 f6 a0" + single, nil},
	{"topic of 4097", "87" + saltHex + "f6" + bstr(4097) + "f6 f6 a0" + single, ErrTooLarge},
	{"topic that claims 2^63", "87" + saltHex + "f6 5b 8000000000000000", ErrTooLarge},
	{"topic cut short", "87" + saltHex + "f6 42 00", ErrMalformed},
	{"expires without time", "87" + saltHex + "f6 40 81 f4 f6 a0" + single, ErrMalformed},
	{"expires at an integer", "87" + saltHex + "f6 40 82 00 00 f6 a0" + single, ErrMalformed},
	{"expires with null", "87" + saltHex + "f6 40 82 f6 00 f6 a0" + single, ErrMalformed},
	{"expires with a two-octet bool", "87" + saltHex + "f6 40 82 f8 14 00 f6 a0" + single, ErrMalformed},
	{"expires with a float for a bool", "87" + saltHex + "f6 40 82 f9 0014 00 f6 a0" + single, ErrMalformed},
	{"expires before 1970", "87" + saltHex + "f6 40 82 f4 20 f6 a0" + single, ErrMalformed},
	{"expires after 2106", "87" + saltHex + "f6 40 82 f4 1b 0000000100000000 f6 a0" + single, ErrMalformed},

	{"extensions as array", front + "80" + single, ErrMalformed},
	{"sender as bytes", front + "a1 01 40" + single, ErrMalformed},
	{"sender not UTF-8", front + "a1 01 61 ff" + single, ErrUTF8},
	{"sender too long", front + "a1 01" + tstr(4097) + single, ErrTooLarge},
	{"sender twice", front + "a2 01 60 01 60" + single, ErrDuplicate},
	{"room before sender", front + "a2 02 60 01 60" + single, ErrNotDeterministic},
	{"text key before integer", front + "a2 6161 00 20 00" + single, ErrNotDeterministic},
	{"keys in order", front + "a3 0300 2000 616100" + single, nil},
	{"empty key", front + "a1 60 00" + single, ErrMalformed},
	{"bytes key", front + "a1 41 00 00" + single, ErrMalformed},
	{"key of 256", front + "a1" + tstr(256) + "00" + single, ErrTooLarge},
	{"key of 2^53", front + "a1 1b 0020000000000000 00" + single, ErrMalformed},
	{"key of 2^53-1", front + "a1 1b 001fffffffffffff 00" + single, nil},
	{"key of 1-2^53", front + "a1 3b 001ffffffffffffe 00" + single, nil},
	{"key of -2^53", front + "a1 3b 001fffffffffffff 00" + single, ErrMalformed},
	{"65 extensions", front + "b8 41", ErrTooMany},
	{"2^64-1 extensions", front + "bb ffffffffffffffff", ErrTooMany},

	{"value of depth four", extension("81 81 d8 20 61 61"), nil},
	{"value of depth five", extension("81 81 81 81 00"), ErrTooDeep},
	{"value of many tags", extension(strings.Repeat("c6", 50) + "00"), ErrTooDeep},
	{"value that claims 2^64-1 items", extension("9b ffffffffffffffff"), ErrMalformed},
	{"value with bad text", extension("62 c328"), ErrUTF8},
	{"value with long text head", extension("78 01 61"), ErrNotDeterministic},
	{"value with inner duplicate", extension("a2 0000 0000"), ErrDuplicate},
	{"value with inner disorder", extension("a2 0100 0000"), ErrNotDeterministic},
	{"value with array key", extension("a1 80 00"), ErrMalformed},
	{"value with bytes key", extension("a1 40 00"), nil},
	{"break as value", extension("ff"), ErrNotDeterministic},
	{"half float", extension("f9 3c00"), nil},
	{"single that fits half", extension("fa 3f800000"), ErrNotDeterministic},
	{"single that fits a subnormal half", extension("fa 33800000"), ErrNotDeterministic},
	{"single below half", extension("fa 33000000"), nil},
	{"single over half", extension("fa 477ff000"), nil},
	{"double that fits single", extension("fb 3ff0000000000000"), ErrNotDeterministic},
	{"double", extension("fb 3ff199999999999a"), nil},
	{"single infinity", extension("fa 7f800000"), ErrNotDeterministic},
	{"quiet NaN", extension("f9 7e00"), nil},
	{"other NaN", extension("f9 7e01"), ErrMalformed},
	{"double NaN", extension("fb 7ff8000000000000"), ErrNotDeterministic},
	{"undefined", extension("f7"), nil},
	{"simple 255", extension("f8 ff"), nil},
	{"simple 20 in two octets", extension("f8 14"), ErrMalformed},
	{"big integer", extension("c2 49 010000000000000000"), nil},
	{"big integer that fits", extension("c2 41 01"), ErrNotDeterministic},
	{"big integer with a zero", extension("c3 49 000000000000000001"), ErrNotDeterministic},
	{"big integer of text", extension("c2 60"), ErrMalformed},

	{"no body", empty, ErrMalformed},
	{"body null", empty + "f6", ErrMalformed},
	{"disposition 255", empty + "85 18 ff 60 01 60 40", nil},
	{"disposition 256", empty + "85 19 0100 60 01 60 40", ErrMalformed},
	{"disposition negative", empty + "85 20 60 01 60 40", ErrMalformed},
	{"language as bytes", empty + "85 01 40 01 60 40", ErrMalformed},
	{"language too long", empty + "85 01" + tstr(256) + "01 60 40", ErrTooLarge},
	{"language not UTF-8", empty + "85 01 61 80 01 60 40", ErrUTF8},
	{"cardinality 4", empty + "85 01 60 04 60 40", ErrUnknown},
	{"cardinality 2^64-1", empty + "83 01 60 1b ffffffffffffffff", ErrUnknown},
	{"null part of four", empty + "84 01 60 00 60", ErrMalformed},
	{"single part of four", empty + "84 01 60 01 60", ErrMalformed},
	{"content as text", empty + "85 01 60 01 60 60", ErrMalformed},
	{"content type too long", empty + "85 01 60 01" + tstr(256) + "40", ErrTooLarge},
	{"content cut short", empty + "85 01 60 01 60 5a 00010000 00", ErrMalformed},
	{"content over the limit", empty + "85 01 60 01 60 5a 0003c001", ErrTooLarge},
	{"surrogate in a text", empty + "85 01 60 01 63 eda080 40", ErrUTF8},

	{"multi of none", empty + "85 01 60 03 00 80", ErrMalformed},
	{"multi of one", empty + "85 01 60 03 00 81" + single, ErrMalformed},
	{"semantics 3", empty + "85 01 60 03 03 82" + single + single, ErrUnknown},
	{"four levels", empty + nested(4), nil},
	{"five levels", empty + nested(5), ErrTooDeep},
	{"thousands of levels", empty + strings.Repeat("8501600302 82", 5000), ErrTooDeep},
	{"256 parts", empty + "85 01 60 03 02 98 ff" + strings.Repeat(single, 255), nil},
	{"257 parts", empty + "85 01 60 03 02 99 0100" + strings.Repeat(single, 256), ErrTooMany},
	{"2^32 parts", empty + "85 01 60 03 02 9b 0000000100000000", ErrTooMany},

	{"external", external("00 40 40 40 00 40"), nil},
	{"external with AES-128-GCM", external("01" + bstr(16) + bstr(12) + "40 01" + bstr(32)), nil},
	{"private encryption", external("19 f001" + bstr(32) + "40 40 01" + bstr(32)), nil},
	{"external of fourteen", empty + "8e 06 60 02 60 60 00 00 00 40 40 40 00 40 60", ErrMalformed},
	{"key without encryption", external("00 41 00 40 40 00 40"), ErrMalformed},
	{"short key", external("01" + bstr(15) + bstr(12) + "40 00 40"), ErrMalformed},
	{"long nonce", external("01" + bstr(16) + bstr(13) + "40 00 40"), ErrMalformed},
	{"huge key", external("19 f001" + bstr(65) + "40 40 00 40"), ErrTooLarge},
	{"short hash", external("00 40 40 40 01" + bstr(31)), ErrMalformed},
	{"encryption 65536", external("1a 00010000 40 40 40 00 40"), ErrMalformed},
	{"hash algorithm 256", external("00 40 40 40 19 0100 40"), ErrMalformed},
	{"url as bytes", empty + "8f 06 60 02 60 40 00 00 00 40 40 40 00 40 60 60", ErrMalformed},
	{"url too long", empty + "8f 06 60 02 60" + tstr(4097) + "00 00 00 40 40 40 00 40 60 60", ErrTooLarge},
	{"filename too long", empty + "8f 06 60 02 60 60 00 00 00 40 40 40 00 40 60" + tstr(256), ErrTooLarge},
}

func TestHostile(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			b := unhex(t, h.hex)
			c, err := Parse(b)
			if h.class != nil {
				if !errors.Is(err, h.class) || c != nil {
					t.Fatalf("got %v, %v; want %v", c, err, h.class)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out, err := c.Marshal(); err != nil || !bytes.Equal(out, b) {
				t.Fatalf("Marshal: %x, %v", out, err)
			}
		})
	}
}

func TestTotalLimit(t *testing.T) {
	b := make([]byte, MaxMessage+1)
	if _, err := Parse(b); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	c := &Content{Body: Part{Body: Single{PlainText, b}}}
	if _, err := c.Marshal(); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := ParseReport(b); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// Every prefix of a message is refused, and no bit of one can be changed
// without notice: another message, or none.
func TestTruncatedAndFlipped(t *testing.T) {
	for _, w := range wants {
		b := vectorFile(t, w.name+".cbor")
		for n := range b {
			if _, err := Parse(b[:n]); err == nil {
				t.Fatalf("%s: %d of %d octets accepted", w.name, n, len(b))
			}
		}
		for i := range len(b) * 8 {
			x := bytes.Clone(b)
			x[i/8] ^= 1 << (i % 8)
			if c, err := Parse(x); err == nil {
				if out, err := c.Marshal(); err != nil || !bytes.Equal(out, x) {
					t.Fatalf("%s: bit %d: %v", w.name, i, err)
				}
			}
		}
	}
}

func TestParseSharesNothing(t *testing.T) {
	b := vectorFile(t, "attachment.cbor")
	c, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := c.Marshal()
	clear(b)
	if after, err := c.Marshal(); err != nil || !bytes.Equal(before, after) {
		t.Error("the content changed with the input")
	}
}

func TestMarshalRefuses(t *testing.T) {
	ok := Part{Body: Single{PlainText, nil}}
	loop := []Part{ok, {}}
	loop[1] = Part{Body: Multi{ProcessAll, loop}}
	wide := make([]Part, 250)
	for i := range wide {
		wide[i] = ok
	}
	wider := []Part{{Body: Multi{ProcessAll, wide}}, {Body: Multi{ProcessAll, wide}}}
	for name, test := range map[string]struct {
		c     Content
		class error
	}{
		"no body":                {Content{}, ErrMalformed},
		"pointer body":           {Content{Body: Part{Body: (*Single)(nil)}}, ErrMalformed},
		"parts in a loop":        {Content{Body: loop[1]}, ErrTooDeep},
		"shared parts":           {Content{Body: Part{Body: Multi{ProcessAll, wider}}}, ErrTooMany},
		"one part":               {Content{Body: Part{Body: Multi{ProcessAll, loop[:1]}}}, ErrMalformed},
		"text not UTF-8":         {Content{Body: Part{Language: "\xff", Body: Null{}}}, ErrUTF8},
		"ID without hash":        {Content{Replaces: &MessageID{}, Body: ok}, ErrUnknown},
		"two values":             {Content{Extensions: Extensions{{Int: -1}: {0, 0}}, Body: ok}, ErrTrailing},
		"no value":               {Content{Extensions: Extensions{{Int: -1}: nil}, Body: ok}, ErrMalformed},
		"sender not a text":      {Content{Extensions: Extensions{{Int: 1}: {0}}, Body: ok}, ErrMalformed},
		"key twice":              {Content{Extensions: Extensions{{Text: "a"}: {0}, {Int: 1, Text: "a"}: {0}}, Body: ok}, ErrDuplicate},
		"key out of range":       {Content{Extensions: Extensions{{Int: 1 << 60}: {0}}, Body: ok}, ErrMalformed},
		"key without encryption": {Content{Body: Part{Body: External{Key: []byte{1}}}}, ErrMalformed},
	} {
		if b, err := test.c.Marshal(); !errors.Is(err, test.class) {
			t.Errorf("%s: %x, %v; want %v", name, b, err, test.class)
		}
	}
}
