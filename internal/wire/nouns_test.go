package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// nouns are all that cross the network.
var nouns = []any{
	Ack{}, Append{}, Appended{}, Auth{}, Capability{}, Claim{}, ClaimPackages{}, ClaimedPackage{},
	ClaimedPackages{}, Create{}, Created{}, Credit{}, Did{}, Done{}, Drop{}, EndedEvent{}, Enter{}, Entry{}, EntryEvent{},
	Failure{}, Hello{}, Inbox{}, InboxAck{}, InboxEvent{}, InboxState{}, InboxWatch{}, Invite{}, Invited{}, KeyPackageCount{}, Leave{},
	Lookup{}, Met{}, NewCursor{}, Part{}, PartEvent{}, Place{}, PlaceState{}, Publish{}, Put{}, Read{},
	ReadAnswer{}, Record{}, Recover{}, Register{}, Reserve{}, Retiring{}, Say{}, ServerInfo{}, Signal{}, SignalEvent{}, Statement{}, Swap{}, Ticket{},
	TicketRequest{}, Unwatch{}, UploadRequest{}, Visit{}, Watch{}, Watching{},
}

// TestNounsAreAll: a noun that the source has and the list lacks would go untested.
func TestNounsAreAll(t *testing.T) {
	have := map[string]bool{"Done": true}
	for _, n := range nouns {
		have[reflect.TypeOf(n).Name()] = true
	}
	found := 0
	for _, file := range []string{"log.go", "account.go", "frame.go", "meeting.go", "moving.go", "recovery.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			ts, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			st, ok := ts.Type.(*ast.StructType)
			if ok && len(st.Fields.List) > 0 && st.Fields.List[0].Tag != nil && strings.Contains(st.Fields.List[0].Tag.Value, "keyasint") {
				found++
				if !have[ts.Name.Name] {
					t.Errorf("%s is not in the list of nouns", ts.Name.Name)
				}
			}
			return true
		})
	}
	if found < 40 {
		t.Errorf("only %d nouns found in the source", found)
	}
}

// fill sets every field to something that is not zero.
func fill(v reflect.Value, n *byte) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(strings.Repeat("x", int(*n)))
	case reflect.Bool:
		v.SetBool(true)
	default:
		if v.CanUint() {
			v.SetUint(uint64(*n) | 1)
		}
	}
}

func full(noun any) any {
	v := reflect.New(reflect.TypeOf(noun))
	var n byte
	fill(v.Elem(), &n)
	return v.Elem().Interface()
}

func TestRoundTrip(t *testing.T) {
	for _, zero := range nouns {
		for _, in := range []any{zero, full(zero)} {
			b := Marshal(in)
			if !bytes.Equal(b, Marshal(in)) {
				t.Errorf("%T: two encodings", in)
			}
			out := reflect.New(reflect.TypeOf(in))
			if err := Unmarshal(b, out.Interface()); err != nil {
				t.Errorf("%T: %v", in, err)
			}
			// An empty list comes back empty, not nil; the bytes are what counts.
			if again := Marshal(out.Interface()); !bytes.Equal(again, b) {
				t.Errorf("%T: %x became %x", in, b, again)
			}
		}
		if in := full(zero); !reflect.DeepEqual(in, back(t, in)) {
			t.Errorf("%T: %+v became %+v", in, in, back(t, in))
		}
	}
}

func back(t *testing.T, in any) any {
	out := reflect.New(reflect.TypeOf(in))
	if err := Unmarshal(Marshal(in), out.Interface()); err != nil {
		t.Errorf("%T: %v", in, err)
	}
	return out.Elem().Interface()
}

// TestEncodingIsFixed holds a few encodings byte for byte: what another client sends.
func TestEncodingIsFixed(t *testing.T) {
	for want, v := range map[string]any{
		"\xa0":                         Done{},
		"\xa1\x01\x05":                 Unwatch{Ref: 5},
		"\xa2\x01\x01\x02\x01":         Hello{Lowest: 1, Highest: 1},
		"\xa2\x01\x19\x01\x00\x02\x40": Part{Index: 256},
		"\xa1\x01\x62hi":               Failure{Sentence: "hi"},
		"\xa2\x01\x80\x02\x00":         Watch{},
		"\xa1\x01\x58\x20" + strings.Repeat("\x07", 32): Drop{Secret: Secret(bytes.Repeat([]byte{7}, 32))},
	} {
		if got := Marshal(v); string(got) != want {
			t.Errorf("%T: %x, not %x", v, got, want)
		}
	}
	if got := EncodeFrame(7, uint16(OpUnwatch), Unwatch{Ref: 5}); string(got) != "\x83\x07\x0b\xa1\x01\x05" {
		t.Errorf("frame %x", got)
	}
}

// TestStrict is what a decoder refuses, each made from a good encoding.
func TestStrict(t *testing.T) {
	ack := Marshal(Ack{Secret: Secret{1}, Through: 9})
	part := "\xa2\x01\x05\x02\x43abc"
	for _, c := range []struct {
		name string
		b    string
		into any
	}{
		{"nothing", "", new(Part)},
		{"trailing byte", part + "\x00", new(Part)},
		{"cut short", part[:len(part)-1], new(Part)},
		{"doubled key", "\xa3\x01\x05\x01\x05\x02\x43abc", new(Part)},
		{"unknown key", "\xa3\x01\x05\x02\x43abc\x03\x00", new(Part)},
		{"text key", "\xa2\x61\x31\x05\x02\x43abc", new(Part)},
		{"missing key", "\xa1\x02\x43abc", new(Part)},
		{"keys out of order", "\xa2\x02\x43abc\x01\x05", new(Part)},
		{"indefinite map", "\xbf\x01\x05\x02\x43abc\xff", new(Part)},
		{"indefinite bytes", "\xa2\x01\x05\x02\x5f\x43abc\xff", new(Part)},
		{"longer number than needed", "\xa2\x01\x18\x05\x02\x43abc", new(Part)},
		{"longer length than needed", "\xa2\x01\x05\x02\x58\x03abc", new(Part)},
		{"number too large", "\xa2\x01\x1a\x00\x01\x00\x00\x02\x43abc", new(Part)},
		{"negative number", "\xa2\x01\x20\x02\x43abc", new(Part)},
		{"floating point", "\xa2\x01\xf9\x45\x00\x02\x43abc", new(Part)},
		{"null for bytes", "\xa2\x01\x05\x02\xf6", new(Part)},
		{"null for a number", "\xa2\x01\xf6\x02\x43abc", new(Part)},
		{"null for all", "\xf6", new(Part)},
		{"text for bytes", "\xa2\x01\x05\x02\x63abc", new(Part)},
		{"list for bytes", "\xa2\x01\x05\x02\x83\x01\x02\x03", new(Part)},
		{"list for the map", "\x82\x05\x43abc", new(Part)},
		{"a tag", "\xa2\x01\x05\x02\xd8\x18\x43abc", new(Part)},
		{"a tag around", "\xd9\xd9\xf7" + part, new(Part)},
		{"a bignum", "\xa2\x01\xc2\x41\x05\x02\x43abc", new(Part)},
		{"invalid UTF-8", "\xa1\x01\x62\xff\xfe", new(Failure)},
		{"a present zero that is left out", "\xa2\x01\x62hi\x02\x00", new(Failure)},
		{"a short secret", strings.Replace(string(ack), "\x58\x20\x01\x00", "\x58\x1f\x01", 1), new(Ack)},
		{"a long secret", strings.Replace(string(ack), "\x58\x20", "\x58\x21\x00", 1), new(Ack)},
		{"a deep one", "\xa2\x01\x05\x02" + strings.Repeat("\x81", 40) + "\x00", new(Part)},
		{"a length that lies", "\xa2\x01\x05\x02\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", new(Part)},
		{"a list that lies", "\xa2\x01\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x02\x00", new(Watch)},
	} {
		err := Unmarshal([]byte(c.b), c.into)
		if !errors.Is(err, ErrMalformed) || CodeOf(err) != CodeMalformed {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := Unmarshal([]byte(part), new(Part)); err != nil {
		t.Errorf("the good one: %v", err)
	}
	many := Watch{Places: make([]Place, 4097)}
	if err := Unmarshal(Marshal(many), new(Watch)); err == nil {
		t.Error("a list of 4097")
	}
	if err := UnmarshalLoose([]byte("\xa3\x01\x05\x02\x43abc\x03\x00"), new(Part)); err != nil {
		t.Errorf("loose: %v", err)
	}
}

func TestFrames(t *testing.T) {
	b := EncodeFrame(3, uint16(OpAck), Ack{Through: 4})
	f, err := DecodeFrame(b)
	var ack Ack
	if err != nil || f.ID != 3 || f.Number != uint16(OpAck) || Unmarshal(f.Body, &ack) != nil || ack.Through != 4 {
		t.Error(f, ack, err)
	}
	for name, bad := range map[string]string{
		"two elements": "\x82\x01\x02", "four": "\x84\x01\x02\xa0\xa0", "a map": "\xa0", "an id of text": "\x83\x61a\x02\xa0",
		"a number too large": "\x83\x01\x1a\x00\x01\x00\x00\xa0", "trailing": "\x83\x01\x02\xa0\x00", "empty": "",
		"indefinite": "\x9f\x01\x02\xa0\xff", "an indefinite body": "\x83\x01\x02\xbf\xff", "a tag in the body": "\x83\x01\x02\xc0\xa0",
	} {
		if _, err := DecodeFrame([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DecodeFrame(make([]byte, MaxFrame+1)); CodeOf(err) != CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
	// The longest entry, and everything that may stand beside it, fit into a frame.
	long := Append{Entry: make([]byte, MaxEntry), Swap: &Swap{Add: make([]NewCursor, MaxAdds), End: make([]Tag, 512)}, Cursor: new(Secret)}
	if n := len(EncodeFrame(1, 2, long)); n > MaxFrame {
		t.Errorf("an append of %d bytes", n)
	}
	if n := len(EncodeFrame(1, 2, Create{Cursors: make([]NewCursor, MaxCursorsCreate)})); n > MaxFrame {
		t.Errorf("a create of %d bytes", n)
	}
}

func TestChainOfHashes(t *testing.T) {
	a, b := EmptyChain(LogName{1}), EmptyChain(LogName{2})
	seen := map[Hash]bool{a: true, b: true}
	for _, h := range []Hash{NextChain(a, 1, nil), NextChain(a, 2, nil), NextChain(b, 1, nil), NextChain(a, 1, []byte("x"))} {
		if seen[h] {
			t.Error("two histories with one hash")
		}
		seen[h] = true
	}
	if got := hex.EncodeToString(slice(NextChain(EmptyChain(LogName{7}), 1, []byte("entry")))); got != "7d6a80eacba73bb9db5f7a45575e5a0b4d83b62f69af5a3a279208b28072b9cc" {
		t.Errorf("the running hash is %s", got)
	}
}

func slice(h Hash) []byte { return h[:] }

func FuzzDecodeFrame(f *testing.F) {
	f.Add(EncodeFrame(3, uint16(OpAck), Ack{Through: 4}))
	f.Add(EncodeError(9, Refuse(CodeSlowDown, "wait")))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := DecodeFrame(b)
		if err != nil {
			return
		}
		if again := Marshal(fr); !bytes.Equal(again, b) {
			t.Errorf("%x decodes and encodes to %x", b, again)
		}
		_ = fr.Err()
	})
}

// FuzzBody decodes the bytes as every noun: what is taken is its own encoding.
func FuzzBody(f *testing.F) {
	for i, n := range nouns {
		f.Add(uint8(i), Marshal(n))
		f.Add(uint8(i), Marshal(full(n)))
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		v := reflect.New(reflect.TypeOf(nouns[int(i)%len(nouns)])).Interface()
		if Unmarshal(b, v) != nil {
			return
		}
		if !bytes.Equal(Marshal(v), b) {
			t.Errorf("%T: %x is taken", v, b)
		}
		if cbor.Wellformed(b) != nil {
			t.Errorf("%T: %x is no CBOR", v, b)
		}
	})
}
