package schema

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sotto/internal/app/api"
)

// field is one field of a noun as it crosses the interface.
type field struct {
	name     string // in JSON or in the query
	typ      reflect.Type
	optional bool
	words    string
}

// noun is a struct or a named text of package api.
type noun struct {
	name   string
	words  string
	base   string   // the noun it extends, "" for none
	fields []field  // its own
	values []string // of a named text
}

// model is the whole interface: the nouns that the routes use, by name, and the routes.
type model struct {
	words words
	nouns map[string]noun
}

// read makes the model from api.Routes and the words in the source beside it.
func read(dir string) (*model, error) {
	w, err := readWords(dir)
	if err != nil {
		return nil, err
	}
	m := &model{words: w, nouns: map[string]noun{}}
	for _, v := range []any{api.Failure{}, api.Event{}} {
		m.add(reflect.TypeOf(v))
	}
	for _, r := range api.Routes {
		for _, v := range []any{r.In, r.Query, r.Out} {
			if v != nil && !special(v) {
				m.add(reflect.TypeOf(v))
			}
		}
	}
	return m, nil
}

// special says whether an Out is no JSON.
func special(v any) bool {
	switch v.(type) {
	case api.Binary, api.Stream:
		return true
	}
	return false
}

// add takes a type and everything that it holds.
func (m *model) add(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Name() == "" || t.PkgPath() == "" {
		return
	}
	if _, done := m.nouns[t.Name()]; done {
		return
	}
	n := noun{name: t.Name(), words: m.words.types[t.Name()], values: m.words.values[t.Name()]}
	m.nouns[n.name] = n // before its fields: nouns may hold themselves
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		m.add(f.Type)
		if f.Anonymous {
			n.base = f.Type.Name()
			continue
		}
		n.fields = append(n.fields, m.field(t, f))
	}
	m.nouns[n.name] = n
}

func (m *model) field(t reflect.Type, f reflect.StructField) field {
	out := field{typ: f.Type, words: m.words.fields[t.Name()][f.Name]}
	if q := f.Tag.Get("query"); q != "" {
		out.name, out.optional = q, true
		return out
	}
	tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if tag == "" {
		panic(fmt.Sprintf("schema: %s.%s has no name in JSON", t.Name(), f.Name))
	}
	out.name, out.optional = tag, strings.Contains(options, "omitempty")
	return out
}

// sorted are the nouns by name.
func (m *model) sorted() []noun {
	var out []noun
	for _, n := range m.nouns {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b noun) int { return strings.Compare(a.name, b.name) })
	return out
}

var inPath = regexp.MustCompile(`\{([a-z]+)\}`)

// parameters are the names in a route's path.
func parameters(path string) (out []string) {
	for _, found := range inPath.FindAllStringSubmatch(path, -1) {
		out = append(out, found[1])
	}
	return out
}
