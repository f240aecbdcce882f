package main

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"errors"
	"math/bits"
	"reflect"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// The grammar is what tiny needs of appendix A, one structure in a line: its fields in the order
// of their map keys, which count from 1. u8 to u64 are integers, t is text, f a boolean, b bytes,
// a number that many bytes, * an array; ? marks what may be absent.
//
//go:embed grammar.txt
var grammarText string

var grammar = func() map[string][]rule {
	all := map[string][]rule{}
	for line := range strings.Lines(grammarText) {
		name, body, _ := strings.Cut(line, " =")
		all[name] = []rule{}
		for _, f := range strings.Fields(body) {
			field, kind, _ := strings.Cut(f, ":")
			all[name] = append(all[name], rule{field, strings.TrimSuffix(kind, "?"), strings.HasSuffix(kind, "?")})
		}
	}
	return all
}()

type rule struct {
	name, kind string
	optional   bool
}

// octets are bytes that can be compared and be keys of maps; fields are a structure by the
// names of the grammar.
type octets = cbor.ByteString
type fields map[string]any

func (m fields) b(name string) octets   { v, _ := m[name].(octets); return v }
func (m fields) n(name string) uint64   { v, _ := m[name].(uint64); return v }
func (m fields) t(name string) string   { v, _ := m[name].(string); return v }
func (m fields) m(name string) fields   { v, _ := m[name].(fields); return v }
func (m fields) list(name string) []any { v, _ := m[name].([]any); return v }

// A refusal is the panic of everything that fails or is not as the protocol has it, so that ten
// rules are ten lines; guard makes an error of it where an entry, an envelope or a command ends.
type refusal struct{ error }

func demand(ok bool, rule string) {
	if !ok {
		panic(refusal{errors.New(rule)})
	}
}

func try[T any](v T, err error) T {
	if err != nil {
		panic(refusal{err})
	}
	return v
}

func guard(f func()) (err error) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case refusal:
			err = x
		default:
			panic(x)
		}
	}()
	f()
	return nil
}

var octetsType = reflect.TypeFor[octets]()

var (
	encoder = try(cbor.CoreDetEncOptions().EncMode())
	decoder = try(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, DupMapKey: cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels: 8, MaxArrayElements: 4096, MaxMapPairs: 64, DefaultByteStringType: octetsType}.DecMode())
)

func encode(v any) octets { return octets(try(encoder.Marshal(v))) }

// decode is section 2: valid is what encodes to the same bytes again.
func decode(b octets) (v any) {
	try(0, decoder.Unmarshal([]byte(b), &v))
	demand(encode(v) == b, "encoded otherwise")
	return v
}

func empty(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.IsZero() || r.Kind() == reflect.Slice && r.Len() == 0
}

// pack turns fields into what is encoded; parse and take do the reverse.
func pack(v any, kind string) any {
	switch v := v.(type) {
	case []any:
		packed := []any{}
		for _, item := range v {
			packed = append(packed, pack(item, kind[1:]))
		}
		return packed
	case fields:
		packed := map[uint64]any{}
		for i, r := range grammar[kind] {
			if v := v[r.name]; !r.optional || !empty(v) {
				packed[uint64(i+1)] = pack(v, r.kind)
			}
		}
		return packed
	}
	return v
}

func parse(b octets, kind string) fields { return take(decode(b), kind).(fields) }

func take(v any, kind string) any {
	ok, size := false, try(strconv.Atoi("0"+strings.Trim(kind, "*abcdefghijklmnopqrstuvwxyz-")))
	switch v := v.(type) {
	case octets:
		ok = kind == "b" || kind == strconv.Itoa(len(v))
	case string:
		ok = kind == "t"
	case bool:
		ok = kind == "f"
	case uint64:
		ok = kind[0] == 'u' && bits.Len64(v) <= size
	case []any:
		ok = kind[0] == '*'
		for i := 0; ok && i < len(v); i++ {
			v[i] = take(v[i], kind[1:])
		}
	case map[any]any:
		taken := fields{}
		demand(grammar[kind] != nil, "not of the type "+kind)
		for i, r := range grammar[kind] {
			v, there := v[uint64(i+1)]
			demand(there || r.optional, kind+" without "+r.name)
			if there {
				taken[r.name] = take(v, r.kind)
				demand(!r.optional || !empty(taken[r.name]), kind+" with an empty "+r.name)
			}
		}
		demand(len(taken) == len(v), kind+" with unknown fields")
		return taken
	}
	demand(ok, "not of the type "+kind)
	return v
}

func sum(parts ...string) octets {
	h := sha256.Sum256([]byte(strings.Join(parts, "")))
	return octets(h[:])
}

func random(n int) octets {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return octets(b)
}
