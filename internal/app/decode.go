package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sotto/internal/app/api"
)

const (
	maxBody  = 1 << 20 // bytes; a message that fits an entry does, however it is escaped
	maxQuery = 4 << 10
)

// decode reads what a route takes, strictly; nil when it takes nothing.
func decode(w http.ResponseWriter, r *http.Request, route api.Route, in reflect.Type) (any, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, malformed("", "the query is too long")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("", "the query is no query")
	}
	if route.Out == (api.Binary{}) { // what an element loads by itself
		query.Del(keyQuery)
		query.Del("v")
	}
	if route.In == nil {
		if err := noBody(r); err != nil {
			return nil, err
		}
	}
	if in == nil || route.In != nil {
		for name := range query {
			return nil, malformed(name, "this call has no %s in its query", name)
		}
	}
	switch {
	case in == nil:
		return nil, nil
	case route.In != nil:
		v := reflect.New(in)
		return v.Interface(), decodeBody(w, r, v)
	}
	v := reflect.New(in)
	return v.Interface(), decodeQuery(query, v.Elem())
}

func noBody(r *http.Request) error {
	if r.ContentLength == 0 || r.Body == nil {
		return nil
	}
	if n, _ := io.ReadFull(r.Body, make([]byte, 1)); n > 0 {
		return malformed("", "this call takes no body")
	}
	return nil
}

func decodeBody(w http.ResponseWriter, r *http.Request, v reflect.Value) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return malformed("", "the body has to be application/json")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return malformed("", "the body is larger than %d bytes", maxBody)
	}
	if err != nil {
		return malformed("", "the body did not come whole")
	}
	return unmarshal(b, v)
}

// unmarshal is strict JSON: one object in UTF-8, every name once and spelled as it is,
// none unknown, none missing that has to be there. encoding/json alone would take names
// in any case, twice, and halves of characters.
func unmarshal(b []byte, v reflect.Value) error {
	if !utf8.Valid(b) {
		return malformed("", "the body is not UTF-8")
	}
	names, err := topNames(b)
	if err != nil {
		return err
	}
	allowed, required := fieldsOf(v.Elem().Type())
	for name := range names {
		if !slices.Contains(allowed, name) {
			return malformed(name, "this call knows no %q", clip(name))
		}
	}
	for _, name := range required {
		if value, ok := names[name]; !ok || value == "null" {
			return malformed(name, "%s is missing", name)
		}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v.Interface()); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return malformed(wrong.Field, "%s is of the wrong type", wrong.Field)
		}
		return malformed("", "the body is not what this call takes")
	}
	return nil
}

// topNames are the names of an object with their values as they stand there.
func topNames(b []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, malformed("", "the body is no JSON object")
	}
	out := map[string]string{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, malformed("", "the body is no JSON")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, malformed(clip(name), "the body is no JSON")
		}
		if _, twice := out[name]; twice {
			return nil, malformed(clip(name), "%s is there twice", clip(name))
		}
		out[name] = string(value)
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed("", "the body is no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("", "something follows the body")
	}
	return out, nil
}

func fieldsOf(t reflect.Type) (all, required []string) {
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return all, required
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func decodeQuery(query url.Values, v reflect.Value) error {
	known := map[string]reflect.Value{}
	for i := range v.NumField() {
		known[v.Type().Field(i).Tag.Get("query")] = v.Field(i)
	}
	for name, values := range query {
		f, ok := known[name]
		if !ok {
			return malformed(name, "this call knows no %q", clip(name))
		}
		if len(values) != 1 || !utf8.ValidString(values[0]) {
			return malformed(name, "%s has to be there once", name)
		}
		if err := setField(f, values[0]); err != nil {
			return malformed(name, "%s is not of its type", name)
		}
	}
	return nil
}

func setField(f reflect.Value, text string) (err error) {
	switch f.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return strconv.ErrSyntax
		}
		f.SetBool(text == "true")
	case reflect.Int, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		f.SetInt(n)
	default:
		f.SetString(text)
	}
	return err
}

// whole makes every list that is not there an empty one, as the documents say.
func whole(v any) any {
	if v == nil {
		return nil
	}
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	fill(p.Elem())
	return p.Interface()
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		if k := v.Type().Elem().Kind(); k == reflect.Struct || k == reflect.Pointer {
			for i := range v.Len() {
				fill(v.Index(i))
			}
		}
	}
}
